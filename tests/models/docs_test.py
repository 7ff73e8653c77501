#!/usr/bin/env python3
"""Runs the Python examples of docs/models.md as they stand, one after another, and compares what they
call tokens and text with the goldens.

    docs_test.py PROGRAM SHARED
"""
import os
import pathlib
import re
import shutil
import sys
import tempfile

import numpy as np

from whisper_files import convert, golden, row, skip

PROGRAM, SHARED = sys.argv[1], pathlib.Path(sys.argv[2])
DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs" / "models.md"

if not (SHARED / "goldens").exists():
    skip("no goldens beside the checkout")
facts = golden(SHARED, "tiny.en", "harvard-16k.wav")[0]
with tempfile.TemporaryDirectory(prefix="whisper-s4y-test.") as folder:
    convert(PROGRAM, "tiny.en", pathlib.Path(folder) / "parts", "--part", "all")
    convert(PROGRAM, "tiny.en", pathlib.Path(folder) / "whisper-tiny.en.tflite")
    shutil.copy(SHARED / "speech" / "harvard-16k.wav", pathlib.Path(folder) / "speech.wav")
    os.chdir(folder)
    names = {}
    checked = {"tokens": 0, "text": 0}
    for example in re.findall(r"^```python\n(.*?)^```$", DOCS.read_text(), re.M | re.S):
        for result in checked:
            names.pop(result, None)
        exec(compile(example, "docs/models.md", "exec"), names)
        if "tokens" in names:
            np.testing.assert_array_equal(names["tokens"], row(facts["tokens"]), example)
            checked["tokens"] += 1
        if "text" in names:
            assert names["text"] == facts["text"], (names["text"], example)
            checked["text"] += 1
    print(checked)
    # decoder, encoder-decoder, generator, transcribe, step
    assert checked == {"tokens": 5, "text": 1}, checked
    os.chdir("/")
