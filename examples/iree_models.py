#!/usr/bin/env python3
# ===- iree_models.py - Models of JAX through IREE with our kernels --------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Exports small transformers from JAX, compiles them for CUDA with our kernels, and
compares what the programs compute with JAX: a vision transformer, a step of a
decoder with a cache of keys and values, and an encoder of padded texts.

Runs on the stand-in for the CUDA driver; --gpu takes a GPU. Needs JAX
(`pip install jax`), IREE 3.13 (docs/Iree.md) and the package safetensors."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

import whole_models
from whole_models import LAYERS, Model, draw_weight, tools, weights_as_parameters

WIDTH, HEADS = 64, 2
SHAPES = {"qkv": (WIDTH, 3 * WIDTH), "out": (WIDTH, WIDTH),
          "up": (WIDTH, 2 * WIDTH), "down": (2 * WIDTH, WIDTH)}  # fmt: skip


def make_layers() -> list:
    return [
        {key: jnp.asarray(draw_weight(f"{number}.{key}", shape)) for key, shape in SHAPES.items()}
        for number in range(LAYERS)
    ]


def normalize(x):
    x = x - x.mean(-1, keepdims=True)
    return x / jnp.sqrt((x * x).mean(-1, keepdims=True) + 1e-5)


def split(x):
    """[batch, tokens, 3 * width] as query, key and value [batch, tokens, heads, size]."""
    return (part.reshape(*x.shape[:2], HEADS, WIDTH // HEADS) for part in jnp.split(x, 3, -1))


def finish(x, attended, layer):
    x = x + attended.reshape(x.shape) @ layer["out"]
    return x + jax.nn.gelu(normalize(x) @ layer["up"]) @ layer["down"]


def vision(layers, patches):
    """Patches [1, n, width] and a class token to the class token's features."""
    x = jnp.concatenate([jnp.ones((1, 1, WIDTH), jnp.float32), patches], 1)
    for layer in layers:
        query, key, value = split(normalize(x) @ layer["qkv"])
        x = finish(x, jax.nn.dot_product_attention(query, key, value), layer)
    return normalize(x)[:, 0]


def decode(layers, token, keys, values, position):
    """One token [1, 1, width] at `position`, with caches [layers, 1, n, heads, size];
    features of the token and the new caches."""
    x = token
    seen = jnp.arange(keys.shape[2])[None, None, None, :] <= position
    for number, layer in enumerate(layers):
        query, key, value = split(normalize(x) @ layer["qkv"])
        place = (number, 0, position, 0, 0)
        keys = jax.lax.dynamic_update_slice(keys, key[None], place)
        values = jax.lax.dynamic_update_slice(values, value[None], place)
        attended = jax.nn.dot_product_attention(query, keys[number], values[number], mask=seen)
        x = finish(x, attended, layer)
    return normalize(x), keys, values


def encode(layers, tokens, lengths):
    """Texts [batch, n, width] of `lengths` tokens each."""
    x = tokens
    seen = (jnp.arange(tokens.shape[1])[None] < lengths[:, None])[:, None, None]
    for layer in layers:
        query, key, value = split(normalize(x) @ layer["qkv"])
        x = finish(x, jax.nn.dot_product_attention(query, key, value, mask=seen), layer)
    return normalize(x)


def export(name: str, function, arguments: list) -> Model:
    """The function's graph, for CUDA, its layers as parameters."""
    layers, model = make_layers(), jax.jit(function)
    results = [np.asarray(result) for result in jax.tree.leaves(model(layers, *arguments))]
    text = model.trace(layers, *arguments).lower(lowering_platforms=("cuda",)).as_text()
    # JAX sorts the keys of dictionaries.
    names = [f"{number}.{key}" for number in range(LAYERS) for key in sorted(SHAPES)]
    return Model(name, weights_as_parameters(text, names), arguments, results)


def exporters() -> dict:
    generator = np.random.default_rng(3)

    def array(*shape):
        return generator.standard_normal(shape).astype("f4")

    cache = (LAYERS, 1, 70, HEADS, WIDTH // HEADS)
    models = {
        "jax_vision": (vision, [array(1, 64, WIDTH)]),
        "jax_decoder": (decode, [array(1, 1, WIDTH), array(*cache), array(*cache), np.array(52, "i4")]),
        "jax_encoder": (encode, [array(2, 64, WIDTH), np.array([64, 37], "i4")]),
    }
    return {name: partial(export, name, *model) for name, model in models.items()}


if __name__ == "__main__":
    tools.run_main(lambda: whole_models.main(__doc__, "JAX", exporters()))
