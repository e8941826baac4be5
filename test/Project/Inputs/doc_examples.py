# ===- doc_examples.py - Parses the examples of the reference pages ---------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Every operation and attribute must have an example that parses.

usage: doc_examples.py SPARSE_ATTN_OPT PAGE.md...

Examples are fragments. Values that a fragment uses without defining them
become block arguments whose types are found by asking the parser: it names
the type that each use expects.
"""

import re
import subprocess
import sys

# Operations that stand inside another one or refer to one.
CONTEXT = {
    "sparse_attn.yield": """
func.func @f(%q: tensor<8x4xf32>, %o: tensor<8x4xf32>) -> tensor<8x4xf32> {{
  %r = sparse_attn.attention
    ins(%q, %q, %q : tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>)
    outs(%o : tensor<8x4xf32>) score {{
    ^bb0(%score: f32, %query: index, %key: index):
      {example}
    }} {{indexing_maps = [affine_map<(m, n, d, k) -> (m, d)>, affine_map<(m, n, d, k) -> (k, d)>,
        affine_map<(m, n, d, k) -> (k, n)>, affine_map<(m, n, d, k) -> (m, n)>],
       scale = 1.0 : f64}} -> tensor<8x4xf32>
  return %r : tensor<8x4xf32>
}}
""",
    "sparse_attn.call_kernel": """
func.func private @attention_0(tensor<8x64x32xf16>, tensor<8x64x32xf16>, tensor<8x64x32xf16>,
                               tensor<8x64x32xf16>) -> tensor<8x64x32xf16>
func.func @f(%q: tensor<8x64x32xf16>, %k: tensor<8x64x32xf16>, %v: tensor<8x64x32xf16>,
             %init: tensor<8x64x32xf16>) {{
  {example}
  return
}}
""",
}


def parse(opt: str, text: str) -> str:
    """Runs the text through the parser and verifier; the error, or nothing."""
    done = subprocess.run([opt, "-", "-o", "/dev/null"], input=text, capture_output=True, text=True)
    return "" if done.returncode == 0 else done.stderr


def parse_fragment(opt: str, example: str) -> str:
    """Finds types for the undefined values; the last error, or nothing."""
    aliases = [line for line in example.splitlines() if re.match(r"[#!]\w+ =", line)]
    body = "\n".join(line for line in example.splitlines() if line not in aliases)
    defined = set()
    for names in re.findall(r"^\s*((?:%\w+(?::\d+)?,?\s*)+)=", body, re.M):
        defined |= set(re.findall(r"%\w+", names))
    for block in re.findall(r"\^\w+\(([^)]*)\)", body):
        defined |= set(re.findall(r"%\w+", block))
    used = dict.fromkeys(x for x in re.findall(r"%\w+", body) if x not in defined)
    types = {name: "none" for name in used}
    error = ""
    for _ in range(2 * len(types) + 1):
        arguments = ", ".join(f"{name}: {type}" for name, type in types.items())
        text = "\n".join(aliases) + f"\nfunc.func @f({arguments}) {{\n{body}\nreturn\n}}\n"
        error = parse(opt, text)
        wanted = re.search(
            r"use of value '(%\w+)' expects different type than prior uses: '(.+)' vs '(.+)'", error
        )
        if not wanted or types.get(wanted.group(1)) == wanted.group(2):
            return error
        types[wanted.group(1)] = wanted.group(2)
    return error


def check(opt: str, name: str, example: str) -> str:
    if name in CONTEXT:
        return parse(opt, CONTEXT[name].format(example=example))
    if "func.func" in example or "module" in example:
        return parse(opt, example)
    return parse_fragment(opt, example)


def sections(page: str):
    """(name, text) of every operation and attribute of a page."""
    for part in re.split(r"^### ", page, flags=re.M)[1:]:
        heading, _, text = part.partition("\n")
        operation = re.match(r"`([a-z_]+\.[a-z_]+)`", heading)
        if operation:
            yield operation.group(1), text
        elif heading.endswith(("Attr", "Type")):
            yield heading, text


def main() -> int:
    opt, *pages = sys.argv[1:]
    count = failures = 0
    for page in pages:
        with open(page, encoding="utf-8") as file:
            text = file.read()
        for name, section in sections(text):
            examples = re.findall(r"```mlir\n(.*?)```", section, re.S)
            if "." in name:
                examples = [x for x in examples if name in x]
            shown = re.search(r"^Examples?:(.*?)\n\n", section, re.S | re.M)
            inline = re.findall(r"`([^`]*)`", shown.group(1)) if shown and "." not in name else []
            if not examples and not inline:
                print(f"{name}: expected an example, found none")
                failures += 1
            for example in examples:
                count += 1
                if error := check(opt, name, example):
                    failures += 1
                    print(f"{name}: the example does not parse:\n{error}")
            for example in inline:
                count += 1
                if error := parse(opt, f"func.func private @f() attributes {{x = {example}}}"):
                    failures += 1
                    print(f"{name}: {example} does not parse:\n{error}")
    print(f"{count} examples, {failures} faults")
    return 1 if failures or not count else 0


if __name__ == "__main__":
    sys.exit(main())
