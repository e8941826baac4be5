# ===- text_forms.py - Models in words that IREE understands ----------------- ---===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Rewrites operations of StableHLO and torch, line by line, that IREE 3.13
refuses, into others that mean the same. What is in no such form stays.

- `stablehlo.dot_general`: `algorithm = <...>` goes (JAX's f16 and bf16 attention).
- `stablehlo.dynamic_reshape` that adds or drops dimensions of 1 becomes a
  broadcast or a reduction (JAX's symbolic shapes).
- `stablehlo.dynamic_broadcast_in_dim` is told that unknown sizes do not expand,
  which holds for what JAX writes.
- `torch.hop_flex_attention` with fewer key than query heads gets its keys and
  values repeated (`enable_gqa`), which raising finds and takes back.
- `torch.aten.__and__.Tensor` and `__xor__` become `bitwise_and` and `bitwise_xor`, of
  which they are other names.
- `torch.aten.diff` of first order becomes a difference of two slices."""

from __future__ import annotations

import re
from typing import Optional

_ALGORITHM = re.compile(r", algorithm = <[^<>]*>")
_RESHAPE = re.compile(
    r"(?P<indent>\s*)(?P<result>%\w+) = stablehlo\.dynamic_reshape (?P<source>%\w+), (?P<sizes>%\w+)"
    r" : \((?P<from>tensor<[^<>]*>), (?P<index>tensor<[^<>]*>)\) -> (?P<to>tensor<[^<>]*>)"
)
_BROADCAST = re.compile(
    r"(?P<indent>\s*)(?P<result>%\w+) = stablehlo\.dynamic_broadcast_in_dim (?P<source>%\w+), "
    r"(?P<sizes>%\w+), dims = \[(?P<dims>[0-9, ]*)\] : "
    r"\((?P<from>tensor<[^<>]*>), (?P<index>tensor<[^<>]*>)\) -> (?P<to>tensor<[^<>]*>)"
)
_FLEX = re.compile(
    r"(?P<indent>\s*).* = torch\.hop_flex_attention %\w+, (?P<key>%\w+), (?P<value>%\w+),.* : "
    r"(?P<query_type>!torch\.vtensor<[^<>]*>), (?P<key_type>!torch\.vtensor<[^<>]*>), "
    r"(?P<value_type>!torch\.vtensor<[^<>]*>),"
)
_CONSTANT = re.compile(r"\s*(%[^\s:]+) = torch\.constant\.int (-?\d+)\b.*")
_AND = re.compile(r"(?P<start>\s*%[^\s:]+ = torch\.aten\.)__and__(?P<rest>\.Tensor .*)")
_XOR = re.compile(
    r'(?P<start>\s*%[^\s:]+ = torch\.)operator "torch\.aten\.__xor__\.Tensor"'
    r"\((?P<operands>[^()]*)\) : \((?P<types>[^()]*)\)(?P<rest> -> .*)"
)
_DIFF = re.compile(
    r'(?P<indent>\s*)(?P<result>%[^\s:]+) = torch\.operator "torch\.aten\.diff"'
    r"\((?P<operands>[^()]*)\) : \((?P<types>[^()]*)\) -> (?P<to>!torch\.vtensor<[^<>]*>)\s*"
)
_VTENSOR = re.compile(r"!torch\.vtensor<\[([^\[\]]+)\],(\w+)>")
# Where a slice in torch ends that goes to the end.
_END = 2**63 - 1


def rewrite(text: str) -> str:
    """`text` with the lines rewritten that IREE would refuse."""
    if "stablehlo.dot_general" in text:
        text = "\n".join(
            _ALGORITHM.sub("", line) if "stablehlo.dot_general" in line else line
            for line in text.split("\n")
        )
    lines = []
    broadcasts: dict = {}
    constants: dict = {}
    for number, line in enumerate(text.split("\n")):
        new = None
        if "func.func" in line:
            broadcasts, constants = {}, {}
        elif "torch.constant.int" in line:
            if match := _CONSTANT.fullmatch(line):
                constants[match[1]] = int(match[2])
        elif "stablehlo.dynamic_reshape" in line:
            new = _reshape(line, number, broadcasts)
        elif "stablehlo.dynamic_broadcast_in_dim" in line:
            new = _broadcast(line, broadcasts)
        elif "torch.hop_flex_attention" in line:
            new = _flex(line, number)
        elif "torch.aten.__" in line:
            new = _bitwise(line)
        elif "torch.aten.diff" in line:
            new = _diff(line, number, constants)
        lines += [line] if new is None else new
    return "\n".join(lines)


def _parse_tensor(text: str) -> tuple:
    """("2", "?"), "f32" of tensor<2x?xf32>."""
    *shape, element = text[len("tensor<") : -1].split("x")
    return shape, element


def _positions(small: list, large: list) -> Optional[list]:
    """Where the dimensions of `small` are in `large`, if all others are 1."""
    found = []
    for position, extent in enumerate(large):
        if len(found) < len(small) and extent == small[len(found)]:
            found.append(position)
        elif extent != "1":
            return None
    return found if len(found) == len(small) else None


def _reshape(line: str, number: int, broadcasts: dict) -> Optional[list]:
    match = _RESHAPE.fullmatch(line)
    if not match:
        return None
    (old, element), (new, _) = _parse_tensor(match["from"]), _parse_tensor(match["to"])
    indent, result, source = match["indent"], match["result"], match["source"]
    kept = _positions(old, new)
    if kept is not None:
        return _broadcast(
            f"{indent}{result} = stablehlo.dynamic_broadcast_in_dim {source}, {match['sizes']}, "
            f"dims = {kept} : ({match['from']}, {match['index']}) -> {match['to']}",
            broadcasts,
        )
    kept = _positions(new, old)
    if kept is None:
        return None
    dropped = [position for position in range(len(old)) if position not in kept]
    zero = f"%zero_of_line_{number}"
    # A sum over one element.
    value = "false" if element == "i1" else "0.0" if "f" in element else "0"
    return [
        f"{indent}{zero} = stablehlo.constant dense<{value}> : tensor<{element}>",
        f"{indent}{result} = stablehlo.reduce({source} init: {zero}) applies stablehlo.add across "
        f"dimensions = {dropped} : ({match['from']}, tensor<{element}>) -> {match['to']}",
    ]


def _broadcast(line: str, broadcasts: dict) -> Optional[list]:
    """`broadcasts` has those before, by result: source, dims and source's type.
    A broadcast of one of them starts from its source, or IREE would merge the two
    and forget what is known of the sizes."""
    match = _BROADCAST.fullmatch(line)
    if not match:
        return None
    source, kind = match["source"], match["from"]
    dims = [int(dim) for dim in match["dims"].split(",") if dim.strip()]
    if source in broadcasts:
        source, inner, kind = broadcasts[source]
        dims = [dims[dim] for dim in inner]
    broadcasts[match["result"]] = source, dims, kind
    shape, _ = _parse_tensor(kind)
    ones = [str(position) for position, extent in enumerate(shape) if extent == "1"]
    others = [str(position) for position, extent in enumerate(shape) if extent != "1"]
    known = ", ".join(
        f"known_{name}_dimensions = array<i64: {', '.join(positions)}>"
        for name, positions in (("expanding", ones), ("nonexpanding", others))
        if positions
    )
    return [
        f"{match['indent']}{match['result']} = stablehlo.dynamic_broadcast_in_dim {source}, "
        f"{match['sizes']}, dims = {dims}{f' {{{known}}}' if known else ''} : "
        f"({kind}, {match['index']}) -> {match['to']}"
    ]


def _heads(vtensor: str) -> Optional[int]:
    """The second extent of !torch.vtensor<[b,h,s,d],f16>; none if it is dynamic."""
    extents = vtensor[vtensor.index("[") + 1 : vtensor.index("]")].split(",")
    return int(extents[1]) if len(extents) == 4 and extents[1].isdigit() else None


def _with_heads(vtensor: str, heads: int) -> str:
    head, extents, tail = re.fullmatch(r"(.*\[)(.*)(\].*)", vtensor).groups()
    batch, _, *rest = extents.split(",")
    return head + ",".join([batch, str(heads), *rest]) + tail


def _flex(line: str, number: int) -> Optional[list]:
    match = _FLEX.match(line)
    if not match:
        return None
    types = [match["query_type"], match["key_type"], match["value_type"]]
    query, key, value = map(_heads, types)
    if not query or not key or key != value or query == key or query % key:
        return None
    indent, name = match["indent"], f"of_line_{number}"
    lines = [
        f"{indent}%group_{name} = torch.constant.int {query // key}",
        f"{indent}%heads_{name} = torch.constant.int 1",
        f"{indent}%none_{name} = torch.constant.none",
    ]
    for operand, kind in (("key", types[1]), ("value", types[2])):
        lines.append(
            f"{indent}%{operand}_{name} = torch.aten.repeat_interleave.self_int {match[operand]}, "
            f"%group_{name}, %heads_{name}, %none_{name} : {kind}, !torch.int, !torch.int, "
            f"!torch.none -> {_with_heads(kind, query)}"
        )
    start, types_text = line.split(" : ", 1)
    start = start.replace(f"{match['key']}, {match['value']},", f"%key_{name}, %value_{name},", 1)
    old = ", ".join(types)
    new = ", ".join([types[0], *(_with_heads(kind, query) for kind in types[1:])])
    return [*lines, f"{start} : {types_text.replace(old, new, 1)}"]


def _bitwise(line: str) -> Optional[list]:
    if match := _AND.fullmatch(line):
        return [f"{match['start']}bitwise_and{match['rest']}"]
    if match := _XOR.fullmatch(line):
        return [f"{match['start']}aten.bitwise_xor.Tensor {match['operands']} : "
                f"{match['types']}{match['rest']}"]  # fmt: skip
    return None


def _diff(line: str, number: int, constants: dict) -> Optional[list]:
    """Elements without the first less those without the last, of what is prepended, the
    source and what is appended. `constants` has the integers before, by name."""
    match = _DIFF.fullmatch(line)
    if not match:
        return None
    operands, kinds = match["operands"].split(", "), match["types"].split(", ")
    if len(operands) != 5 or len(kinds) != 5:
        return None
    source, order, dim, before, after = zip(operands, kinds)
    parts = [part for part in (before, source, after) if part[1] != "!torch.none"]
    types = [_VTENSOR.fullmatch(kind) for _, kind in parts]
    to = _VTENSOR.fullmatch(match["to"])
    position = constants.get(dim[0])
    if constants.get(order[0]) != 1 or position is None or not to or not all(types):
        return None
    # The type of all; torch takes the difference of booleans in another way.
    elements = {kind[2] for kind in [*types, to]}
    extents = [kind[1].split(",") for kind in types]
    rank = len(to[1].split(","))
    if len(elements) > 1 or "i1" in elements or any(len(shape) != rank for shape in extents):
        return None
    if not -rank <= position < rank:
        return None
    indent, name, one = match["indent"], f"of_line_{number}", order[0]
    all_, kind = source
    lines = []
    if len(parts) > 1:
        along = [shape[position] for shape in extents]
        shape = extents[parts.index(source)]
        shape[position] = "?" if "?" in along else str(sum(map(int, along)))
        all_, kind = f"%all_{name}", f"!torch.vtensor<[{','.join(shape)}],{to[2]}>"
        names, part_kinds = (", ".join(words) for words in zip(*parts))
        lines = [
            f"{indent}%parts_{name} = torch.prim.ListConstruct {names} : ({part_kinds}) "
            "-> !torch.list<vtensor>",
            f"{indent}{all_} = torch.aten.cat %parts_{name}, {dim[0]} : "
            f"!torch.list<vtensor>, !torch.int -> {kind}",
        ]
    for bound, value in (("first", 0), ("last", -1), ("end", _END)):
        lines.append(f"{indent}%{bound}_{name} = torch.constant.int {value}")
    for half, begin, end in (("later", one, f"%end_{name}"),
                             ("earlier", f"%first_{name}", f"%last_{name}")):  # fmt: skip
        lines.append(
            f"{indent}%{half}_{name} = torch.aten.slice.Tensor {all_}, {dim[0]}, {begin}, {end}, "
            f"{one} : {kind}, !torch.int, !torch.int, !torch.int, !torch.int -> {match['to']}"
        )
    lines.append(
        f"{indent}{match['result']} = torch.aten.sub.Tensor %later_{name}, %earlier_{name}, {one} : "
        f"{match['to']}, {match['to']}, !torch.int -> {match['to']}"
    )
    return lines
