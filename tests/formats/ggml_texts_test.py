#!/usr/bin/env python3
"""Quantised ggml files of genuine models give the text that whisper.cpp finds with them, so what they
lose is lost in the file; and against float16 they lose no more than measured.

    ggml_texts_test.py PROGRAM SHARED MODEL
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np

PROGRAM, SHARED = sys.argv[1], pathlib.Path(sys.argv[2])
CHECKPOINTS = os.environ.get("WHISPER_S4Y_CHECKPOINTS", "")
if not CHECKPOINTS or not (SHARED / "speech").exists():
    print("SKIPPED: needs WHISPER_S4Y_CHECKPOINTS and", SHARED / "speech")
    sys.exit(77)

# Formats with the most words that may differ from float16's, of all recordings together: as many as
# in whisper.cpp ("Taco's" for "Tacos" counts two) and, for base in four bits, one phrase more.
CASES = [("tiny.en", [("harvard-16k.wav", "en")], {"q8_0": 2, "q5_1": 2, "q5_0": 2, "q4_1": 2, "q4_0": 2}),
         ("base", [("1-1.wav", "ar")], {"q8_0": 1, "q4_0": 4})]


def words(text):
    return re.findall(r"\w+", text.lower())


def word_errors(reference, hypothesis):
    """Substitutions, deletions and insertions."""
    row = list(range(len(hypothesis) + 1))
    for i, expected in enumerate(reference, 1):
        diagonal, row[0] = row[0], i
        for j, found in enumerate(hypothesis, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (expected != found))
    return row[-1]


def load(recording):
    command = ["ffmpeg", "-v", "error", "-i", SHARED / "speech" / recording, "-f", "s16le", "-ac", "1",
               "-ar", "16000", "-"]
    raw = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    return np.frombuffer(raw, "<i2").astype(np.float32) / 32768


def in_our_program(file, recordings, folder):
    """The words of each recording, greedy and without timestamps."""
    model = folder / "model.tflite"
    subprocess.run([PROGRAM, "convert", file, "-o", model, "-q", "--no-verify"], check=True)
    texts = []
    for recording, language in recordings:
        result = subprocess.run(
            [PROGRAM, "transcribe", model, SHARED / "speech" / recording, "-q", "--no-cache",
             "--language", language, "--without-timestamps", "--temperature-increment-on-fallback",
             "0"], check=True, stdout=subprocess.PIPE, text=True)
        texts.append(words(result.stdout))
    return texts


def in_whisper_cpp(file, recordings):
    from pywhispercpp.model import Model

    model = Model(str(file), params_sampling_strategy=0, redirect_whispercpp_logs_to=None)
    texts = []
    for recording, language in recordings:
        segments = model.transcribe(
            load(recording), n_threads=1, language=language, temperature=0.0, temperature_inc=0.0,
            suppress_nst=True, no_timestamps=True, no_context=True, print_progress=False,
            greedy={"best_of": 1})
        texts.append(words(" ".join(segment.text for segment in segments)))
    return texts


def total_errors(references, hypotheses):
    return sum(map(word_errors, references, hypotheses))


failures = []
with tempfile.TemporaryDirectory(prefix="whisper-s4y-test.") as temporary:
    for name, recordings, formats in [case for case in CASES if case[0] == sys.argv[3]]:
        file = lambda suffix: pathlib.Path(CHECKPOINTS) / name / "ggml" / f"ggml-{name}{suffix}.bin"
        exact = in_our_program(file(""), recordings, pathlib.Path(temporary))
        count = sum(map(len, exact))
        for quantised, limit in formats.items():
            ours = in_our_program(file(f"-{quantised}"), recordings, pathlib.Path(temporary))
            theirs = in_whisper_cpp(file(f"-{quantised}"), recordings)
            lost, theirs_lost = total_errors(exact, ours), total_errors(exact, theirs)
            apart = total_errors(theirs, ours)
            print(f"{name} {quantised}: {lost} of {count} words differ from float16, "
                  f"{theirs_lost} in whisper.cpp; {apart} between the two", flush=True)
            if lost > limit:
                failures.append(f"{name} {quantised}: {lost} words differ from float16, expected "
                                f"at most {limit}")
            # Their products round activations to 8 bits, ours do not: 2 % of words, or two, may differ.
            if apart > max(2, 0.02 * count):
                failures.append(f"{name} {quantised}: {apart} words differ from whisper.cpp's")
if failures:
    sys.exit("\n".join(failures))
