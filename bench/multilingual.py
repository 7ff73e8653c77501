"""Word error rates of recordings in several languages beside those of their parts.

  multilingual.py PROGRAM MODEL PROMPTS [--work build/bench/multilingual] [--options ...] [--verbose]

PROMPTS is the folder that ../shared/tools/prompts.py has made. Twenty recordings are joined from its prompts, always
the same: in every second one each part is 8 to 20 s in one language, in the others 3 to 9 s, so that languages change
within a window. Pauses are 0.2 to 0.8 s between prompts and 0.5 to 3 s between parts.

Each part is transcribed alone with its language given, and each recording as a whole with --multilingual, with and
without --batched. One normaliser and one count of word errors (accuracy.py's) serve all.
"""

import argparse
import json
import pathlib
import random
import subprocess
import tempfile
import time
import wave

import numpy as np
from accuracy import RATE, read_manifest
from word_errors import Normaliser, word_errors

RECORDINGS = 20
PARTS = 5  # of a recording
LONG_PART, SHORT_PART = (8.0, 20.0), (3.0, 9.0)  # seconds
SHORTEST_PROMPT, LONGEST_PROMPT = 1.2, 12.0  # seconds
PAUSE, PAUSE_BETWEEN_PARTS = (0.2, 0.8), (0.5, 3.0)  # seconds


def samples_of(path):
    command = ["ffmpeg", "-v", "error", "-i", path, "-ar", str(RATE), "-ac", "1", "-f", "s16le", "-"]
    return np.frombuffer(subprocess.run(command, check=True, capture_output=True).stdout, dtype=np.int16)


def silence(rng, seconds):
    return np.zeros(int(rng.uniform(*seconds) * RATE), dtype=np.int16)


def write(path, samples):
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(samples.tobytes())


def make_part(rng, prompts, folder, seconds):
    """Prompts until there are enough seconds: samples and text."""
    wanted = rng.uniform(*seconds)
    pieces, texts = [], []
    while sum(map(len, pieces)) < wanted * RATE:
        prompt = prompts.pop()
        if pieces:
            pieces.append(silence(rng, PAUSE))
        pieces.append(samples_of(folder / prompt["file"]))
        texts.append(prompt["reference"])
    return np.concatenate(pieces), " ".join(texts)


def make_recordings(folder, work):
    """Recordings, each a path and its parts: path, language, text, start and end in seconds."""
    rng = random.Random(1)
    prompts = {}
    for entry in read_manifest(folder):
        if SHORTEST_PROMPT <= float(entry["seconds"]) <= LONGEST_PROMPT:
            prompts.setdefault(entry["lang"], []).append(entry)
    left = {language: [] for language in prompts}
    recordings = []
    for number in range(RECORDINGS):
        languages = rng.sample(sorted(prompts), PARTS)
        pieces, parts = [], []
        for index, language in enumerate(languages):
            if len(left[language]) < 20:
                left[language] = rng.sample(prompts[language], len(prompts[language]))
            if pieces:
                pieces.append(silence(rng, PAUSE_BETWEEN_PARTS))
            start = sum(map(len, pieces)) / RATE
            seconds = SHORT_PART if number % 2 else LONG_PART
            samples, text = make_part(rng, left[language], folder, seconds)
            pieces.append(samples)
            path = work / f"part-{number:02}-{index}-{language}.wav"
            write(path, samples)
            end = start + len(samples) / RATE
            parts.append({"file": path, "language": language, "text": text, "start": start, "end": end})
        path = work / f"recording-{number:02}.wav"
        write(path, np.concatenate(pieces))
        recordings.append({"file": path, "parts": parts})
    with open(work / "recordings.json", "w", encoding="utf-8") as file:
        json.dump(recordings, file, ensure_ascii=False, indent=1, default=lambda path: path.name)
    return recordings


def transcribe(arguments, paths, options):
    """Transcripts of the recordings, and the seconds it took."""
    with tempfile.TemporaryDirectory() as folder:
        command = [arguments.program.resolve(), "transcribe", arguments.model, *paths, "-f", "json", "-o", folder, "-q"]
        start = time.monotonic()
        subprocess.run([*command, *options, *arguments.options.split()], check=True)
        seconds = time.monotonic() - start
        texts = [(pathlib.Path(folder) / f"{path.stem}.json").read_text() for path in paths]
    return [json.loads(text) for text in texts], seconds


def words_said(transcript, normaliser):
    words = []
    for segment in transcript["segments"]:
        words += normaliser.words(segment["text"], segment["language"])
    return words


def words_written(parts, normaliser):
    return [word for part in parts for word in normaliser.words(part["text"], part["language"])]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("prompts", type=pathlib.Path)
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("build/bench/multilingual"))
    parser.add_argument("--options", default="", help="further options of transcribe, in quotes")
    parser.add_argument("--verbose", action="store_true", help="show the segments of recordings that suffer")
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    recordings = make_recordings(arguments.prompts, arguments.work)
    normaliser = Normaliser()

    parts = [part for recording in recordings for part in recording["parts"]]
    alone = {}
    seconds_alone = 0.0
    for language in sorted({part["language"] for part in parts}):
        files = [part["file"] for part in parts if part["language"] == language]
        transcripts, seconds = transcribe(arguments, files, ["--language", language])
        alone.update(zip(files, transcripts))
        seconds_alone += seconds
    ways = {"each part alone, language given": (None, seconds_alone)}
    files = [recording["file"] for recording in recordings]
    ways["--multilingual"] = transcribe(arguments, files, ["--multilingual"])
    ways["--multilingual --batched"] = transcribe(arguments, files, ["--multilingual", "--batched"])

    length = sum(recording["parts"][-1]["end"] for recording in recordings)
    print(f"{RECORDINGS} recordings, {length:.0f} s, {len(words_written(parts, normaliser))} words.\n")
    print("| | long parts | short parts | all | seconds |\n| --- | ---: | ---: | ---: | ---: |")
    baseline = []
    for name, (transcripts, seconds) in ways.items():
        errors, totals = np.zeros(2), np.zeros(2)
        for number, recording in enumerate(recordings):
            if transcripts is None:
                said = [word for part in recording["parts"] for word in words_said(alone[part["file"]], normaliser)]
            else:
                said = words_said(transcripts[number], normaliser)
            written = words_written(recording["parts"], normaliser)
            wrong = word_errors(written, said)
            errors[number % 2] += wrong
            totals[number % 2] += len(written)
            if transcripts is None:
                baseline.append(wrong)
            elif arguments.verbose and wrong > baseline[number] + 2:
                print(f"{recording['file'].name}: {baseline[number]} -> {wrong} of {len(written)} words", flush=True)
                for part in recording["parts"]:
                    print(f"   {part['start']:6.2f} {part['end']:6.2f} {part['language']} {part['text']}")
                for part in transcripts[number]["segments"]:
                    print(f" > {part['start']:6.2f} {part['end']:6.2f} {part['language']} {part['text']}")
        rates = [*(100 * errors / totals), 100 * errors.sum() / totals.sum()]
        print(f"| {name} | " + " | ".join(f"{rate:.2f} %" for rate in rates) + f" | {seconds:.0f} |", flush=True)


if __name__ == "__main__":
    main()
