# ===- compiler.py - Around iree-compile ------------------------------------ ---===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""The command sparse-attn-iree-compile: iree-compile, with our kernels inside."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

from sparse_attn import tools
from sparse_attn.iree import inputs
from sparse_attn.iree.installation import TESTED, Installation, IreeError, find

# What both parsers read: MLIR 22 here, and the newer one inside IREE.
_PRINTED = ["--mlir-print-op-generic", "--mlir-print-elementsattrs-with-hex-if-larger=-1"]
GENERIC = [*_PRINTED, "--mlir-print-local-scope"]
_RESOURCES = "\n{-#\n"
# IREE generates code for these; newer GPUs run its sm_80 code beside our kernels.
IREE_TARGETS = ("sm_80", "sm_86", "sm_89")
OURS = ("target", "filter", "select", "layout", "f32", "cache", "expect-attention", "report",
        "ptxas", "dump-to", "max-input-bytes")  # fmt: skip


@dataclass
class Request:
    """One compilation."""

    source: Path
    """.mlir of any form that IREE imports, or .onnx"""
    output: Path
    own_flags: list = field(default_factory=list)
    """for sparse-attn-compile"""
    iree_flags: list = field(default_factory=list)
    """for iree-compile, in both of its runs"""
    parameters: Optional[str] = None
    """SCOPE=FILE.irpa: where constants go instead of into the program"""
    parameters_minimum: int = 1 << 16
    """bytes from which a constant goes there"""


def _value(flags: list, name: str) -> Optional[str]:
    """The value of the last --name=value."""
    values = [flag.split("=", 1)[1] for flag in flags if flag.startswith(f"--{name}=")]
    return values[-1] if values else None


def iree_target(flags: list) -> str:
    """The architecture of IREE's own kernels beside those of --target: the
    oldest target, or sm_80 where IREE generates no code for it."""
    targets = (_value(flags, "target") or "sm_80").split(",")
    oldest = min(targets, key=lambda chip: int("".join(filter(str.isdigit, chip)) or 0))
    return oldest if oldest in IREE_TARGETS else IREE_TARGETS[0]


def _flags_for_iree(request: Request) -> list:
    flags = list(request.iree_flags)
    for reserved in ("compile-to", "compile-from"):
        if _value(flags, reserved) is not None:
            raise IreeError(f"expected no --{reserved}: the bridge sets it")
    device = _value(flags, "iree-hal-target-device")
    if device is None:
        flags.append("--iree-hal-target-device=cuda")
    elif device != "cuda":
        raise IreeError(f"expected --iree-hal-target-device=cuda, found '{device}'")
    if _value(flags, "iree-cuda-target") is None:
        flags.append(f"--iree-cuda-target={iree_target(request.own_flags)}")
    return flags


def _call(command: list, hint: str = "") -> str:
    """Runs a tool of IREE; its first complaint is the error."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode == 0:
        return done.stdout
    lines = [line for line in done.stderr.splitlines() if "error:" in line]
    complaint = (lines or done.stderr.splitlines() or [f"exit status {done.returncode}"])[0]
    raise IreeError(f"{Path(command[0]).name}: {complaint[:2000]}{hint}")


def _print_generic(command: list, output: Path) -> None:
    """Has IREE print a program to `output`. Constants that are resources are names;
    iree-opt prints their data only where it does not print the local scope."""
    _call([*command, *GENERIC, "-o", output])
    text = output.read_bytes()
    if b"dense_resource<" not in text or _RESOURCES.encode() in text:
        return
    whole = output.with_suffix(".whole.mlir")
    _call([*command, *_PRINTED, "-o", whole])
    _, separator, resources = whole.read_text().rpartition(_RESOURCES)
    whole.unlink()
    if not separator:
        raise IreeError(f"expected {Path(command[0]).name} to print the data of constants "
                        "behind the program, found none")  # fmt: skip
    with output.open("a") as file:
        file.write(separator + resources)


def _export_parameters(iree: Installation, module: Path, request: Request, output: Path) -> None:
    """Moves large constants of `module` to an archive, before any text of them."""
    scope, separator, archive = request.parameters.partition("=")
    if not separator or not scope or not archive:
        raise IreeError(f"expected --parameters=SCOPE=FILE.irpa, found '{request.parameters}'")
    if not iree.optimizer:
        raise IreeError(f"expected iree-opt beside '{iree.compiler}' for --parameters")
    passes = (
        "builtin.module(iree-flow-outline-constants,iree-io-export-parameters"
        f"{{path={scope}={archive} minimum-size={request.parameters_minimum}}},"
        "iree-util-fold-globals)"
    )
    _print_generic([iree.optimizer, module, f"--pass-pipeline={passes}"], output)


def _is_preprocessed(source: Path) -> bool:
    """Whether `source` is a generic program that IREE has taken this far before."""
    with source.open("rb") as file:
        return file.read(16) == b'"builtin.module"' and b'"hal.tensor.import"' in file.read()


def _preprocess(iree: Installation, source: Path, request: Request, folder: Path) -> Path:
    """The program at the point where attention is still one operation."""
    output = folder / "1-preprocessed.mlir"
    if _is_preprocessed(source):
        return source
    command = [iree.compiler, source, *_flags_for_iree(request), "--compile-to=preprocessing"]
    if request.parameters:
        module = folder / "1-preprocessed.mlirbc"
        _call([*command, "--emit-mlir-bytecode", "-o", module])
        _export_parameters(iree, module, request, output)
    else:
        _print_generic(command, output)
    with output.open() as text:
        first = text.readline()
    if not first.startswith('"builtin.module"('):
        raise IreeError(
            f"expected IREE {iree.version} to print a module in the generic form, "
            f"found '{first.strip()[:80]}': another form of its dialects"
        )
    return output


def compile_module(iree: Installation, request: Request, folder: Path) -> str:
    """Writes `request.output`, a .vmfb; intermediate programs lie in `folder`.

    Returns the report of sparse-attn-compile. Raises IreeError for what IREE
    refuses and tools.ToolError for what sparse-attn-compile refuses."""
    source = inputs.prepare(iree, request.source, folder)
    preprocessed = _preprocess(iree, source, request, folder)
    with_kernels = folder / "2-kernels.mlir"
    done = subprocess.run(
        [tools.tool("sparse-attn-compile"), preprocessed, "--emit=iree", *request.own_flags,
         "-o", with_kernels], capture_output=True, text=True)  # fmt: skip
    if done.returncode:
        raise tools.ToolError(["sparse-attn-compile"], done.returncode, done.stderr.strip())
    sys.stderr.write("".join(
        line for line in done.stderr.splitlines(keepends=True) if line.startswith("warning:")
    ))  # fmt: skip
    _call(
        [iree.compiler, with_kernels, *_flags_for_iree(request), "--compile-from=preprocessing",
         "-o", request.output],
        hint=f"\nnote: the program came from sparse-attn-compile --emit=iree, which was tested "
             f"with IREE {', '.join(TESTED)}; this is {iree.version}")  # fmt: skip
    return done.stdout


EPILOG = """Other flags go to iree-compile; write their values after '='.

examples:
  sparse-attn-iree-compile model.mlir -o model.vmfb
  sparse-attn-iree-compile model.onnx --target=sm_80,sm_89 --filter=recall:0.95 -o model.vmfb
  sparse-attn-iree-compile model.mlir --parameters=model=weights.irpa -o model.vmfb
  iree-run-module --device=cuda --module=model.vmfb --parameters=model=weights.irpa ...
"""


def parse(arguments: list) -> tuple:
    """The command line as (Request, other options)."""
    parser = argparse.ArgumentParser(
        prog="sparse-attn-iree-compile", description=__doc__, epilog=EPILOG, allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("input", type=Path, help=".mlir (torch, StableHLO, linalg) or .onnx")
    parser.add_argument("-o", dest="output", type=Path, help="the .vmfb (default INPUT.vmfb)")
    for name in OURS:
        parser.add_argument(f"--{name}", metavar="X", help="as of sparse-attn-compile")
    parser.add_argument("--parameters", metavar="SCOPE=FILE.irpa",
                        help="write large constants to an archive, not into the program")  # fmt: skip
    parser.add_argument("--parameters-minimum", type=int, default=1 << 16, metavar="BYTES",
                        help="smaller constants stay (default 65536)")  # fmt: skip
    parser.add_argument("--iree", type=Path, metavar="DIR",
                        help="folder of IREE's tools (default: this Python's, then PATH)")  # fmt: skip
    parser.add_argument("--allow-untested-iree", action="store_true",
                        help="go on with another version of IREE")  # fmt: skip
    parser.add_argument("--keep", type=Path, metavar="DIR",
                        help="write intermediate programs there")  # fmt: skip
    options, rest = parser.parse_known_args(arguments)
    for flag in rest:
        if not re.match(r"--?[a-z]", flag):
            parser.error(f"expected one input, and flags as --name=value, found '{flag}'")
    own = [f"--{name}={value}" for name in OURS
           if (value := getattr(options, name.replace("-", "_"))) is not None]  # fmt: skip
    output = options.output or Path(options.input.stem + ".vmfb")
    request = Request(options.input, output, own, rest, options.parameters,
                      options.parameters_minimum)  # fmt: skip
    return request, options


def main() -> int:
    request, options = parse(sys.argv[1:])
    iree = find(options.iree, options.allow_untested_iree)
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
        report = compile_module(iree, request, options.keep)
    else:
        with tempfile.TemporaryDirectory() as folder:
            report = compile_module(iree, request, Path(folder))
    sys.stdout.write(report)
    return 0


def run() -> None:
    """The entry point: 0, or 1 with one error, or 2 for a bug of ours."""
    try:
        sys.exit(main())
    except tools.ToolError as error:
        print(error.message, file=sys.stderr)
        sys.exit(error.status)
    except (IreeError, FileNotFoundError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    run()
