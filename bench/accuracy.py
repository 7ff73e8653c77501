"""Word error rates and word times of whisper-s4y beside faster-whisper, as Markdown.

  accuracy.py PROGRAM [--models tiny.en,base] [--sets short,others,long,words] [--threads 2] [--write docs/accuracy.md]

Both transcribe the recordings of ../shared/speech with the same options: the language given,
temperature 0 without fallback, timestamps, no voice activity detection, beams 1 and 5. One
normaliser (whisper-normalizer, openai/whisper's) and one count of word errors serve both sides.

Results are kept in build/bench, by the bytes of program and model, as soon as a few recordings are done:
what has not changed is not run again, and a run that was interrupted goes on where it was. --write puts the
tables into a page, between the lines FIGURES and END.
"""

import argparse
import contextlib
import csv
import hashlib
import io
import json
import pathlib
import subprocess
import sys
import tempfile
import time
import wave

import numpy as np

RATE = 16000
GAP = 0.5  # seconds between the recordings of a chapter
AT_ONCE = 10  # recordings after which results are kept
FIGURES = "<!-- figures of make accuracy -->\n"
END = "<!-- end of figures -->\n"


def digest(*parts):
    sha = hashlib.sha256()
    for part in parts:
        sha.update(part.read_bytes() if isinstance(part, pathlib.Path) else repr(part).encode())
    return sha.hexdigest()[:20]


class Ours:
    def __init__(self, name, program, model, threads):
        self.name = name
        self.program = program
        self.model = model
        self.threads = threads

    def key(self):
        return digest(self.program, self.model)

    def transcribe(self, recordings, beam_size, words):
        """Path and language of each -> transcripts as openai/whisper's json has them."""
        results = {}
        for language in sorted({language for _, language in recordings}):
            paths = [path for path, its in recordings if its == language]
            with tempfile.TemporaryDirectory() as folder:
                command = [self.program, "transcribe", self.model, *paths, "-f", "json", "-o", folder]
                command += ["--language", language, "--temperature-increment-on-fallback", "0", "-q"]
                command += ["--threads", self.threads]
                if beam_size > 1:
                    command += ["--beam-size", str(beam_size)]
                if words:
                    command += ["--word-timestamps"]
                subprocess.run([str(part) for part in command], check=True)
                for path in paths:
                    text = (pathlib.Path(folder) / f"{path.stem}.json").read_text()
                    results[path] = json.loads(text)
        return [results[path] for path, _ in recordings]


class FasterWhisper:
    def __init__(self, name, folder, threads):
        self.name = name
        self.folder = folder
        self.threads = threads
        self.model = None

    def key(self):
        import faster_whisper

        return digest(self.folder / "model.bin", faster_whisper.__version__)

    def transcribe(self, recordings, beam_size, words):
        from faster_whisper import WhisperModel

        if self.model is None:
            self.model = WhisperModel(
                str(self.folder), device="cpu", compute_type="float32", cpu_threads=self.threads
            )
        results = []
        for path, language in recordings:
            segments, _ = self.model.transcribe(
                str(path), language=language, beam_size=beam_size, temperature=0.0, word_timestamps=words
            )
            kept = []
            for segment in segments:
                said = [{"word": w.word, "start": w.start, "end": w.end} for w in segment.words or []]
                kept.append({"start": segment.start, "end": segment.end, "text": segment.text, "words": said})
            results.append({"text": "".join(segment["text"] for segment in kept), "segments": kept})
        return results


def remembered(work, system, recordings, beam_size, words=False):
    stored = work / f"accuracy-{digest(system.key(), beam_size, words)}.json"
    results = json.loads(stored.read_text()) if stored.exists() else {}
    # By recording: the same one may be in several sets, and two runs may ask for different ones.
    names = [f"{path.name} {language} {digest(path)}" for path, language in recordings]
    missing = [index for index, name in enumerate(names) if name not in results]
    start = time.monotonic()
    for begin in range(0, len(missing), AT_ONCE):
        some = missing[begin : begin + AT_ONCE]
        transcripts = system.transcribe([recordings[index] for index in some], beam_size, words)
        results.update(zip((names[index] for index in some), transcripts))
        unfinished = stored.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(results))
        unfinished.replace(stored)
        how = f"{system.name}, beam {beam_size}{', word times' if words else ''}"
        done = f"{begin + len(some)} of {len(missing)} recordings in {time.monotonic() - start:.0f} s"
        print(f"{how}: {done}", file=sys.stderr, flush=True)
    return [results[name] for name in names]


class Normaliser:
    def __init__(self):
        from whisper_normalizer.basic import BasicTextNormalizer
        from whisper_normalizer.english import EnglishTextNormalizer

        self.english = EnglishTextNormalizer()
        self.basic = BasicTextNormalizer()
        # Languages written without spaces are counted by character, as in the Whisper paper.
        self.split = BasicTextNormalizer(split_letters=True)

    def words(self, text, language):
        if language == "en":
            return self.english(text).split()
        return (self.split if language in ("zh", "ja") else self.basic)(text).split()


def word_errors(reference, hypothesis):
    """Least number of words to put in, take out and exchange."""
    row = np.arange(len(hypothesis) + 1)
    for index, word in enumerate(reference, 1):
        kept = row[:-1] + np.array([word != other for other in hypothesis], dtype=int)
        best = np.minimum(kept, row[1:] + 1)
        # What is put in carries on along the row.
        ladder = np.concatenate(([index], best)) - np.arange(len(hypothesis) + 1)
        row = np.minimum.accumulate(ladder) + np.arange(len(hypothesis) + 1)
    return int(row[-1])


def rate(references, transcripts, normaliser):
    errors = []
    total = 0
    for (reference, language), transcript in zip(references, transcripts):
        expected = normaliser.words(reference, language)
        errors.append(word_errors(expected, normaliser.words(transcript["text"], language)))
        total += len(expected)
    return 100 * sum(errors) / total, errors, total


def read_manifest(folder):
    with open(folder / "manifest.tsv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def joined_chapters(entries, folder, work):
    """The recordings of every LibriSpeech chapter one after the other, as files in `work`."""
    from faster_whisper.audio import decode_audio

    chapters = {}
    for entry in entries:
        name = entry["file"].rsplit(".", 1)[0].removeprefix(entry["set"] + "_").removeprefix("librispeech-")
        chapters.setdefault(name.rsplit("-", 1)[0], []).append(entry)
    result = []
    for chapter, parts in sorted(chapters.items()):
        path = work / f"chapter-{chapter}.wav"
        parts.sort(key=lambda entry: entry["file"])
        silence = np.zeros(int(GAP * RATE), dtype=np.int16)
        pieces = []
        for part in parts:
            samples = decode_audio(str(folder / part["file"]), sampling_rate=RATE)
            pieces += [np.clip(np.rint(samples * 32768), -32768, 32767).astype(np.int16), silence]
        samples = np.concatenate(pieces[:-1])
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, RATE, 0, "NONE", ""))
            file.writeframes(samples.tobytes())
        reference = " ".join(part["reference"] for part in parts)
        result.append({"file": path, "lang": "en", "reference": reference, "seconds": len(samples) / RATE})
    return result


def table_of_rates(title, model, systems, entries, normaliser, work, beams):
    recordings = [(pathlib.Path(entry["file"]), entry["lang"]) for entry in entries]
    references = [(entry["reference"], entry["lang"]) for entry in entries]
    print(f"\n### {title}, {model}\n")
    print("| | " + " | ".join("greedy" if beam == 1 else f"beam {beam}" for beam in beams) + " |")
    print("| --- |" + " ---: |" * len(beams))
    found = {}
    for system in systems:
        cells = []
        for beam in beams:
            value, errors, total = rate(references, remembered(work, system, recordings, beam), normaliser)
            found[system.name, beam] = (value, errors)
            cells.append(f"{value:.2f} %")
        print(f"| {system.name} | {' | '.join(cells)} |")
    seconds = sum(float(entry["seconds"]) for entry in entries)
    print(f"\n{len(entries)} recordings, {seconds:.0f} s, {total} words.")
    peer, ours, small = (system.name for system in systems)
    for beam in beams:
        difference = found[ours, beam][0] - found[peer, beam][0]
        cost = found[small, beam][0] - found[ours, beam][0]
        how = "Greedy" if beam == 1 else f"Beam {beam}"
        print(f"{how}: float32 {difference:+.2f} points to {peer}, int8 {cost:+.2f} points to float32.")
        different = [
            f"{recordings[i][0].name} {theirs}→{mine}"
            for i, (theirs, mine) in enumerate(zip(found[peer, beam][1], found[ours, beam][1]))
            if theirs != mine
        ]
        if different:
            print(f"Errors that differ, {peer} → {ours}: {', '.join(different)}.")
    return found


def spoken_words(transcript, normaliser):
    words = []
    for segment in transcript["segments"]:
        for word in segment.get("words", []):
            plain = "".join(normaliser.words(word["word"], "en"))
            if plain:
                words.append((plain, word["start"], word["end"]))
    return words


def matching(ours, theirs):
    """Pairs of equal words in the same order."""
    import difflib

    matcher = difflib.SequenceMatcher(None, [w[0] for w in ours], [w[0] for w in theirs], autojunk=False)
    for a, b, size in matcher.get_matching_blocks():
        yield from zip(ours[a : a + size], theirs[b : b + size])


def table_of_words(model, ours, peer, entries, normaliser, work):
    recordings = [(pathlib.Path(entry["file"]), "en") for entry in entries]
    mine = remembered(work, ours, recordings, 1, words=True)
    theirs = remembered(work, peer, recordings, 1, words=True)
    starts, ends = [], []
    worst = []
    for (path, _), left, right in zip(recordings, mine, theirs):
        pairs = list(matching(spoken_words(left, normaliser), spoken_words(right, normaliser)))
        starts += [abs(a[1] - b[1]) for a, b in pairs]
        ends += [abs(a[2] - b[2]) for a, b in pairs]
        if path.name == "jfk.flac":
            for a, b in pairs:
                if a[0] == "americans":
                    jfk = f"“Americans” of jfk.flac ends at {a[2]:.2f} s here and {b[2]:.2f} s there"
        if pairs:
            here = np.mean([abs(a[i] - b[i]) for a, b in pairs for i in (1, 2)])
            worst.append((here, path.name))
    both = np.array(starts + ends)
    worst = ", ".join(f"{name} {1000 * value:.0f} ms" for value, name in sorted(worst, reverse=True)[:3])
    print(
        f"\n**{model}**: {len(starts)} matching words; mean |difference| {1000 * both.mean():.1f} ms "
        f"(starts {1000 * np.mean(starts):.1f}, ends {1000 * np.mean(ends):.1f}), median "
        f"{1000 * np.median(both):.0f} ms, 95 % within {1000 * np.percentile(both, 95):.0f} ms. {jfk}. "
        f"Largest: {worst}."
    )


def print_tables(arguments):
    work = arguments.work
    normaliser = Normaliser()
    entries = [entry for entry in read_manifest(arguments.speech) if entry["reference"]]
    chapters = joined_chapters(
        [entry for entry in entries if entry["set"].startswith("librispeech")], arguments.speech, work
    )
    for entry in entries:
        entry["file"] = arguments.speech / entry["file"]
    english = [entry for entry in entries if entry["lang"] == "en"]
    others = [entry for entry in entries if entry["lang"] != "en"]
    for model in arguments.models.split(","):
        peer = FasterWhisper("faster-whisper float32", arguments.checkpoints / model / "ct2", arguments.threads)
        ours = Ours("whisper-s4y float32", arguments.program, work / f"{model}-none.tflite", arguments.threads)
        small = Ours("whisper-s4y int8", arguments.program, work / f"{model}-int8.tflite", arguments.threads)
        systems = (peer, ours, small)
        if "short" in arguments.sets:
            table_of_rates("English recordings", model, systems, english, normaliser, work, (1, 5))
        if "others" in arguments.sets and not model.endswith(".en"):
            table_of_rates("Other languages", model, systems, others, normaliser, work, (1, 5))
        if "long" in arguments.sets:
            title = f"Chapters joined with {GAP} s gaps"
            table_of_rates(title, model, systems, chapters, normaliser, work, (1, 5))
        if "words" in arguments.sets:
            if model == arguments.models.split(",")[0]:
                print("\n### Word times, whisper-s4y float32 beside faster-whisper float32, greedy")
            table_of_words(model, ours, peer, english, normaliser, work)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--checkpoints", type=pathlib.Path, default=pathlib.Path("build/checkpoints"))
    parser.add_argument("--speech", type=pathlib.Path, default=pathlib.Path("../shared/speech"))
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("build/bench"))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--models", default="tiny.en,base")
    parser.add_argument("--sets", default="short,others,long,words")
    parser.add_argument("--write", type=pathlib.Path, help="a page that gets the tables, with the lines around them")
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    figures = io.StringIO()
    with contextlib.redirect_stdout(figures):
        print_tables(arguments)
    if arguments.write is None:
        print(figures.getvalue())
        return
    page = arguments.write.read_text()
    before, rest = page.split(FIGURES)
    after = rest.split(END)[1]
    arguments.write.write_text(f"{before}{FIGURES}{figures.getvalue()}\n{END}{after}")


if __name__ == "__main__":
    main()
