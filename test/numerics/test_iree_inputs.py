# ===- test_iree_inputs.py - What IREE does not import, and errors --------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Models that stock IREE 3.13 refuses get through in other words, which mean the
same; what cannot get through ends in one error."""

import json
import os
import subprocess

import numpy as np
import pytest

import programs
from sparse_attn import tools
from sparse_attn.iree import text_forms

FLEX_GQA = """module {
  func.func private @score(%s: !torch.vtensor<[],f16>, %b: !torch.vtensor<[],si32>, %h: !torch.vtensor<[],si32>, %q: !torch.vtensor<[],si32>, %k: !torch.vtensor<[],si32>) -> !torch.vtensor<[],f16> {
    return %s : !torch.vtensor<[],f16>
  }
  func.func private @mask(%b: !torch.vtensor<[],si32>, %h: !torch.vtensor<[],si32>, %q: !torch.vtensor<[],si32>, %k: !torch.vtensor<[],si32>) -> !torch.vtensor<[],i1> {
    %0 = torch.aten.ge.Tensor %q, %k : !torch.vtensor<[],si32>, !torch.vtensor<[],si32> -> !torch.vtensor<[],i1>
    return %0 : !torch.vtensor<[],i1>
  }
  func.func @flex(%q: !torch.vtensor<[1,4,64,32],f16>, %k: !torch.vtensor<[1,2,64,32],f16>, %v: !torch.vtensor<[1,2,64,32],f16>) -> !torch.vtensor<[1,4,64,32],f16> {
    %scale = torch.constant.float 0.125
    %false = torch.constant.bool false
    %o, %lse, %max = torch.hop_flex_attention %q, %k, %v, %scale, %false, %false {mask_mod_fn = @mask, score_mod_fn = @score} : !torch.vtensor<[1,4,64,32],f16>, !torch.vtensor<[1,2,64,32],f16>, !torch.vtensor<[1,2,64,32],f16>, !torch.float, !torch.bool, !torch.bool -> !torch.vtensor<[1,4,64,32],f16>, !torch.vtensor<[1,4,64],f32>, !torch.vtensor<[1,4,64],f32>
    return %o : !torch.vtensor<[1,4,64,32],f16>
  }
}
"""  # noqa: E501

DOT = """func.func @dot(%a: tensor<2x32x32xbf16>, %b: tensor<2x32x32xbf16>) -> tensor<2x32x32xf32> {
  %0 = stablehlo.dot_general %a, %b, batching_dims = [0] x [0], contracting_dims = [2] x [1], precision = [DEFAULT, DEFAULT], algorithm = <lhs_precision_type = bf16, rhs_precision_type = bf16, accumulation_type = f32, lhs_component_count = 1, rhs_component_count = 1, num_primitive_operations = 1, allow_imprecise_accumulation = false> : (tensor<2x32x32xbf16>, tensor<2x32x32xbf16>) -> tensor<2x32x32xf32>
  return %0 : tensor<2x32x32xf32>
}
"""  # noqa: E501

# A unit dimension comes, a broadcast of a broadcast, and the dimension goes.
DYNAMIC = """func.func @dynamic(%n: tensor<i32>, %a: tensor<2x?xf32>) -> tensor<2x?xf32> {
  %two = stablehlo.constant dense<2> : tensor<1xi32>
  %one = stablehlo.constant dense<1> : tensor<1xi32>
  %three = stablehlo.constant dense<3> : tensor<1xi32>
  %0 = stablehlo.reshape %n : (tensor<i32>) -> tensor<1xi32>
  %1 = stablehlo.concatenate %two, %0, %one, dim = 0 : (tensor<1xi32>, tensor<1xi32>, tensor<1xi32>) -> tensor<3xi32>
  %2 = stablehlo.dynamic_reshape %a, %1 : (tensor<2x?xf32>, tensor<3xi32>) -> tensor<2x?x1xf32>
  %3 = stablehlo.concatenate %two, %0, %three, dim = 0 : (tensor<1xi32>, tensor<1xi32>, tensor<1xi32>) -> tensor<3xi32>
  %4 = stablehlo.dynamic_broadcast_in_dim %2, %3, dims = [0, 1, 2] : (tensor<2x?x1xf32>, tensor<3xi32>) -> tensor<2x?x3xf32>
  %5 = stablehlo.slice %4 [0:2, 0:2, 1:2] : (tensor<2x?x3xf32>) -> tensor<2x2x1xf32>
  %6 = stablehlo.add %2, %2 : tensor<2x?x1xf32>
  %7 = stablehlo.concatenate %two, %0, dim = 0 : (tensor<1xi32>, tensor<1xi32>) -> tensor<2xi32>
  %8 = stablehlo.dynamic_reshape %6, %7 : (tensor<2x?x1xf32>, tensor<2xi32>) -> tensor<2x?xf32>
  return %8 : tensor<2x?xf32>
}
"""  # noqa: E501

BITWISE = """func.func @bitwise(%a: !torch.vtensor<[2,8],KIND>, %b: !torch.vtensor<[8],KIND>) -> !torch.vtensor<[2,8],KIND> {
  %0 = OPERATION : TYPES -> !torch.vtensor<[2,8],KIND>
  return %0 : !torch.vtensor<[2,8],KIND>
}
"""  # noqa: E501

DIFF = """func.func @diff(%before: !torch.vtensor<[1,3],KIND>, %a: !torch.vtensor<SHAPE,KIND>, %after: !torch.vtensor<[2,2],KIND>) -> !torch.vtensor<RESULT,KIND> {
  %int1 = torch.constant.int 1
  %int-1_0 = torch.constant.int DIM
  %none = torch.constant.none
  %0 = torch.operator "torch.aten.diff"(%a, %int1, %int-1_0, BEFORE, AFTER) : (!torch.vtensor<SHAPE,KIND>, !torch.int, !torch.int, TYPES) -> !torch.vtensor<RESULT,KIND> 
  return %0 : !torch.vtensor<RESULT,KIND>
}
"""  # noqa: E501, W291
# Extents of the operand and of the result, the dimension, what is before and after.
DIFFS = {
    "alone": ("[2,5]", "[2,4]", -1, None, None),
    "before": ("[4,3]", "[4,3]", 0, "before", None),
    "after": ("[2,5]", "[2,6]", 1, None, "after"),
    "dynamic": ("[?,3]", "[?,3]", -2, "before", None),
    "all": ("[1,2]", "[3,2]", 0, "a", "after"),
}


def replace_all(text, **words):
    for word, new in words.items():
        text = text.replace(word, new)
    return text


def diff_text(name, kind="si64"):
    shape, result, dim, before, after = DIFFS[name]
    shapes = {"before": "[1,3]", "a": shape, "after": "[2,2]"}
    types = [f"!torch.vtensor<{shapes[x]},{kind}>" if x else "!torch.none" for x in (before, after)]
    return replace_all(
        DIFF, SHAPE=shape, RESULT=result, TYPES=", ".join(types), KIND=kind, DIM=str(dim),
        BEFORE=f"%{before or 'none'}", AFTER=f"%{after or 'none'}",
    )  # fmt: skip


def stock_refuses(source, folder):
    command = [programs.installation().compiler, source, "--iree-hal-target-device=cuda",
               "--iree-cuda-target=sm_80", "-o", folder / "stock.vmfb"]  # fmt: skip
    return subprocess.run(command, capture_output=True).returncode != 0


def test_flex_attention_with_grouped_heads(tmp_path):
    source = tmp_path / "flex.mlir"
    source.write_text(FLEX_GQA)
    assert stock_refuses(source, tmp_path)
    program = programs.compile_ours(source, tmp_path, "--expect-attention=1")
    generator = np.random.default_rng(programs.GENERATOR_SEED)
    q, k, v = (generator.standard_normal((1, n, 64, 32)).astype("f2") for n in (4, 2, 2))
    found, log = programs.run(program, "flex", programs.save([q, k, v], tmp_path), tmp_path)
    # Keys and values are read where they are, not repeated.
    assert [line.split()[0] for line in log] == ["attention_0"]
    k, v = (np.repeat(x.astype("f8"), 2, axis=1) for x in (k, v))
    scores = q.astype("f8") @ k.swapaxes(2, 3) * 0.125
    scores = np.where(np.tril(np.ones((64, 64), bool)), scores, -np.inf)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    assert np.abs(found - weights / weights.sum(-1, keepdims=True) @ v).max() <= 4e-3


def test_algorithms_of_dot_products(tmp_path):
    source = tmp_path / "dot.mlir"
    source.write_text(DOT)
    assert stock_refuses(source, tmp_path)
    program = programs.compile_ours(source, tmp_path)
    generator = np.random.default_rng(programs.GENERATOR_SEED)
    a, b = (generator.integers(-8, 8, shape).astype("f4") for shape in [(2, 32, 32)] * 2)
    flags = programs.save([(a, "bf16"), (b, "bf16")], tmp_path)
    assert np.array_equal(programs.run(program, "dot", flags, tmp_path)[0], a @ b)


def test_dynamic_reshapes_of_unit_dimensions(tmp_path):
    source = tmp_path / "dynamic.mlir"
    source.write_text(DYNAMIC)
    assert stock_refuses(source, tmp_path)
    program = programs.compile_ours(source, tmp_path)
    a = np.arange(10, dtype="f4").reshape(2, 5)
    flags = programs.save([np.int32(5), a], tmp_path)
    assert np.array_equal(programs.run(program, "dynamic", flags, tmp_path)[0], 2 * a)


@pytest.mark.parametrize("kind", ["i1", "si32"])
@pytest.mark.parametrize("name, form", [
    ("and", "torch.aten.__and__.Tensor %a, %b : KINDS"),
    ("xor", 'torch.operator "torch.aten.__xor__.Tensor"(%a, %b) : (KINDS)'),
])  # fmt: skip
def test_bitwise_operations(name, form, kind, tmp_path):
    source = tmp_path / "bitwise.mlir"
    kinds = f"!torch.vtensor<[2,8],{kind}>, !torch.vtensor<[8],{kind}>"
    form = form.replace("KINDS", kinds)
    source.write_text(replace_all(BITWISE, **{"OPERATION : TYPES": form, "KIND": kind}))
    assert stock_refuses(source, tmp_path)
    program = programs.compile_ours(source, tmp_path)
    generator = np.random.default_rng(programs.GENERATOR_SEED)
    element, limit = ("?", 2) if kind == "i1" else ("i4", 1 << 20)
    a, b = (generator.integers(0, limit, shape).astype(element) for shape in [(2, 8), 8])
    found, _ = programs.run(program, "bitwise", programs.save([a, b], tmp_path), tmp_path)
    assert np.array_equal(found, {"and": a & b, "xor": a ^ b}[name])


@pytest.mark.parametrize("name, kind", [*((name, "si64") for name in DIFFS), ("before", "f32")])
def test_differences(name, kind, tmp_path):
    source = tmp_path / "diff.mlir"
    source.write_text(diff_text(name, kind))
    assert stock_refuses(source, tmp_path)
    program = programs.compile_ours(source, tmp_path)
    shape, _, dim, before, after = DIFFS[name]
    generator = np.random.default_rng(programs.GENERATOR_SEED)
    shapes = {"before": (1, 3), "a": json.loads(shape.replace("?", "7")), "after": (2, 2)}
    arrays = {name: generator.integers(0, 99, shape).astype("f4" if kind == "f32" else "i8")
              for name, shape in shapes.items()}  # fmt: skip
    flags = programs.save(list(arrays.values()), tmp_path)
    found, _ = programs.run(program, "diff", flags, tmp_path)
    ends = {end: arrays[x] for end, x in (("prepend", before), ("append", after)) if x}
    assert np.array_equal(found, np.diff(arrays["a"], axis=dim, **ends))


@pytest.mark.parametrize("line", [
    # Not only unit dimensions differ.
    "  %2 = stablehlo.dynamic_reshape %a, %1 : (tensor<2x?xf32>, tensor<1xi32>) -> tensor<?xf32>",
    "  // algorithm = <x>",
    # As many key heads as query heads.
    FLEX_GQA.replace("[1,2,", "[1,4,"),
    # A second difference, a dimension that is not constant, booleans, types that differ.
    diff_text("alone").replace("constant.int 1", "constant.int 2"),
    diff_text("alone").replace("%int-1_0 = ", "%dim = "),
    diff_text("alone", "i1"),
    diff_text("before").replace("[1,3],si64", "[1,3],si32"),
])  # fmt: skip
def test_other_lines_stay(line):
    assert text_forms.rewrite(line) == line


# ===----------------------------------------------------------------------===#
# ONNX
# ===----------------------------------------------------------------------===#


def attention_model(shapes, mask=None, domain="", kind="Attention", **attributes):
    onnx = pytest.importorskip("onnx", reason="needs IREE's importer: onnx is not installed")
    names = ["q", "k", "v", "mask"][: len(shapes) + bool(mask)]
    kinds = [onnx.TensorProto.FLOAT] * len(shapes)
    if mask:
        shapes = [*shapes, mask[0]]
        kinds.append(mask[1])
    inputs = [onnx.helper.make_tensor_value_info(*x) for x in zip(names, kinds, shapes)]
    output = onnx.helper.make_tensor_value_info("o", onnx.TensorProto.FLOAT, None)
    if mask and domain:
        names[3:3] = ["", ""]
    node = onnx.helper.make_node(kind, names, ["o"], domain=domain, **attributes)
    opsets = [onnx.helper.make_opsetid("", 23)]
    opsets += [onnx.helper.make_opsetid(domain, 1)] if domain else []
    graph = onnx.helper.make_graph([node], "attention", inputs, [output])
    return onnx.helper.make_model(graph, opset_imports=opsets, ir_version=10)


HEADS = [(2, 4, 6, 8), (2, 4, 10, 8), (2, 4, 10, 8)]
GROUPED = [(2, 4, 6, 8), (2, 2, 10, 8), (2, 2, 10, 8)]
FLAT = [(2, 6, 32), (2, 10, 16), (2, 10, 24)]
MODELS = {
    "plain": (HEADS, None, {}),
    "scale": (HEADS, None, {"scale": 0.7}),
    "causal": (HEADS, None, {"is_causal": 1}),
    "grouped": (GROUPED, None, {}),
    "boolean": (HEADS, ((6, 10), 9), {}),
    "additive": (HEADS, ((2, 1, 6, 10), 1), {"is_causal": 1}),
    "flat": (FLAT, None, {"q_num_heads": 4, "kv_num_heads": 2}),
    # Left to the function of the standard.
    "softcap": (HEADS, None, {"softcap": 2.0}),
}


@pytest.mark.parametrize("name", MODELS)
def test_expanded_attention_means_the_same(name):
    shapes, mask, attributes = MODELS[name]
    model = attention_model(shapes, mask, **attributes)
    from onnx.reference import ReferenceEvaluator
    from sparse_attn.iree import onnx_attention

    expanded = onnx_attention.expand(model)
    assert not [n for n in expanded.graph.node if n.op_type == "Attention"]
    generator = np.random.default_rng(programs.GENERATOR_SEED)
    values = {n: generator.standard_normal(s).astype("f4") for n, s in zip("qkv", shapes)}
    if mask and mask[1] == 9:
        values["mask"] = generator.random(mask[0]) < 0.7
    elif mask:
        values["mask"] = generator.standard_normal(mask[0]).astype("f4")
    (expected,) = ReferenceEvaluator(model).run(None, values)
    (found,) = ReferenceEvaluator(expanded).run(None, values)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= 1e-6


def test_multi_head_attention_of_microsoft():
    """The formula in its documentation; the reference evaluator lacks it."""
    model = attention_model([(2, 6, 32), (2, 10, 32), (2, 10, 32)], ((2, 1, 6, 10), 1),
                            "com.microsoft", "MultiHeadAttention", num_heads=4)  # fmt: skip
    from onnx.reference import ReferenceEvaluator
    from sparse_attn.iree import onnx_attention

    expanded = onnx_attention.expand(model)
    generator = np.random.default_rng(programs.GENERATOR_SEED)
    q, k, v = (generator.standard_normal((2, n, 32)).astype("f4") for n in (6, 10, 10))
    bias = generator.standard_normal((2, 1, 6, 10)).astype("f4")
    (found,) = ReferenceEvaluator(expanded).run(None, {"q": q, "k": k, "v": v, "mask": bias})
    q, k, v = (x.reshape(2, -1, 4, 8).swapaxes(1, 2).astype("f8") for x in (q, k, v))
    weights = np.exp(q @ k.swapaxes(2, 3) * 8**-0.5 + bias)
    expected = (weights / weights.sum(-1, keepdims=True) @ v).swapaxes(1, 2).reshape(2, 6, 32)
    assert np.abs(found - expected).max() <= 1e-6


@pytest.mark.parametrize("imported", [False, True])
def test_onnx_attention_runs_in_our_kernel(imported, tmp_path):
    """From the .onnx file, and from the MLIR that IREE's importer makes of it."""
    shapes = [(1, 2, 64, 32)] * 3
    model = attention_model(shapes, is_causal=1)
    import onnx.reference

    model.graph.output[0].CopyFrom(
        onnx.helper.make_tensor_value_info("o", onnx.TensorProto.FLOAT, shapes[0]))  # fmt: skip
    source = tmp_path / "attention.onnx"
    onnx.save(model, str(source))
    if imported:
        importer = programs.installation().importer
        subprocess.run([importer, source, "-o", tmp_path / "attention.mlir"], check=True)
        source = tmp_path / "attention.mlir"
        assert stock_refuses(source, tmp_path)
    program = programs.compile_ours(source, tmp_path, "--expect-attention=1")
    generator = np.random.default_rng(programs.GENERATOR_SEED)
    q, k, v = (generator.standard_normal(shape).astype("f4") for shape in shapes)
    found, log = programs.run(program, "attention", programs.save([q, k, v], tmp_path), tmp_path)
    assert [line for line in log if line.startswith("attention_0 ")], log
    (expected,) = onnx.reference.ReferenceEvaluator(model).run(None, {"q": q, "k": k, "v": v})
    assert np.abs(found - expected).max() <= 1e-5


def test_other_forms_in_mlir_are_named(tmp_path):
    source = tmp_path / "attention.mlir"
    kind = "!torch.vtensor<[1,2,64,32],f32>"
    source.write_text(f"""module {{
  func.func @f(%q: {kind}) -> {kind} attributes {{torch.onnx_meta.opset_version = 23 : si64}} {{
    %none = torch.constant.none
    %0 = torch.operator "onnx.Attention"(%q, %q, %q, %none) : ({kind}, {kind}, {kind}, !torch.none) -> {kind}
    return %0 : {kind}
  }}
}}
""")  # noqa: E501
    with pytest.raises(programs.IreeError, match="has onnx.Attention in a form that is not expand"):
        programs.compile_ours(source, tmp_path)


# ===----------------------------------------------------------------------===#
# Errors
# ===----------------------------------------------------------------------===#


def call(*arguments, **environment):
    """Exit status and the line of standard error that is one."""
    command = [tools.tool("sparse-attn-iree-compile"), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment})
    lines = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    return done.returncode, lines[0] if len(lines) == 1 else done.stderr


def fake_iree(folder, version, dump=""):
    """A folder with an iree-compile that says it is `version` and prints `dump`."""
    program = folder / "iree-compile"
    program.write_text(
        f"#!/bin/sh\ncase $1 in --version) echo '  IREE compiler version {version} @ 0';;\n"
        f"*) while [ \"$1\" != -o ]; do shift; done; echo '{dump}' > $2;; esac\n"
    )
    program.chmod(0o755)
    return folder


MODULE = "module {}\n"


def test_other_versions_are_refused(tmp_path):
    source = tmp_path / "m.mlir"
    source.write_text(MODULE)
    status, line = call(source, f"--iree={fake_iree(tmp_path, '3.12.0rc1')}")
    assert status == 1
    assert line.startswith("error: expected IREE 3.13, found 3.12.0rc1 at ")
    status, line = call(source, f"--iree={fake_iree(tmp_path, '3.130.0')}")
    assert status == 1 and "found 3.130.0" in line


def test_another_form_of_the_dialects_is_refused(tmp_path):
    source = tmp_path / "m.mlir"
    source.write_text(MODULE)
    folder = fake_iree(tmp_path, "3.14.0", "module {")
    status, line = call(source, f"--iree={folder}", "--allow-untested-iree")
    assert status == 1
    assert line.startswith("error: expected IREE 3.14.0 to print a module in the generic form, ")


def test_iree_that_is_not_there(tmp_path):
    source = tmp_path / "m.mlir"
    source.write_text(MODULE)
    status, line = call(source, SPARSE_ATTN_IREE=str(tmp_path))
    assert status == 1
    assert line.startswith(f"error: expected iree-compile in '{tmp_path}': pip install")


@pytest.mark.parametrize("flags, complaint", [
    (["missing.mlir"], "error: expected a model at 'missing.mlir', found no file"),
    (["m.mlir", "--compile-to=flow"], "error: expected no --compile-to: the bridge sets it"),
    (["m.mlir", "--iree-hal-target-device=local"],
     "error: expected --iree-hal-target-device=cuda, found 'local'"),
    (["m.mlir", "--target=sm_12"], "error: expected one of the targets sm_80, sm_86, sm_89"),
    (["m.mlir", "--parameters=weights"],
     "error: expected --parameters=SCOPE=FILE.irpa, found 'weights'"),
    (["m.mlir", "--iree-frobnicate=1"], "error: iree-compile: "),
    (["syntax.mlir"], "error: iree-compile: syntax.mlir:1:"),
    (["m.mlir", "--expect-attention=1"], "error: expected 1 attentions, found 0"),
])  # fmt: skip
def test_errors(flags, complaint, tmp_path, monkeypatch):
    programs.installation()
    (tmp_path / "m.mlir").write_text(MODULE)
    (tmp_path / "syntax.mlir").write_text("module { frobnicate }\n")
    monkeypatch.chdir(tmp_path)
    status, line = call(*flags, "--ptxas=none")
    assert status == 1
    assert line.startswith(complaint)
    assert not (tmp_path / "m.vmfb").exists()
