#!/usr/bin/env python3
"""Google's quantizer takes a bundle: it knows tensors by their names alone.

    quantizer_test.py PROGRAM SHARED
"""
import difflib
import pathlib
import sys
import tempfile

from ai_edge_litert.interpreter import Interpreter
from ai_edge_quantizer import quantizer, recipe

from whisper_files import convert, golden, greedy, skip, window

PROGRAM, SHARED = sys.argv[1:3]
RECORDING = "harvard-16k.wav"



def quantized(*options):
    """A converted model and what the quantizer makes of it."""
    path = pathlib.Path(FOLDER.name) / "float32.tflite"
    convert(PROGRAM, "tiny.en", path, *options)
    work = quantizer.Quantizer(str(path))
    work.load_quantization_recipe(recipe.dynamic_wi8_afp32())
    work.quantize().export_model(str(path.with_name("int8.tflite")), overwrite=True)
    return path, path.with_name("int8.tflite")


def runner_of(path):
    interpreter = Interpreter(str(path), num_threads=2)
    runners = {key: interpreter.get_signature_runner(key)
               for key in interpreter.get_signature_list()}
    return lambda key, **inputs: runners[key](**inputs)


if not (pathlib.Path(SHARED) / "goldens").exists():
    skip("no goldens beside the checkout")
FOLDER = tempfile.TemporaryDirectory(prefix="whisper-s4y-test.")
expected = golden(SHARED, "tiny.en", RECORDING)[0]["tokens"]

part, smaller = quantized("--part", "pcm-encoder")
sizes = [path.stat().st_size for path in (part, smaller)]
print("encoder:", sizes)
assert sizes[1] < 0.4 * sizes[0], sizes

_, bundle = quantized("--for", "web")
tokens = greedy(runner_of(bundle), window(SHARED, RECORDING), expected[:2])
alike = difflib.SequenceMatcher(None, tokens, expected, autojunk=False).ratio()
print(f"bundle: {alike:.2f} of the tokens are those of float32")
assert alike > 0.75, (tokens, expected)  # its int8 mishears "glue the sheet", ours does not
