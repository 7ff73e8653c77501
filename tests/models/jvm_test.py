#!/usr/bin/env python3
"""examples/jvm transcribes: jvm_test.py PROGRAM SHARED"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from whisper_files import convert, golden, is_right, skip

PROGRAM, SHARED = sys.argv[1:3]
EXAMPLE = pathlib.Path(__file__).resolve().parents[2] / "examples" / "jvm" / "Transcribe.java"
RECORDING = "harvard-16k.wav"

jars = os.environ.get("WHISPER_S4Y_JARS")
if not jars or not shutil.which("java"):
    skip("needs Java, and WHISPER_S4Y_JARS (scripts/test sets it where Maven could fetch them)")
if not (pathlib.Path(SHARED) / "goldens").exists():
    skip("no goldens beside the checkout")
facts = golden(SHARED, "tiny.en", RECORDING)[0]


def run(*arguments):
    return subprocess.run(["java", "-cp", f"{jars}/*", EXAMPLE, *arguments],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


with tempfile.TemporaryDirectory(prefix="whisper-s4y-test.") as folder:
    speech = pathlib.Path(SHARED) / "speech"
    for options in [(), ("--quantize", "int8")]:
        model = convert(PROGRAM, "tiny.en", pathlib.Path(folder) / "m.tflite", "--for", "android", *options)
        done = run(model, speech / RECORDING, "--times")
        assert done.returncode == 0, done.stderr
        text, tokens, *times = done.stdout.splitlines()
        tokens = json.loads(tokens.removeprefix("tokens: "))
        assert is_right(text, tokens, facts, exact=not options), f"{text}\n{tokens}"
        print(options, *times)

    done = run(f"{folder}/none.tflite", speech / RECORDING)
    assert done.returncode != 0 and "none.tflite is no model" in done.stderr, done.stderr
    part = convert(PROGRAM, "tiny.en", f"{folder}/part.tflite", "--part", "encoder")
    done = run(part, speech / RECORDING)
    assert done.returncode != 0 and "has no signature transcribe" in done.stderr, done.stderr
