#!/usr/bin/env python3
"""What ggml itself quantises, in every block format, is read as ggml reads it: bit by bit.

    ggml_blocks_test.py PROGRAM
"""
import itertools
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "models"))
from ggml_file import BLOCK_TYPES, GgmlFile, dequantise, quantise  # noqa: E402
from true_shapes import Shape, write_checkpoint  # noqa: E402

PROGRAM = sys.argv[1]


def export(source, folder):
    """The checkpoint as a ggml file."""
    subprocess.run([PROGRAM, "export", source, "-o", folder, "--format", "ggml", "-q"], check=True)
    (path,) = folder.glob("*.bin")
    return GgmlFile(path)


with tempfile.TemporaryDirectory(prefix="whisper-s4y-test.") as temporary:
    folder = pathlib.Path(temporary)
    write_checkpoint(Shape(256, 4, 1, 1), folder / "checkpoint", "float32")
    original = export(folder / "checkpoint", folder / "original")
    (folder / "quantised.bin").write_bytes(original.quantised(list(BLOCK_TYPES)))
    read = export(folder / "quantised.bin", folder / "read")
    types = itertools.cycle(BLOCK_TYPES)
    checked = set()
    for name, tensor in original.tensors.items():
        expected = tensor.numbers()
        if tensor.is_quantisable():
            block_type = next(types)
            expected = dequantise(block_type, quantise(block_type, expected), tensor.shape)
            checked.add(block_type)
        if not np.array_equal(read.tensors[name].numbers(), expected):
            difference = np.abs(read.tensors[name].numbers() - expected).max()
            sys.exit(f"{name} differs from what ggml reads by up to {difference}")
    if checked != set(BLOCK_TYPES):
        sys.exit(f"only {checked} were checked")
