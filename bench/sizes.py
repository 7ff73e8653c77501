#!/usr/bin/env python3
"""Converts and runs a checkpoint of every published shape, with random weights.

    bench/sizes.py BUILD FOLDER [--sizes NAME,...] [--skip-runs]

BUILD is a finished build, FOLDER a place with 20 GB; files are deleted as soon as they are measured.
Prints two tables: converting, with time and peak memory beside copying the checkpoint (both read
it from disk and leave the result there); and running, in our runtime, in ai-edge-litert and in
NumPy, with the largest difference. Fails where a limit of docs/models.md is missed.
"""
import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import time

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/models"))
from numpy_whisper import relative  # noqa: E402
from true_shapes import PUBLISHED, write_checkpoint  # noqa: E402

MAX_PEAK_MB = 600  # of converting
MAX_RATIO = 2  # of converting large-v3 to fp16, to copying it
ROUNDS = 3
TOKENS = [50258, 50259, 50359, 50363, 2425, 11, 51863]
# Root mean square of a difference, as part of the reference's.
BOUNDS = {"none": 1e-4, "fp16": 1e-4, "int8": 0.2}
PARTS = ["last_hidden_state", "logits"]
EVERY_FORMAT = ["fp16", "int8", "int4", "mixed"]
AUDIO = ROOT.parent / "shared/speech/jfk.flac"

failures = []


def expect(condition, message):
    if not condition:
        failures.append(message)
        print("TOO MUCH:", message, flush=True)


def sync(path):
    with open(path) as file:
        os.fsync(file.fileno())


def measure(*command, result=None):
    """(seconds, peak MB) of a command, its result written to disk."""
    start = time.perf_counter()
    process = subprocess.Popen([str(part) for part in command])
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed")
    if result is not None:
        sync(result)
    seconds = time.perf_counter() - start
    return seconds, usage.ru_maxrss / 1024


def forget(path):
    """Drops what the system remembers of a file, so that it is read from disk."""
    with open(path) as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def convert_beside_copying(program, checkpoint, weights, output, quantize, rounds):
    """(seconds of converting, of copying, peak MB): the least of rounds in turn."""
    copy = output.with_suffix(".copy")
    times, copies, peak = [], [], 0
    sync(weights)  # what is not on disk cannot be forgotten
    for _ in range(rounds):
        forget(weights)
        copies.append(measure("cp", weights, copy, result=copy)[0])
        copy.unlink()
        forget(weights)
        output.unlink(missing_ok=True)
        seconds, megabytes = measure(program, "convert", checkpoint, "-o", output, "-q",
                                     "--quantize", quantize, result=output)
        times.append(seconds)
        peak = max(peak, megabytes)
    return min(times), min(copies), peak


def run(build, name, quantize, model, encoder, checkpoint, folder):
    """A row of the second table."""
    folder.mkdir()
    # Text from random weights is rubbish, and as long as it may be.
    transcribing = measure(build / "bin/whisper-s4y", "transcribe", model, AUDIO, "--no-cache", "-q",
                           "-o", folder, "--temperature-increment-on-fallback", "0",
                           "--language", "en", "--max-new-tokens", "32")
    # Each in a process of its own: what this one holds would count as theirs.
    (folder / "ai-edge-litert").mkdir()
    measure(build / "tests/models/run_window", model, folder, *TOKENS)
    measure(sys.executable, ROOT / "bench/peer_interpreter.py", model, encoder,
            folder / "normalized_audio.npy", folder / "ai-edge-litert", *TOKENS)
    numpy = checkpoint / "numpy"
    if not numpy.exists():  # the same for every format
        numpy.mkdir()
        measure(sys.executable, ROOT / "tests/models/numpy_whisper.py", checkpoint,
                folder / "logmel.npy", numpy, *TOKENS)
    load = lambda place, part: np.load(place / f"{part}.npy")
    worst = {}
    for runtime, place in [("ours", folder), ("ai-edge-litert", folder / "ai-edge-litert")]:
        for part in PARTS:
            difference = relative(load(place, part), load(numpy, part))
            worst[runtime, part] = difference
            expect(difference <= BOUNDS[quantize], f"{name} {quantize}, {part} of {runtime}: "
                                                   f"{difference:.1e} from NumPy's")
    mel = relative(load(folder / "ai-edge-litert", "logmel"), load(folder, "logmel"))
    expect(mel <= 1e-5, f"{name}: logmel of ai-edge-litert {mel:.1e} from ours")
    shutil.rmtree(folder)
    cells = " | ".join(f"{worst[runtime, part]:.0e}" for runtime in ["ours", "ai-edge-litert"]
                       for part in PARTS)
    return f"| {name} | {quantize} | {transcribing[0]:.1f} | {transcribing[1]:.0f} | {cells} |"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--sizes", default=",".join(PUBLISHED))
    parser.add_argument("--skip-runs", action="store_true", help="convert only")
    arguments = parser.parse_args()
    program = arguments.build / "bin/whisper-s4y"
    folder = arguments.folder
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint, model, encoder = folder / "checkpoint", folder / "model.tflite", folder / "encoder.tflite"
    rows = []
    print("| checkpoint | to | file MB | seconds | copying | ratio | peak MB |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    for name in arguments.sizes.split(","):
        cases = [("float16", quantize) for quantize in EVERY_FORMAT]
        if name in ("tiny", "large-v3"):
            cases.append(("float32", "none"))  # of large-v3 6.2 GB, buffers after the flatbuffer
        written = None
        for dtype, quantize in cases:
            if written != dtype:
                shutil.rmtree(checkpoint, ignore_errors=True)
                weights = write_checkpoint(PUBLISHED[name], checkpoint, dtype)
                written = dtype
            full = quantize in BOUNDS
            seconds, copying, peak = convert_beside_copying(
                program, checkpoint, weights, model, quantize, ROUNDS if quantize in ("fp16", "none") else 1)
            ratio = seconds / copying
            print(f"| {name} {dtype} | {quantize} | {model.stat().st_size / 1e6:.0f} | {seconds:.2f} "
                  f"| {copying:.2f} | {ratio:.2f} | {peak:.0f} |", flush=True)
            expect(peak <= MAX_PEAK_MB, f"converting {name} to {quantize} takes {peak:.0f} MB")
            if (name, quantize) == ("large-v3", "fp16"):
                expect(ratio <= MAX_RATIO, f"converting {name} takes {ratio:.2f} times copying it")
            if full and not arguments.skip_runs:
                subprocess.run([program, "convert", checkpoint, "-o", encoder, "-q", "--part",
                                "encoder", "--quantize", quantize], check=True)
                rows.append(run(arguments.build, name, quantize, model, encoder, checkpoint,
                                folder / "run"))
                print(rows[-1], file=sys.stderr, flush=True)
                encoder.unlink()
            model.unlink()
    shutil.rmtree(checkpoint)
    print("\n| model | weights | seconds | peak MB | encoder, ours | logits | "
          "ai-edge-litert | logits |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    print("\n".join(rows))
    if failures:
        sys.exit("\n".join(failures))


if __name__ == "__main__":
    main()
