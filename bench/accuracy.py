"""Word error rates, divergences and word times of whisper-s4y in several number formats, beside
faster-whisper and whisper.cpp, as Markdown.

  accuracy.py PROGRAM PROMPTS [--models tiny.en,base] [--parts rates,languages,peers,divergence,long,words,loops]
              [--threads 2] [--write docs/accuracy.md]

Recordings are those of ../shared/speech and of PROMPTS, the folder that ../shared/tools/prompts.py made. The
language is given to all. "greedy" and "beam 5" are at temperature 0 without fallback, with timestamps and
without voice activity detection; "defaults" are each program's own. One normaliser (whisper-normalizer,
openai/whisper's) and one count of word errors serve all. A difference stands with the interval in which
95 of 100 lie when recordings are drawn anew (paired bootstrap): one whose interval holds 0 is no result.

Results are kept in build/bench, by the bytes of program and model, as soon as a few recordings are done:
what has not changed is not run again, and a run that was interrupted goes on where it was. --write puts the
tables into a page, between the lines FIGURES and END.
"""

import argparse
import contextlib
import csv
import io
import json
import pathlib
import subprocess
import sys
import wave

import numpy as np
from systems import MODES, FasterWhisper, Ours, WhisperCpp, digest, remembered
from word_errors import Normaliser, errors_of, interval, rate

RATE = 16000
GAP = 0.5  # seconds between the recordings of a chapter
FORMATS = {"float32": "none", "int8": "int8", "mixed": "mixed", "int4": "int4"}
FIGURES = "<!-- figures of make accuracy -->\n"
END = "<!-- end of figures -->\n"


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


def recordings_of(entries):
    return [(pathlib.Path(entry["file"]), entry["lang"]) for entry in entries]


class Rates:
    """Word errors of systems on recordings, counted once."""

    def __init__(self, work, normaliser):
        self.work = work
        self.normaliser = normaliser

    def errors(self, system, mode, entries):
        references = [(entry["reference"], entry["lang"]) for entry in entries]
        transcripts = remembered(self.work, system, recordings_of(entries), mode)
        return errors_of(references, transcripts, self.normaliser)


def described(entries, words):
    seconds = sum(float(entry["seconds"]) for entry in entries)
    return f"{len(entries)} recordings, {seconds:.0f} s, {words.sum()} words."


def difference_cell(errors, base, words):
    low, high = interval(errors - base, words)
    return f"{rate(errors, words):.2f} % ({rate(errors - base, words):+.2f}; {low:+.2f} to {high:+.2f})"


def sample_of(entries):
    """All recordings in English, and every fourth of the other languages': for what takes long."""
    return [entry for index, entry in enumerate(entries) if entry["lang"] == "en" or index % 4 == 0]


def table_of_rates(rates, model, systems, entries):
    """Rows: our formats; columns: modes. Beam 5 and the defaults of what is not float32 or int8 are left out."""
    print(f"\n### {model}: all recordings\n")
    print("| | " + " | ".join(MODES) + " |\n| --- |" + " ---: |" * len(MODES))
    asked = {mode: entries if mode == "greedy" else sample_of(entries) for mode in MODES}
    base = {mode: rates.errors(systems["float32"], mode, asked[mode]) for mode in MODES}
    for name, system in systems.items():
        cells = []
        for mode in MODES:
            if mode != "greedy" and name not in ("float32", "int8"):
                cells.append("")
                continue
            errors, words = rates.errors(system, mode, asked[mode])
            cells.append(f"{rate(errors, words):.2f} %" if name == "float32" else difference_cell(errors, base[mode][0], words))
        print(f"| {system.name} | {' | '.join(cells)} |", flush=True)
    print(f"\n{described(entries, base['greedy'][1])} In brackets: points above float32, and the interval.")
    if len(asked["beam 5"]) < len(entries):
        print(f"Beam 5 and defaults: {described(asked['beam 5'], base['beam 5'][1])}")


def table_of_languages(rates, model, systems, entries):
    print(f"\n### {model}: by set, greedy\n")
    print("| | words | " + " | ".join(systems) + " |\n| --- | ---: |" + " ---: |" * len(systems))
    sets = {}
    for entry in entries:
        kind = "prompts" if entry["set"].startswith("prompts") else "speech"
        sets.setdefault(f"{kind}, {entry['lang']}", []).append(entry)
    for name, some in sorted(sets.items()):
        base, words = rates.errors(systems["float32"], "greedy", some)
        cells = [f"{rate(base, words):.2f} %"]
        for other in list(systems)[1:]:
            cells.append(difference_cell(rates.errors(systems[other], "greedy", some)[0], base, words))
        print(f"| {name} | {words.sum()} | {' | '.join(cells)} |", flush=True)


def table_of_peers(rates, model, systems, peers, entries):
    print(f"\n### {model}: beside others, English, greedy\n")
    print("| | word error rate |\n| --- | ---: |")
    base, words = rates.errors(systems["float32"], "greedy", entries)
    print(f"| whisper-s4y float32 | {rate(base, words):.2f} % |")
    for system in [systems["int8"], *peers]:
        errors, _ = rates.errors(system, "greedy", entries)
        print(f"| {system.name} | {difference_cell(errors, base, words)} |", flush=True)
    print(f"\n{described(entries, words)} In brackets: points above whisper-s4y float32, and the interval.")


def divergences(work, tool, reference, model, threads, litert, entries):
    """Of each recording: tokens, sum of divergences in nats, tokens that changed."""
    stored = work / f"divergence-{digest(tool, reference, model, litert)}.json"
    results = json.loads(stored.read_text()) if stored.exists() else {}
    missing = [entry for entry in entries if str(entry["file"]) not in results]
    if missing:
        command = [str(it) for it in (tool, reference, model, "--threads", threads)]
        lines = "".join(f"{entry['file']}\t{entry['lang']}\n" for entry in missing)
        found = subprocess.run(
            command + (["--litert"] if litert else []), input=lines, text=True, check=True, stdout=subprocess.PIPE
        )
        for line in found.stdout.splitlines():
            if line.startswith("{"):
                answer = json.loads(line)
                results[answer["path"]] = [answer["tokens"], answer["divergence"], answer["changed"]]
        stored.write_text(json.dumps(results))
    return np.array([results[str(entry["file"])] for entry in entries])


def table_of_divergences(model, systems, arguments, entries):
    tool = arguments.program.parent / "token_divergence"
    print(f"\n### {model}: divergence from float32\n")
    print("| | our kernels | changed | LiteRT | changed |\n| --- | ---: | ---: | ---: | ---: |")
    for name in list(systems)[1:]:
        cells = []
        for litert in (False, True):
            found = divergences(
                arguments.work, tool, systems["float32"].model, systems[name].model, arguments.threads, litert, entries
            )
            tokens = found[:, 0]
            low, high = interval(10 * found[:, 1], tokens)  # a thousandth, not a percent
            cells.append(f"{1000 * found[:, 1].sum() / tokens.sum():.2f} ({low:.2f} to {high:.2f})")
            cells.append(f"{100 * found[:, 2].sum() / tokens.sum():.2f} %")
        print(f"| {name} | {' | '.join(cells)} |", flush=True)
    print(f"\n{int(tokens.sum())} tokens that float32 chose, fed to both; thousandths of a nat a token.")


def table_of_chapters(rates, model, systems, peer, chapters):
    print(f"\n### {model}: chapters joined with {GAP} s gaps\n")
    print("| | greedy | beam 5 |\n| --- | ---: | ---: |")
    base = {mode: rates.errors(systems["float32"], mode, chapters) for mode in MODES[:2]}
    for system in (systems["float32"], systems["int8"], peer):
        cells = [
            difference_cell(rates.errors(system, mode, chapters)[0], *base[mode])
            if system is not systems["float32"]
            else f"{rate(*base[mode]):.2f} %"
            for mode in MODES[:2]
        ]
        print(f"| {system.name} | {' | '.join(cells)} |", flush=True)
    print(f"\n{described(chapters, base['greedy'][1])}")


def tokens_of(transcripts):
    """Of each window that was decoded."""
    windows = {}
    for index, transcript in enumerate(transcripts):
        for segment in transcript["segments"]:
            key = index, segment["seek"]
            windows[key] = windows.get(key, 0) + len(segment["tokens"])
    return np.array(list(windows.values()))


def table_of_loops(rates, model, systems, entries):
    """What ending loops early changes: words, and the tokens of the longest windows."""
    print(f"\n### {model}: the guard against loops\n")
    print("| | without | with it | other texts | most tokens of a window, without | with it | median |")
    print("| --- |" + " ---: |" * 6)
    recordings = recordings_of(entries)
    for name in ("float32", "int8"):
        system = systems[name]
        unguarded = Ours(system.name, system.program, system.model, system.threads, ("--no-loop-guard",))
        for mode in ("greedy", "defaults"):
            errors, words = rates.errors(system, mode, entries)
            base, _ = rates.errors(unguarded, mode, entries)
            guarded = remembered(rates.work, system, recordings, mode)
            free = remembered(rates.work, unguarded, recordings, mode)
            changed = sum(one["text"] != other["text"] for one, other in zip(guarded, free))
            print(
                f"| {system.name}, {mode} | {rate(base, words):.2f} % | {difference_cell(errors, base, words)} | {changed} "
                f"| {tokens_of(free).max()} | {tokens_of(guarded).max()} | {int(np.median(tokens_of(guarded)))} |",
                flush=True,
            )
    print(f"\n{described(entries, words)} In brackets: points above what there is without it, and the interval.")


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
    mine = remembered(work, ours, recordings, "greedy", words=True)
    theirs = remembered(work, peer, recordings, "greedy", words=True)
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
        f"\n### {model}: times of words beside faster-whisper's, float32, greedy\n\n"
        f"{len(starts)} matching words; mean |difference| {1000 * both.mean():.1f} ms "
        f"(starts {1000 * np.mean(starts):.1f}, ends {1000 * np.mean(ends):.1f}), median "
        f"{1000 * np.median(both):.0f} ms, 95 % within {1000 * np.percentile(both, 95):.0f} ms. {jfk}. "
        f"Largest: {worst}."
    )


def print_tables(arguments):
    work = arguments.work
    rates = Rates(work, Normaliser())
    speech = [entry for entry in read_manifest(arguments.speech) if entry["reference"]]
    chapters = joined_chapters(
        [entry for entry in speech if entry["set"].startswith("librispeech")], arguments.speech, work
    )
    prompts = [entry for entry in read_manifest(arguments.prompts) if entry["reference"]]
    for entries, folder in ((speech, arguments.speech), (prompts, arguments.prompts)):
        for entry in entries:
            entry["file"] = folder / entry["file"]
    entries = speech + prompts
    english = [entry for entry in entries if entry["lang"] == "en"]
    for model in arguments.models.split(","):
        known = english if model.endswith(".en") else entries
        folder = arguments.checkpoints / model
        systems = {
            name: Ours(f"whisper-s4y {name}", arguments.program, work / f"{model}-{quantization}.tflite", arguments.threads)
            for name, quantization in FORMATS.items()
        }
        peers = [
            FasterWhisper(f"faster-whisper {kind}", folder / "ct2", kind, arguments.threads) for kind in ("float32", "int8")
        ]
        peers += [
            WhisperCpp(f"whisper.cpp {kind}", folder / "ggml" / f"ggml-{model}{suffix}.bin", arguments.threads)
            for kind, suffix in (("f16", ""), ("q8_0", "-q8_0"), ("q5_1", "-q5_1"))
        ]
        if "rates" in arguments.parts:
            table_of_rates(rates, model, systems, known)
        if "languages" in arguments.parts:
            table_of_languages(rates, model, systems, known)
        if "peers" in arguments.parts:
            table_of_peers(rates, model, systems, peers, english)
        if "divergence" in arguments.parts:
            table_of_divergences(model, systems, arguments, sample_of(known))
        if "long" in arguments.parts:
            table_of_chapters(rates, model, systems, peers[0], chapters)
        if "loops" in arguments.parts:
            table_of_loops(rates, model, systems, sample_of(known))
        if "words" in arguments.parts:
            table_of_words(model, systems["float32"], peers[0], [e for e in speech if e["lang"] == "en"], rates.normaliser, work)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("prompts", type=pathlib.Path)
    parser.add_argument("--checkpoints", type=pathlib.Path, default=pathlib.Path("build/checkpoints"))
    parser.add_argument("--speech", type=pathlib.Path, default=pathlib.Path("../shared/speech"))
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("build/bench"))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--models", default="tiny.en,base")
    parser.add_argument("--parts", default="rates,languages,peers,divergence,long,words,loops")
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
    sys.exit(main())
