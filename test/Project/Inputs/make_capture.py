# ===- make_capture.py - A small file of captured attention ----------------===#
#
# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""usage: make_capture.py FILE.safetensors [ORDER]

Two heads on a grid of 8x8x8 whose attention falls off with the distance on the
grid: queries and keys are random waves of the token's place."""

import sys

import numpy as np
from safetensors.numpy import save_file

random = np.random.default_rng(1)
place = np.stack(np.unravel_index(np.arange(512), (8, 8, 8)), axis=-1)
wave = place @ random.normal(scale=0.4, size=(2, 3, 16))
features = np.concatenate([np.cos(wave), np.sin(wave)], axis=-1).astype(np.float16)
metadata = {"grid": "8x8x8", "order": (sys.argv + ["raster"])[2], "heads": "0.0,0.1", "time": "0.5", "clip": "waves"}
save_file({"query": 4 * features, "key": 2 * features, "value": features}, sys.argv[1], metadata)
