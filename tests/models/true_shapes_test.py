#!/usr/bin/env python3
"""Models of every kind of shape in small, against NumPy: features, encoder and logits in our runtime
and in ai-edge-litert, and the whole program on them.

    true_shapes_test.py PROGRAM RUN_WINDOW [unittest options]

bench/sizes.py does the same at full size.
"""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from interpreter_steps import logits_after
from numpy_whisper import NumpyWhisper, relative
from true_shapes import SMALL, write_checkpoint

PROGRAM, RUN_WINDOW = sys.argv[1:3]
# Of the root mean square. Half floats keep the checkpoint's numbers exactly where the scale of
# attention is a power of two, as in all published models.
BOUNDS = {"none": 2e-5, "fp16": 2e-5, "int8": 0.1, "mixed": 0.3}
# Our kernels take halves times integers of 14 bits, whose rounding is that of the halves themselves.
OUR_BOUNDS = BOUNDS | {"fp16": 2e-3}
TOKENS = [258, 11, 1700, 0, 77, 1776]


def in_our_runtime(model, folder, tokens):
    """{name: array} of what run_window writes."""
    folder = pathlib.Path(folder)
    subprocess.run([RUN_WINDOW, model, folder, *map(str, tokens)], check=True)
    return {path.stem: np.load(path) for path in folder.glob("*.npy")}


def in_ai_edge_litert(model, audio, tokens):
    """The same from Python's interpreter."""
    interpreter = Interpreter(str(model), num_threads=2)
    run = lambda key, **inputs: interpreter.get_signature_runner(key)(**inputs)
    logmel = run("features", normalized_audio=audio)["logmel"]
    hidden = run("encode", input_features=logmel)["last_hidden_state"]
    return {"logmel": logmel[0], "last_hidden_state": hidden[0],
            "logits": logits_after(interpreter, hidden, tokens)}


class TrueShapes(unittest.TestCase):
    def check(self, name, *formats):
        with tempfile.TemporaryDirectory(prefix="whisper-s4y-test.") as temporary:
            folder = pathlib.Path(temporary)
            write_checkpoint(SMALL[name], folder / "checkpoint")
            reference = NumpyWhisper(folder / "checkpoint")
            for quantize in formats:
                with self.subTest(quantize):
                    model = folder / "model.tflite"
                    subprocess.run([PROGRAM, "convert", folder / "checkpoint", "-o", model, "-q",
                                    "--quantize", quantize], check=True)
                    ours = in_our_runtime(model, folder, TOKENS)
                    hidden = reference.encode(ours["logmel"])
                    expected = {"last_hidden_state": hidden,
                                "logits": reference.logits(hidden, TOKENS)}
                    theirs = in_ai_edge_litert(model, ours["normalized_audio"], TOKENS)
                    for part, values in expected.items():
                        self.assertLess(relative(ours[part], values), OUR_BOUNDS[quantize], part)
                        self.assertLess(relative(theirs[part], values), BOUNDS[quantize], part)
                    self.assertLess(relative(theirs["logmel"], ours["logmel"]), 1e-6)
                    self.transcribe(model, folder)

    def transcribe(self, model, folder):
        """Random weights say nothing, but whatever they say is a transcript."""
        result = subprocess.run(
            [PROGRAM, "transcribe", model, "-", "--pcm-rate", "16000", "--pcm-format", "f32le",
             "--no-cache", "-q", "-f", "json", "--temperature-increment-on-fallback", "0",
             "--max-new-tokens", "20"],
            input=np.load(folder / "normalized_audio.npy").tobytes(), check=True,
            stdout=subprocess.PIPE)
        self.assertIn("segments", json.loads(result.stdout))

    def test_distil(self):
        self.check("distil", "none", "fp16", "mixed")

    def test_turbo(self):
        self.check("turbo", "fp16", "int8")

    def test_one_layer(self):
        self.check("one-layer", "none")

    def test_width_without_blocks(self):
        self.check("width-40", "none", "int8")

    def test_changed_vocabulary(self):
        self.check("changed-vocabulary", "none", "int8")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:], verbosity=2)
