#!/usr/bin/env python3
"""Time belongs to the recording: rules that hold for every recording and every output format.

    times_test.py WHISPER_S4Y SHARED_FOLDER cases|plain|words|batched

Times are in order and inside the recording, everything has a length above 0, and with --vad no cue
spans silence that was taken out: of texts, of words with --vad, and of words with --batched. `cases`
are those of ../shared/cases that are about times and losses, each with its right result.
"""

import csv
import io
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

PROGRAM, SHARED = sys.argv[1], pathlib.Path(sys.argv[2])
CHECKPOINTS = os.environ.get("WHISPER_S4Y_CHECKPOINTS", "")
CASES = SHARED / "cases"
if not CHECKPOINTS or not CASES.exists():
    print("SKIPPED: needs WHISPER_S4Y_CHECKPOINTS and", CASES)
    sys.exit(77)

failures = []


def expect(condition, what):
    if not condition:
        failures.append(what)
        print("FAILED:", what)


def run(*arguments, code=0):
    result = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True)
    expect(result.returncode == code, f"{arguments}: exit code {result.returncode}, {result.stderr}")
    return result


def seconds(clock):
    parts = clock.replace(",", ".").split(":")
    return sum(float(part) * 60**power for power, part in enumerate(reversed(parts)))


def cues(text):
    return [
        (seconds(a), seconds(b)) for a, b in re.findall(r"([\d:.,]+) --> ([\d:.,]+)", text)
    ]


def table(text, delimiter):
    rows = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    return [(int(row[0]) / 1000, int(row[1]) / 1000) for row in rows[1:]]


def check_times(times, end, what, may_touch=1e-6):
    """Each of some length, after the one before, inside the recording; rounded to milliseconds."""
    last = 0.0
    for start, stop in times:
        expect(start < stop, f"{what}: {start} --> {stop} has no length")
        expect(start >= last - may_touch, f"{what}: {start} comes before {last}")
        expect(stop <= end + 0.001, f"{what}: {stop} is after the end, {end}")
        last = stop


def length(recording):
    """As long as what can be read of it."""
    npy = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", recording, "-ac", "1", "-ar", "16000", "-f", "s16le", "-"],
        capture_output=True,
        check=True,
    ).stdout
    return len(npy) / 2 / 16000


def check_outputs(folder, name, end, what):
    read = lambda ending: (folder / f"{name}.{ending}").read_text()
    json_text = json.loads(read("json"))
    segments = [(s["start"], s["end"]) for s in json_text["segments"]]
    check_times(segments, end, f"{what}.json")
    words = [(w["start"], w["end"]) for s in json_text["segments"] for w in s.get("words", [])]
    check_times(words, end, f"{what}.json, words")
    check_times(cues(read("srt")), end, f"{what}.srt", 0.0011)
    check_times(cues(read("vtt")), end, f"{what}.vtt", 0.0011)
    check_times(table(read("tsv"), "\t"), end, f"{what}.tsv", 0.0011)
    check_times(table(read("csv"), ","), end, f"{what}.csv", 0.0011)
    starts = [seconds(start) for start in re.findall(r"^\[(\d+:[\d.]+)\]", read("lrc"), re.M)]
    expect(starts == sorted(starts), f"{what}.lrc: times are not in order")
    expect(all(start <= end for start in starts), f"{what}.lrc: a time is after the end")
    return segments


def check_properties(model, recordings, folder, *options):
    ends = {path: length(path) for path in recordings}
    run("transcribe", model, *recordings, "-f", "all", "-o", folder, "-q", "-j", 2, *options)
    for path in recordings:
        check_outputs(folder, path.stem, ends[path], f"{path.stem} {' '.join(map(str, options))}")


def check_cases(model, folder):
    def transcribe(case, *options, code=0):
        return run("transcribe", model, CASES / case, *options, code=code)

    late = transcribe("late-audio-start/talk.mp4", "-f", "srt")
    expect(4.9 <= cues(late.stdout)[0][0] <= 6, "late-audio-start: the first cue is at 5 s")

    plain = transcribe("vad-cue-over-silence/gap25.opus", "-f", "srt")
    expect(cues(plain.stdout)[-1][0] >= 35, "vad-cue-over-silence: nor without --vad")
    vad = transcribe("vad-cue-over-silence/gap25.opus", "--vad", "-f", "srt")
    expect(35.5 <= cues(vad.stdout)[-1][0] <= 36.5, "vad-cue-over-silence: the third cue is at 36 s")
    batched = transcribe("vad-cue-over-silence/gap25.opus", "--batched", "-f", "srt")
    for start, stop in cues(vad.stdout) + cues(batched.stdout):
        expect(stop < 12 or start > 35, f"vad-cue-over-silence: {start} --> {stop} spans silence")

    antiphase = transcribe("antiphase-stereo/antiphase.flac")
    expect("fellow Americans" in antiphase.stdout, "antiphase-stereo: the text is there")
    expect("cancel each other out" in antiphase.stderr, "antiphase-stereo: and a warning")

    damaged = transcribe("damaged-audio-silent/cutfast.m4a", "-f", "json")
    expect("should last 11.0 s, but only 7.2 s" in damaged.stderr, "damaged-audio: a warning")
    expect("should last 11.0 s" in json.loads(damaged.stdout)["warnings"][-1], "in json as well")

    tracks = transcribe("second-audio-track/two.mkv")
    expect("has 2 audio tracks" in tracks.stderr, "second-audio-track: a note that there are two")
    second = transcribe("second-audio-track/two.mkv", "--audio-track", 2)
    expect("fellow Americans" in second.stdout, "second-audio-track: the second one")
    listed = json.loads(run("inspect", CASES / "second-audio-track/two.mkv", "--json").stdout)
    expect([t["number"] for t in listed["audio_tracks"]] == [1, 2], "inspect lists the tracks")

    out = folder / "same-stem"
    transcribe("same-stem", "-o", out)
    names = sorted(path.name for path in out.iterdir())
    expect(names == ["talk.flac.txt", "talk.mp3.txt"], f"same-stem: {names}")

    jfk = SHARED / "speech/jfk.flac"
    vtt = run("transcribe", model, jfk, "-f", "vtt", "--prefix", "AT&T a < b")
    expect("AT&amp;T a &lt; b" in vtt.stdout, "vtt-escapes")
    long = run("transcribe", model, jfk, "-f", "json", "--initial-prompt", "word " * 300)
    expect("The initial prompt makes 300 tokens" in long.stderr, "a cut prompt is warned of")
    expect(len(json.loads(long.stdout)["warnings"]) == 1, "in json as well")


def main():
    speech = sorted(path for path in (SHARED / "speech").iterdir() if path.suffix != ".tsv")
    cases = [CASES / name for name in (
        "antiphase-stereo/antiphase.flac", "times-beyond-the-end/country.opus",
        "vad-cue-over-silence/gap25.opus", "language-after-silence/noise40_es.opus",
        "multilingual-translated/en_de_es.opus")]
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        model = folder / "model.tflite"
        run("convert", pathlib.Path(CHECKPOINTS) / "tiny.en/hf", "-o", model, "-q",
            "--quantize", "int8")
        few = speech[::6] + cases
        if sys.argv[3] == "cases":
            check_cases(model, folder)
        elif sys.argv[3] == "plain":
            # Of books that are read aloud some are enough.
            books = [path for path in speech if path.name.startswith("librispeech-test-other")]
            others = [path for path in speech if path not in books]
            check_properties(model, others + books[::5] + cases, folder,
                             "--temperature-increment-on-fallback", 0)
        elif sys.argv[3] == "words":
            check_properties(model, few, folder, "--word-timestamps", "--vad", "--highlight-words")
        else:
            check_properties(model, few, folder, "--batched", "--word-timestamps")
    if failures:
        sys.exit(f"times_test.py: {len(failures)} failures")


main()
