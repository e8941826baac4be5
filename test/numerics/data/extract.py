# Part of sparse-attn, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Cuts captured.safetensors out of a full capture (see README.md).

usage: extract.py CAPTURE.safetensors OUTPUT.safetensors
"""

import sys

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

HEADS = {"0.1": "sharp", "3.2": "local", "3.0": "mixed", "1.0": "diffuse"}
TILES = (4, 17)  # query tiles of 128 rows, one in frame 1 and one in frame 5

source, target = sys.argv[1:]
with safe_open(source, "np") as capture:
    metadata = capture.metadata()
    order = metadata["heads"].split(",")
    index = [order.index(head) for head in HEADS]
    rows = np.concatenate([np.arange(128 * t, 128 * (t + 1)) for t in TILES])
    tensors = {name: capture.get_tensor(name)[index] for name in ("query", "key", "value")}
tensors["query"] = np.ascontiguousarray(tensors["query"][:, rows])
metadata["heads"] = ",".join(HEADS)
metadata["kinds"] = ",".join(HEADS.values())
metadata["query_tiles"] = ",".join(map(str, TILES))
save_file(tensors, target, metadata)
