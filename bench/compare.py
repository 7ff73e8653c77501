"""Times whisper-s4y against faster-whisper and whisper.cpp in one run, and prints Markdown tables.

Every contestant is a process of its own with its model loaded; they take turns, so that whatever
else the machine does hits all of them. The same options for all: English, temperature 0 without
fallback, with timestamps, no voice activity detection.

  compare.py PROGRAM_FOLDER [--models tiny.en,base] [--audio FILE] [--beam-size N] [--threads N] [--rounds N]
             [--only TABLE] [--json FILE] [--chart FILE.svg]

PROGRAM_FOLDER holds whisper-s4y and transcribe_worker; bench/run calls this with all that it needs.
--only short compares recordings of 2 to 5 s, which come from --prompts, the folder that ../shared/tools/prompts.py
made. --json keeps every run of the tables of peers and encoders, --chart draws the former (chart.py).
"""

import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import wave

from accuracy import joined_chapters, read_manifest
from chart import chart

HERE = pathlib.Path(__file__).resolve().parent


class Contestant:
    def __init__(self, name, command):
        self.name = name
        self.runs = []
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    def run(self, what="run"):
        self.process.stdin.write(f"{what}\n")
        self.process.stdin.flush()
        # LiteRT and whisper.cpp may write lines of their own.
        for line in self.process.stdout:
            if line.startswith("{"):
                return json.loads(line)
        sys.exit(f"{self.name} ended with status {self.process.wait()}")

    def close(self):
        self.process.stdin.close()
        self.process.wait()

    def best(self, key):
        return min(run[key] for run in self.runs)

    def median(self, key):
        return statistics.median(run[key] for run in self.runs)

    def per_token(self):
        return min(run["decode"] / run["tokens"] for run in self.runs)


def plain(text):
    return re.sub(r"[^a-z0-9 ]", "", " ".join(text.lower().split()))


def ours(model, quantization, arguments, audio, threads, beam_size):
    file = arguments.work / f"{model}-{quantization}.tflite"
    worker = arguments.programs / "transcribe_worker"
    return [str(it) for it in (worker, file, audio, threads, beam_size)]


def contestants(model, arguments):
    folder = arguments.checkpoints / model
    common = [str(it) for it in (arguments.audio, arguments.threads, arguments.beam_size)]
    peer = [sys.executable, str(HERE / "peer_worker.py")]
    for name, quantization in (("float32", "none"), ("int8", "int8")):
        yield f"whisper-s4y {name}", ours(model, quantization, arguments, *common)
    for name in ("float32", "int8"):
        yield f"faster-whisper {name}", [*peer, "faster-whisper", str(folder / "ct2"), name, *common]
    ggml = folder / "ggml"
    for name, file in (("f16", f"ggml-{model}.bin"), ("q8_0", f"ggml-{model}-q8_0.bin")):
        yield f"whisper.cpp {name}", [*peer, "whisper.cpp", str(ggml / file), "-", *common]


def take_turns(contestants, rounds):
    teams = [Contestant(*it) for it in contestants]
    for team in teams:
        team.run()  # loads what is loaded late
    for _ in range(rounds):
        for team in teams:
            team.runs.append(team.run())
    for team in teams:
        team.close()
    return teams


def compare(model, arguments):
    teams = take_turns(contestants(model, arguments), arguments.rounds)
    print(f"\n### {model}\n")
    print("| | seconds, least | median | CPU seconds | encoder, ms | ms a token | tokens | windows | peak MB |")
    print("| --- |" + " ---: |" * 8)
    for team in teams:
        last = team.runs[-1]
        windows = max(last["windows"], 1)
        print(
            f"| {team.name} | {team.best('seconds'):.3f} | {team.median('seconds'):.3f} "
            f"| {team.best('cpu'):.3f} "
            f"| {1000 * team.best('encode') / windows:.0f} | {1000 * team.per_token():.2f} "
            f"| {last['tokens']} | {windows} | {last['peak_kb'] / 1024:.0f} |"
        )
    python = next(team.runs[-1]["python_kb"] for team in teams if "python_kb" in team.runs[-1])
    print(f"\nOf a peer's memory {python / 1024:.0f} MB are Python and the library that reads audio.\n")

    def better(prefix, key):
        return min(key(team) for team in teams if team.name.startswith(prefix))

    report = {"model": model, "runs": {team.name: team.runs for team in teams}}
    for peer, limit in (("faster-whisper", 0.65), ("whisper.cpp", 0.5)):
        least = better("whisper-s4y", lambda t: t.best("seconds")) / better(peer, lambda t: t.best("seconds"))
        middle = better("whisper-s4y", lambda t: t.median("seconds")) / better(
            peer, lambda t: t.median("seconds")
        )
        met = "met" if least <= limit else "missed"
        print(
            f"The better whisper-s4y takes {least:.2f} of the better {peer} "
            f"(medians: {middle:.2f}); aim {limit}: {met}."
        )
        report[peer] = {"least": least, "median": middle}
    for team in teams[1:]:
        if plain(team.runs[-1]["text"]) != plain(teams[0].runs[-1]["text"]):
            print(f"{team.name} hears other words than {teams[0].name}.")
    return report


def against(first, second, key, limit, what):
    """How much of the first one's time the second one takes: least times, medians, processor time."""
    least = second.best(key) / first.best(key)
    middle = second.median(key) / first.median(key)
    met = "met" if least <= limit else "missed"
    print(
        f"| {what} | {first.best(key):.3f} | {second.best(key):.3f} | {least:.2f} | {middle:.2f} "
        f"| {second.best('cpu') / first.best('cpu'):.2f} | {limit}: {met} |"
    )


def compare_with_itself(models, arguments):
    print("\n## Threads and beams\n")
    print("| | first, s | second, s | ratio | of medians | of CPU time | aim |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for model in models:
        for name, quantization in (("float32", "none"), ("int8", "int8")):
            one, two = take_turns(
                [
                    (f"{n} threads", ours(model, quantization, arguments, arguments.audio, n, 1))
                    for n in (1, 2)
                ],
                arguments.rounds,
            )
            against(one, two, "encode", 0.6, f"{model} {name}: encoder, 1 and 2 threads")
        for audio in (arguments.audio, arguments.long_audio):
            greedy, beams = take_turns(
                [
                    (f"beam {n}", ours(model, "int8", arguments, audio, arguments.threads, n))
                    for n in (1, 5)
                ],
                arguments.rounds,
            )
            against(greedy, beams, "seconds", 2.2, f"{model} int8: {audio.name}, greedy and beam 5")


def encoder_teams(model, arguments):
    """Our encoder as part of a transcription, with the keys and values of the decoder, and in OpenVINO alone."""
    for name, quantization in (("float32", "none"), ("int8", "int8")):
        command = ours(model, quantization, arguments, arguments.audio, arguments.threads, 1)
        yield f"whisper-s4y {name}", command
        worker = [sys.executable, str(HERE / "openvino_worker.py")]
        file = arguments.work / f"{model}-encoder-{quantization}.tflite"
        for precision in ("f32", "bf16") if has_bfloat16() else ("f32",):
            yield f"OpenVINO {name}, {precision}", [*worker, str(file), str(arguments.threads), precision]


def has_bfloat16():
    return "avx512_bf16" in pathlib.Path("/proc/cpuinfo").read_text()


def compare_encoders(models, arguments):
    print(f"\n## Encoders: a window, {arguments.threads} threads, milliseconds\n")
    print("| | least | median | CPU |")
    print("| --- | ---: | ---: | ---: |")
    reports = []
    for model in models:
        teams = take_turns(encoder_teams(model, arguments), arguments.rounds)
        for team in teams:
            # A transcription encodes a window or more, and its processor time is not the encoder's alone.
            windows = max(team.runs[-1].get("windows", 1), 1)
            cpu = "" if "windows" in team.runs[-1] else f"{1000 * team.best('cpu'):.0f}"
            print(
                f"| {model} {team.name} | {1000 * team.best('encode') / windows:.0f} "
                f"| {1000 * team.median('encode') / windows:.0f} | {cpu} |"
            )
        reports.append({"model": model, "runs": {team.name: team.runs for team in teams}})
    return reports


def joined_recording(arguments):
    """Eight minutes of speech: the chapters of ../shared/speech one after the other."""
    speech = arguments.audio.parent
    entries = [entry for entry in read_manifest(speech) if entry["set"].startswith("librispeech")]
    path = arguments.work / "chapters.wav"
    with wave.open(str(path), "wb") as joined:
        for index, chapter in enumerate(joined_chapters(entries, speech, arguments.work)):
            with wave.open(str(chapter["file"])) as file:
                if index == 0:
                    joined.setparams(file.getparams())
                joined.writeframes(file.readframes(file.getnframes()))
        seconds = joined.getnframes() / joined.getframerate()
    return path, seconds


def compare_batches(models, arguments):
    """Long recordings: one window after the other, and in batches."""
    recording, length = joined_recording(arguments)
    print(f"\n## Long recordings: {recording.name}, {length:.0f} s, {arguments.threads} threads\n")
    print("| | seconds, least | median | CPU seconds | times real time | peak MB |")
    print("| --- |" + " ---: |" * 5)
    ratios = []
    arguments.audio = recording
    batch_sizes = {"whisper-s4y": str(arguments.threads), "faster-whisper": "8"}
    for model in models:
        # By program, one window after the other and batched.
        least = {}
        for name, command in contestants(model, arguments):
            program = name.split()[0]
            commands = [command]
            if program in batch_sizes:
                commands.append([*command, batch_sizes[program]])
            teams = take_turns(zip((name, f"{name}, batched"), commands), arguments.rounds)
            for batched, team in enumerate(teams):
                kind = (program, bool(batched))
                least[kind] = min(least.get(kind, team.best("seconds")), team.best("seconds"))
                print(
                    f"| {model} {team.name} | {team.best('seconds'):.1f} | {team.median('seconds'):.1f} "
                    f"| {team.best('cpu'):.1f} | {length / team.best('seconds'):.0f} "
                    f"| {team.runs[-1]['peak_kb'] / 1024:.0f} |",
                    flush=True,
                )
        for what, batched, peers, aim in (
            ("one window after the other", False, ("faster-whisper", "whisper.cpp"), 0.3),
            ("batched", True, ("faster-whisper",), 0.4),
        ):
            ratio = least["whisper-s4y", batched] / min(least[name, batched] for name in peers)
            met = "met" if ratio <= aim else "missed"
            ratios.append(
                f"{model}, {what}: the better of ours takes {ratio:.2f} of the better of "
                f"{' and '.join(peers)}; aim {aim}: {met}."
            )
    print("\n" + "\n".join(ratios))


def short_recordings(arguments):
    """Prompts of 2 to 5 s in English, spread over the folder."""
    entries = [
        entry
        for entry in read_manifest(arguments.prompts)
        if entry["lang"] == "en" and 2 <= float(entry["seconds"]) <= 5
    ]
    if not entries:
        sys.exit(f"{arguments.prompts} has no English recordings of 2 to 5 s: see bench/run")
    chosen = entries[:: max(1, len(entries) // arguments.recordings)][: arguments.recordings]
    return [(arguments.prompts / entry["file"]).resolve() for entry in chosen]


def compare_short(models, arguments):
    """Recordings that fill a part of a window, one after the other."""
    recordings = short_recordings(arguments)
    print(f"\n## {len(recordings)} prompts of 2 to 5 s, {arguments.threads} threads\n")
    print("Milliseconds a prompt, of the least of its rounds.\n")
    print("| | wall | CPU | encoder | peak MB |")
    print("| --- |" + " ---: |" * 4)
    reports = []
    arguments.audio = recordings[0]
    for model in models:
        commands = dict(contestants(model, arguments))
        for name in [name for name in commands if name.startswith("whisper-s4y")]:
            commands[f"{name}, auto"] = [*commands[name], "0", "auto"]
        teams = [Contestant(*it) for it in commands.items()]
        for team in teams:
            team.run()
        runs = {team.name: [] for team in teams}
        for recording in recordings:
            rounds = [[team.run(recording) for team in teams] for _ in range(arguments.rounds)]
            for index, team in enumerate(teams):
                runs[team.name].append([turn[index] for turn in rounds])
        least = {}
        for team in teams:
            team.close()

            def mean(key, of=runs[team.name]):
                return 1000 * statistics.mean(min(run[key] for run in rounds) for rounds in of)

            least[team.name] = mean("seconds")
            print(
                f"| {model} {team.name} | {least[team.name]:.0f} | {mean('cpu'):.0f} | {mean('encode'):.0f} "
                f"| {runs[team.name][-1][-1]['peak_kb'] / 1024:.0f} |",
                flush=True,
            )
        peer = min((name for name in least if not name.startswith("whisper-s4y")), key=least.get)
        reports.append({"model": model, "runs": runs})
        for name in [name for name in least if name.startswith("whisper-s4y")]:
            ratio = least[name] / least[peer]
            reports[-1][name] = ratio
            print(f"| {model} {name} / {peer} | {ratio:.2f} | | | |")
    print("\nAim: 0.2 of the better peer.")
    return reports


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("programs", type=pathlib.Path)
    parser.add_argument("--checkpoints", type=pathlib.Path, default=pathlib.Path("build/checkpoints"))
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("build/bench"))
    parser.add_argument("--audio", type=pathlib.Path, default=pathlib.Path("../shared/speech/harvard-16k.wav"))
    parser.add_argument(
        "--long-audio", type=pathlib.Path, default=pathlib.Path("../shared/speech/OSR_us_000_0030_16k.wav")
    )
    parser.add_argument("--prompts", type=pathlib.Path, default=pathlib.Path("build/prompts"))
    parser.add_argument("--recordings", type=int, default=40, help="how many --only short takes")
    parser.add_argument("--models", default="tiny.en,base")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--beam-size", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", choices=("peers", "itself", "encoders", "batches", "short"), help="leave out the other tables")
    parser.add_argument("--json", type=pathlib.Path, help="where to keep every run")
    parser.add_argument("--chart", type=pathlib.Path, help="where to draw the table of peers, as SVG")
    arguments = parser.parse_args()
    how = "greedy" if arguments.beam_size == 1 else f"beam {arguments.beam_size}"
    print(
        f"## {arguments.audio.name}: {how}, {arguments.threads} threads, "
        f"{arguments.rounds} rounds, load {os.getloadavg()[0]:.1f}"
    )
    models = arguments.models.split(",")
    report = {"audio": arguments.audio.name, "how": how, "threads": arguments.threads, "rounds": arguments.rounds}
    if arguments.only == "batches":  # takes long, and is not run otherwise
        compare_batches(models, arguments)
    if arguments.only == "short":  # needs the prompts, and is not run otherwise
        report["short"] = compare_short(models, arguments)
    if arguments.only in (None, "itself"):
        compare_with_itself(models, arguments)
    if arguments.only in (None, "encoders"):
        report["encoders"] = compare_encoders(models, arguments)
    if arguments.only in (None, "peers"):
        report["models"] = [compare(model, arguments) for model in models]
        if arguments.chart:
            arguments.chart.write_text(chart(report))
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
