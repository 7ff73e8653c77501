"""What the last short window of a dictation makes up.

  tails.py PROGRAM MODEL SPEECH [--work build/bench/tails] [--quiet-end] [--verbose]

SPEECH is a folder with a manifest.tsv, as ../shared/speech. Fifty recordings of 30.2 to 32 s are joined from its
English ones, always the same; with --quiet-end the speech ends at 27 to 29.9 s and faint noise follows. Each is
transcribed, and what stands after the last word that belongs to the text is made up: more words there than the
reference has.
"""

import argparse
import pathlib
import random
import subprocess
import wave

import numpy as np
from accuracy import RATE, Normaliser, read_manifest
from multilingual import samples_of

RECORDINGS = 50
LENGTH, SPEECH_BEFORE_QUIET = (30.2, 32.0), (27.0, 29.9)  # seconds
LONGEST_PART = 20  # seconds
NOISE = (5, 30, 100)  # root mean square of 16-bit samples


def noise(rng, count, level):
    steps = np.cumsum(np.random.default_rng(rng.randrange(2**32)).normal(size=count))
    steps -= np.convolve(steps, np.ones(400) / 400, "same")  # no rumble
    return (steps / steps.std() * level).astype(np.int16)


def make_recordings(speech, work, quiet_end):
    """Paths and texts of the recordings."""
    rng = random.Random(1)
    sounds = {
        entry["file"]: (samples_of(speech / entry["file"]), entry["reference"])
        for entry in read_manifest(speech)
        if entry["lang"] == "en" and entry["reference"]
    }
    names = [name for name, (samples, _) in sounds.items() if len(samples) < LONGEST_PART * RATE]
    shortest, longest = SPEECH_BEFORE_QUIET if quiet_end else LENGTH
    recordings, seen = [], set()
    while len(recordings) < RECORDINGS:
        chosen = tuple(rng.sample(names, rng.choice([2, 3, 4, 5])))
        samples = np.concatenate([sounds[name][0] for name in chosen])
        if chosen in seen or not shortest <= len(samples) / RATE <= longest:
            continue
        seen.add(chosen)
        if quiet_end:
            rest = int(rng.uniform(*LENGTH) * RATE) - len(samples)
            samples = np.concatenate([samples, noise(rng, rest, NOISE[len(recordings) % len(NOISE)])])
        path = work / f"{len(recordings):02}.wav"
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, RATE, 0, "NONE", ""))
            file.writeframes(samples.tobytes())
        recordings.append((path, " ".join(sounds[name][1] for name in chosen)))
    return recordings


def made_up(reference, hypothesis):
    """Words more than the reference's after the last one that both have, in a best alignment."""
    rows = np.zeros((len(reference) + 1, len(hypothesis) + 1), dtype=int)
    rows[:, 0] = range(len(reference) + 1)
    rows[0, :] = range(len(hypothesis) + 1)
    for i, word in enumerate(reference, 1):
        for j, other in enumerate(hypothesis, 1):
            rows[i, j] = min(rows[i - 1, j - 1] + (word != other), rows[i - 1, j] + 1, rows[i, j - 1] + 1)
    i, j = len(reference), len(hypothesis)
    while i and j and not (reference[i - 1] == hypothesis[j - 1] and rows[i, j] == rows[i - 1, j - 1]):
        if rows[i, j] == rows[i - 1, j - 1] + 1:
            i, j = i - 1, j - 1
        elif rows[i, j] == rows[i, j - 1] + 1:
            j -= 1
        else:
            i -= 1
    return max(0, (len(hypothesis) - j) - (len(reference) - i))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("speech", type=pathlib.Path)
    parser.add_argument("--work", type=pathlib.Path, default="build/bench/tails")
    parser.add_argument("--quiet-end", action="store_true")
    parser.add_argument("--verbose", action="store_true")
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    recordings = make_recordings(arguments.speech, arguments.work, arguments.quiet_end)
    texts = arguments.work / "texts"
    subprocess.run(
        [arguments.program, "transcribe", arguments.model, *(path for path, _ in recordings), "-o", texts]
        + ["-q", "-l", "en"],
        check=True,
    )
    normaliser = Normaliser()
    found = 0
    for path, text in recordings:
        hypothesis = normaliser.words((texts / f"{path.stem}.txt").read_text(), "en")
        words = made_up(normaliser.words(text, "en"), hypothesis)
        found += words > 0
        if words and arguments.verbose:
            print(f"{path.name}: {words} words more at the end: ...{' '.join(hypothesis[-8:])}")
    print(f"{found} of {len(recordings)} recordings end with words that nobody said")


if __name__ == "__main__":
    main()
