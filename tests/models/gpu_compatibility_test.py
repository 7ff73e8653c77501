#!/usr/bin/env python3
"""What TensorFlow 2.15's analyzer, the last that knows what its GPU delegate takes, says of the five
signatures of `convert --for web`:

    gpu_compatibility_test.py PROGRAM SHARED
"""
import contextlib
import io
import pathlib
import re
import sys
import tempfile

import tensorflow

from whisper_files import convert

PROGRAM = sys.argv[1]


def warnings(*options):
    """Ops that are not taken, with the reasons."""
    with tempfile.TemporaryDirectory(prefix="whisper-s4y-test.") as folder:
        path = convert(PROGRAM, "tiny.en", pathlib.Path(folder) / "model.tflite", "--for", "web", *options)
        with contextlib.redirect_stdout(io.StringIO()) as said:
            tensorflow.lite.experimental.Analyzer.analyze(model_path=path, gpu_compatibility=True)
    found = set(re.findall(r"GPU COMPATIBILITY WARNING: (?!Subgraph)(.*)", said.getvalue()))
    assert found or "looks compatible with GPU delegate" in said.getvalue(), said.getvalue()
    return found


for options, expected in {
        ("--cache-update", "blend"): set(),
        (): {"Not supported op DYNAMIC_UPDATE_SLICE"},
        # One row of the embedding; LiteRT's own GPU delegate takes the op.
        ("--cache-update", "blend", "--quantize", "int8"): {"Not supported op EMBEDDING_LOOKUP"},
}.items():
    found = warnings(*options)
    print(options, found)
    assert found == expected, (options, found)
