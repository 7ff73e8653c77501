#!/usr/bin/env python3
"""Hours of speech: memory and the first segment, beside a recording of a minute.

    bench/long_recording.py build/release/bin/whisper-s4y MODEL.tflite ../shared/speech [--hours 10] [OPTION...]

joins the recordings of the folder one after the other, again and again, and transcribes the first minute
and the whole, with the OPTIONs given to `whisper-s4y transcribe`. Prints for both when the first segment
was written, how long it took, and the peak of resident memory; the exit code is 1 when the hours took more
than 60 MB above the minute, or the first segment came later than 2 s after the start.
"""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import wave

RATE = 16000
MAX_MORE_MB = 60
MAX_FIRST_SECONDS = 2.0


def samples_of(path):
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-f", "s16le", "-ac", "1", "-ar", str(RATE), "-"]
    return subprocess.run(command, capture_output=True, check=True).stdout


def write_recordings(folder, lengths, work):
    """WAV files of the recordings in `folder` joined to so many seconds each."""
    pieces = [samples_of(path) for path in sorted(pathlib.Path(folder).iterdir())
              if path.name.startswith("librispeech")]
    if not pieces:
        sys.exit(f"{folder} holds no recordings of LibriSpeech")
    paths = []
    for seconds in lengths:
        path = pathlib.Path(work) / f"{seconds}s.wav"
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, RATE, 0, "NONE", ""))
            left = seconds * RATE * 2
            while left > 0:
                for piece in pieces:
                    file.writeframes(piece[:left])
                    left -= min(left, len(piece))
        paths.append(path)
    return paths


def transcribe(program, model, path, options):
    """(seconds to the first segment, seconds, peak MB, lines)"""
    begin = time.monotonic()
    process = subprocess.Popen([program, "transcribe", model, str(path), "-q", *options],
                               stdout=subprocess.PIPE, text=True)
    first, lines = None, 0
    for _ in process.stdout:
        if first is None:
            first = time.monotonic() - begin
        lines += 1
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"transcribe {path} ended with {os.waitstatus_to_exitcode(status)}")
    return first, time.monotonic() - begin, usage.ru_maxrss / 1024, lines


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("model")
    parser.add_argument("folder")
    parser.add_argument("--hours", type=float, default=10)
    arguments, options = parser.parse_known_args()
    seconds = round(arguments.hours * 3600)
    failed = False
    print("| recording | first segment, s | seconds | times real time | peak MB | lines |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as work:
        peaks = []
        for path, length in zip(write_recordings(arguments.folder, (60, seconds), work), (60, seconds)):
            first, took, peak, lines = transcribe(arguments.program, arguments.model, path, options)
            print(f"| {length} s | {first:.2f} | {took:.1f} | {length / took:.1f} | {peak:.0f} | {lines} |",
                  flush=True)
            peaks.append(peak)
            failed |= first > MAX_FIRST_SECONDS
    print(f"\nThe hours took {peaks[1] - peaks[0]:.1f} MB more than the minute.")
    if failed or peaks[1] - peaks[0] > MAX_MORE_MB:
        sys.exit("bench/long_recording: above the bounds of 60 MB and 2 s")


if __name__ == "__main__":
    main()
