#!/usr/bin/env python3
# ===- iree_torch_models.py - Models of PyTorch through IREE ----------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Exports models of Hugging Face's transformers from PyTorch, compiles them for CUDA
with our kernels, and compares what the programs compute with PyTorch: ViT; Llama
with fewer key heads, reading a prompt and then stepping with a cache of fixed size;
GPT-2 stepping with a cache that grows; BERT on padded texts. The models are small and
their weights drawn at random.

Runs on the stand-in for the CUDA driver; --gpu takes a GPU. Needs PyTorch
(`pip install torch transformers iree-turbine`), IREE 3.13 (docs/Iree.md) and the
package safetensors."""

from functools import partial

import iree.turbine.aot as aot
import numpy as np
import torch
from transformers import (
    BertConfig, BertModel, DynamicCache, GPT2Config, GPT2LMHeadModel, LlamaConfig,
    LlamaForCausalLM, StaticCache, ViTConfig, ViTModel,
)  # fmt: skip

import whole_models
from whole_models import LAYERS, Model, draw_weights, tools

WIDTH, HEADS, SIZE, WORDS = 64, 2, 32, 96
COMMON = {"hidden_size": WIDTH, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS,
          "intermediate_size": 2 * WIDTH, "attn_implementation": "sdpa"}  # fmt: skip


class Vision(torch.nn.Module):
    """An image to the features of its patches and of the class token."""

    def __init__(self):
        super().__init__()
        config = ViTConfig(**COMMON, image_size=32, patch_size=4)
        self.model = ViTModel(config, add_pooling_layer=False)

    def forward(self, image):
        return self.model(image).last_hidden_state


class Llama(torch.nn.Module):
    """Two query heads for each key head."""

    def __init__(self):
        super().__init__()
        self.config = LlamaConfig(**COMMON | {"num_attention_heads": 2 * HEADS}, head_dim=SIZE,
                                  num_key_value_heads=HEADS, vocab_size=WORDS,
                                  max_position_embeddings=128)  # fmt: skip
        self.model = LlamaForCausalLM(self.config)


class LlamaPrompt(Llama):
    """Tokens to logits."""

    def forward(self, tokens):
        return self.model(tokens, use_cache=False).logits


class LlamaStep(Llama):
    """A token at `position`, and each layer's keys and values [1, heads, n, size], to
    logits and the keys and values with the token's own."""

    def forward(self, token, position, *cached):
        cache = StaticCache(self.config, max_cache_len=cached[0].shape[2])
        cache.early_initialization(1, HEADS, SIZE, cached[0].dtype, token.device)
        for layer, key, value in zip(cache.layers, cached[::2], cached[1::2]):
            layer.keys, layer.values = key.clone(), value.clone()
            layer.cumulative_length = position.clone()
        logits = self.model(token, past_key_values=cache).logits
        return logits, *arrays_of(cache)


class Gpt2Step(torch.nn.Module):
    """A token, and each layer's keys and values of those before it, to logits and one
    more of each."""

    def __init__(self):
        super().__init__()
        config = GPT2Config(n_embd=WIDTH, n_layer=LAYERS, n_head=HEADS, vocab_size=WORDS,
                            n_positions=128, attn_implementation="sdpa")  # fmt: skip
        self.model = GPT2LMHeadModel(config)

    def forward(self, token, *cached):
        cache = DynamicCache(list(zip(cached[::2], cached[1::2])))
        logits = self.model(token, past_key_values=cache).logits
        return logits, *arrays_of(cache)


class Encoder(torch.nn.Module):
    """Padded texts, and 1 where a token is none of the padding, to features."""

    def __init__(self):
        super().__init__()
        config = BertConfig(**COMMON, vocab_size=WORDS, max_position_embeddings=64)
        self.model = BertModel(config, add_pooling_layer=False)

    def forward(self, tokens, seen):
        return self.model(tokens, attention_mask=seen).last_hidden_state


def arrays_of(cache) -> list:
    return [array for layer in cache.layers for array in (layer.keys, layer.values)]


def export(name: str, make, arguments: list, dynamic=None) -> Model:
    """The module's graph as iree-turbine imports it, its weights as parameters."""
    inputs = tuple(torch.from_numpy(array) for array in arguments)
    module = make().eval()
    aot.externalize_module_parameters(module, external_scope=whole_models.SCOPE)
    with torch.no_grad():
        program = torch.export.export(module, inputs, dynamic_shapes=dynamic)
        program = program.run_decompositions(aot.current_aot_decompositions())
        graph = str(aot.export(program).mlir_module)
        # Embeddings that are outputs' weights too have one of their names in the graph.
        weights = {key: torch.from_numpy(weight) for key, weight in draw_weights(graph).items()}
        module = make().eval()
        assert not module.load_state_dict(weights, strict=False).unexpected_keys
        results = module(*inputs)
    results = [results] if isinstance(results, torch.Tensor) else results
    return Model(name, graph, arguments, [result.numpy() for result in results])


def exporters() -> dict:
    generator = np.random.default_rng(5)

    def array(*shape):
        return generator.standard_normal(shape).astype("f4")

    def tokens(*shape):
        return generator.integers(0, WORDS, shape)

    def cache(tokens):
        return [array(1, HEADS, tokens, SIZE) for _ in range(2 * LAYERS)]

    grows = ({2: torch.export.Dim("past", min=2, max=127)},) * 2 * LAYERS
    padding = np.arange(64)[None] < np.array([[64], [37]])
    models = {
        "torch_vit": (Vision, [array(1, 3, 32, 32)]),
        "torch_llama_prompt": (LlamaPrompt, [tokens(1, 75)]),
        "torch_llama_step": (LlamaStep, [tokens(1, 1), np.array(52), *cache(70)]),
        "torch_gpt2_step": (Gpt2Step, [tokens(1, 1), *cache(45)], (None, grows)),
        "torch_bert": (Encoder, [tokens(2, 64), padding.astype("i8")]),
    }  # fmt: skip
    return {name: partial(export, name, *model) for name, model in models.items()}


if __name__ == "__main__":
    tools.run_main(lambda: whole_models.main(__doc__, "PyTorch", exporters()))
