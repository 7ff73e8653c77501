#!/usr/bin/env python3
"""Runs the Python and C++ examples of docs/models.md as they stand and compares what they call tokens
and text with the goldens; compares names, types and shapes of the Kotlin and Java examples with the
files.

    docs_test.py PROGRAM SHARED LITERT
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from whisper_files import convert, golden, row, skip

PROGRAM, SHARED, LITERT = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
ROOT = pathlib.Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "models.md").read_text()

MAIN = """
#include <fstream>
#include <iostream>
int main() {
  std::vector<float> normalized_audio(480000);
  std::ifstream("speech.f32", std::ios::binary)
      .read(reinterpret_cast<char*>(normalized_audio.data()), 480000 * sizeof(float));
  %s
  if (hidden != same) return 1;
  for (const auto* row : {&tokens, &in_one_call, &sequences}) {
    for (const int32_t token : *row) std::cout << token << " ";
    std::cout << std::endl;
  }
}
"""


def examples(language):
    found = re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.M | re.S)
    assert found, f"no examples in {language}"
    return found


def check_cpp(audio, expected):
    """Compiles and runs the example; its three rows of tokens must be the golden's."""
    functions, calls = examples("cpp")
    pathlib.Path("example.cc").write_text(functions + MAIN % calls)
    audio.astype("<f4").tofile("speech.f32")
    subprocess.run(["c++", "-std=c++20", "-Wall", "-Wextra", "-Werror", f"-I{ROOT}/third_party/litert",
                    "example.cc", "-o", "example", str(LITERT), f"-Wl,-rpath,{LITERT.parent}"],
                   check=True)
    rows = subprocess.run(["./example"], check=True, stdout=subprocess.PIPE).stdout.splitlines()
    assert len(rows) == 3, rows
    for tokens in rows:
        np.testing.assert_array_equal([[int(token) for token in tokens.split()]], expected)


def details(part):
    """(name, shape, type) of the input and the output of a part."""
    runner = Interpreter(f"parts/{part}").get_signature_runner("serving_default")
    both = [runner.get_input_details(), runner.get_output_details()]
    return [(name, list(its["shape"]), np.dtype(its["dtype"]).name)
            for side in both for name, its in side.items()]


def check_java():
    """Names as in the files, and arrays of their shapes."""
    types = {"float": "float32", "int": "int32"}
    arrays = {"normalizedAudio": ([480000], "float32")}
    seen = set()
    (code,) = examples("java")
    for line in code.splitlines():
        if array := re.search(r"(\w+)(?:\[\])+ (\w+) = new \w+((?:\[\d+\])+);", line):
            arrays[array[2]] = ([int(n) for n in re.findall(r"\d+", array[3])], types[array[1]])
        if call := re.match(r'run\("(.*?)", "(\w+)", (\w+), "(\w+)", (\w+)\);', line):
            part, input_name, value, output_name, result = call.groups()
            assert details(part) == [(input_name, *arrays[value]), (output_name, *arrays[result])], line
            seen.add(part)
    return seen


def check_kotlin():
    """Every part is asked for what it gives."""
    seen = set()
    (code,) = examples("kotlin")
    for part, method in re.findall(r'Part\("(.*?)"\)\.(\w+)\(', code):
        assert details(part)[1][2] == {"floats": "float32", "tokens": "int32"}[method], part
        seen.add(part)
    return seen


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
    for example in examples("python"):
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
    check_cpp(names["normalized_audio"], row(facts["tokens"]))
    parts = {path.name for path in pathlib.Path("parts").iterdir()}
    assert len(parts) == 6 and check_java() == parts and check_kotlin() == parts
    os.chdir("/")
