#!/usr/bin/env python3
"""Writes blocks_reference.json: random blocks of every ggml format and the numbers they stand for.

    pip install gguf==0.19.0
    tests/formats/make_blocks_reference.py > tests/formats/blocks_reference.json

The numbers come from the dequantisation of the Python package gguf, which is llama.cpp's own and
shares no code with ours.
"""
import json

import gguf
import numpy as np
from gguf import GGMLQuantizationType as T

BLOCKS = 2
# Where the float16 scales lie in a block; all other bytes may be anything.
SCALES = {
    T.Q4_0: [0], T.Q4_1: [0, 2], T.Q5_0: [0], T.Q5_1: [0, 2], T.Q8_0: [0],
    T.Q2_K: [80, 82], T.Q3_K: [108], T.Q4_K: [0, 2], T.Q5_K: [0, 2], T.Q6_K: [208],
}

random = np.random.default_rng(5)
reference = {}
for kind, offsets in SCALES.items():
    elements, size = gguf.GGML_QUANT_SIZES[kind]
    blocks = random.integers(0, 256, (BLOCKS, size), dtype=np.uint8)
    for offset in offsets:
        scale = random.uniform(-0.1, 0.1, BLOCKS).astype(np.float16)
        blocks[:, offset:offset + 2] = scale.view(np.uint8).reshape(BLOCKS, 2)
    values = gguf.dequantize(blocks, kind).reshape(-1)
    assert values.size == BLOCKS * elements
    reference[kind.name.lower()] = {"bytes": blocks.tobytes().hex(),
                                    "values": [float(v) for v in values]}
print(json.dumps(reference, separators=(",", ":")).replace("},", "},\n"))
