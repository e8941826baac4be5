# ===- equivalence.py - A graph computes the same before and after raising ===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
# Runs a function of a module twice on the CPU, as it is and with its attention
# raised and lowered to its reference semantics, on the same pseudo-random
# inputs, and compares the results.
#
#   equivalence.py MODULE.mlir FUNCTION TOLERANCE MLIR_LIB_DIR [SIZE...]
#
# The sizes stand for the `?` of the arguments, in order of appearance in each.
#
# ===----------------------------------------------------------------------===#

import re
import subprocess
import sys

LOWER = [
    "--convert-sparse-attn-to-linalg",
    "--one-shot-bufferize=bufferize-function-boundaries "
    "function-boundary-type-conversion=identity-layout-map",
    "--convert-linalg-to-loops",
    "--arith-emulate-unsupported-floats=source-types=bf16 target-type=f32",
    "--math-extend-to-supported-types",
    "--expand-strided-metadata",
    "--lower-affine",
    "--convert-scf-to-cf",
    "--convert-math-to-llvm",
    "--convert-math-to-libm",
    "--arith-expand=include-bf16=true",
    "--convert-arith-to-llvm",
    "--convert-index-to-llvm",
    "--finalize-memref-to-llvm",
    "--convert-func-to-llvm",
    "--convert-cf-to-llvm",
    "--reconcile-unrealized-casts",
]
RAISE = ["--convert-linalg-to-sparse-attn"]


def shape_of(tensor, sizes):
    """Sizes and element type of `tensor<..>`, with sizes for the `?`."""
    *dims, element = re.fullmatch(r"tensor<(.*)>", tensor).group(1).split("x")
    sizes = list(sizes)
    return [sizes.pop(0) if d == "?" else int(d) for d in dims], element


def loops(rank):
    dims = ", ".join(f"d{i}" for i in range(rank))
    identity = f"affine_map<({dims}) -> ({dims})>"
    return identity, ", ".join(['"parallel"'] * rank)


def argument(number, tensor, sizes):
    """Writes argument `number`: floats in (-1.5, 1.5), integers from 0 to 9, or
    three bits in four."""
    dims, element = shape_of(tensor, sizes)
    static = "tensor<" + "".join(f"{d}x" for d in dims) + element + ">"
    identity, kinds = loops(len(dims))
    text = f"""
    %e{number} = tensor.empty() : {static}
    %s{number} = linalg.generic {{indexing_maps = [{identity}], iterator_types = [{kinds}]}}
        outs(%e{number} : {static}) {{
    ^bb0(%init: {element}):
      %l0 = arith.constant {number + 1} : index
      %prime = arith.constant 7919 : index
      %modulus = arith.constant 2003 : index
"""
    for i, size in enumerate(dims):
        text += f"""      %i{i} = linalg.index {i} : index
      %size{i} = arith.constant {size} : index
      %t{i} = arith.muli %l{i}, %size{i} : index
      %l{i + 1} = arith.addi %t{i}, %i{i} : index
"""
    text += f"""      %h0 = arith.muli %l{len(dims)}, %prime : index
      %h1 = arith.remui %h0, %modulus : index
      %h2 = arith.muli %h1, %h1 : index
      %h = arith.remui %h2, %modulus : index
      %i = arith.index_cast %h : index to i32
"""
    if element == "i1":
        text += """      %limit = arith.constant 500 : i32
      %x = arith.cmpi sgt, %i, %limit : i32
"""
    elif element == "i32":
        text += """      %ten = arith.constant 10 : i32
      %x = arith.remsi %i, %ten : i32
"""
    else:
        text += """      %f = arith.sitofp %i : i32 to f32
      %scale = arith.constant 0.0015 : f32
      %shift = arith.constant 1.5 : f32
      %g = arith.mulf %f, %scale : f32
      %x32 = arith.subf %g, %shift : f32
"""
        text += (
            "      %x = arith.addf %x32, %x32 : f32\n"
            if element == "f32"
            else f"      %x = arith.truncf %x32 : f32 to {element}\n"
        )
    text += f"      linalg.yield %x : {element}\n    }} -> {static}\n"
    if static != tensor:
        text += f"    %a{number} = tensor.cast %s{number} : {static} to {tensor}\n"
        return text, f"%a{number}"
    return text, f"%s{number}"


def with_main(module, function, sizes):
    """Adds a function that calls `function` and prints its result in f32."""
    signature = re.search(
        rf"func\.func @{function}\((.*)\) -> (tensor<[^>]*>) \{{", module
    )
    arguments = re.findall(r"tensor<[^>]*>", signature.group(1))
    result = signature.group(2)
    text = "  func.func private @printMemrefF32(tensor<*xf32>) attributes {llvm.emit_c_interface}\n"
    text += "  func.func @entry() {\n"
    names = []
    for number, tensor in enumerate(arguments):
        body, name = argument(number, tensor, sizes)
        text += body
        names.append(name)
    text += f"    %r = call @{function}({', '.join(names)}) : ({', '.join(arguments)}) -> {result}\n"
    dims, element = shape_of(result, sizes)
    if "?" in result or element != "f32":
        static = "tensor<" + "".join(f"{d}x" for d in dims) + element + ">"
        wide = "tensor<" + "".join(f"{d}x" for d in dims) + "f32>"
        identity, kinds = loops(len(dims))
        source = "%r"
        if static != result:
            text += f"    %rs = tensor.cast %r : {result} to {static}\n"
            source = "%rs"
        text += f"""    %we = tensor.empty() : {wide}
    %w = linalg.generic {{indexing_maps = [{identity}, {identity}], iterator_types = [{kinds}]}}
        ins({source} : {static}) outs(%we : {wide}) {{
    ^bb0(%in: {element}, %out: f32):
      %x = arith.extf %in : {element} to f32
      linalg.yield %x : f32
    }} -> {wide}
"""
        text += f"    %u = tensor.cast %w : {wide} to tensor<*xf32>\n"
    else:
        text += f"    %u = tensor.cast %r : {result} to tensor<*xf32>\n"
    text += "    call @printMemrefF32(%u) : (tensor<*xf32>) -> ()\n    return\n  }\n"
    end = module.rindex("}") if re.search(r"^(#.*\n)*module", module) else len(module)
    return module[:end] + text + module[end:]


def call(command, text):
    done = subprocess.run(command, input=text, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"error: {command[0]} failed: {done.stderr[:2000]}")
    return done.stdout


def run(module, library_dir):
    lowered = call(["sparse-attn-opt", "-", *LOWER], module)
    libraries = ["mlir_runner_utils", "mlir_c_runner_utils", "mlir_float16_utils"]
    printed = call(
        ["mlir-runner", "-", "-e", "entry", "-entry-point-result=void"]
        + [f"--shared-libs={library_dir}/lib{name}.so" for name in libraries],
        lowered,
    )
    data = printed[printed.index("data =") + len("data =") :]
    return [float(x) for x in re.findall(r"-?(?:nan|inf|\d[\d.e+-]*)", data)]


def main():
    path, function, tolerance, library_dir, *sizes = sys.argv[1:]
    with open(path, encoding="utf-8") as file:
        module = call(["sparse-attn-opt", "-"], file.read())
    module = with_main(module, function, [int(size) for size in sizes])
    raised = call(["sparse-attn-opt", "-", *RAISE], module)
    if len(re.findall(r"sparse_attn\.attention", raised)) != 1:
        sys.exit("error: expected one attention after raising")
    expected = run(module, library_dir)
    found = run(raised, library_dir)
    if len(expected) != len(found) or not expected:
        sys.exit(f"error: {len(expected)} values before, {len(found)} after")
    worst = max(
        abs(a - b) if a == a and b == b else float("inf")
        for a, b in zip(expected, found)
    )
    spread = max(abs(a) for a in expected)
    print(f"{function}: {len(expected)} values, largest {spread:.3g}, error {worst:.3g}")
    if worst > float(tolerance) * spread or spread == 0:
        sys.exit(f"error: expected at most {tolerance} of the largest value")


if __name__ == "__main__":
    main()
