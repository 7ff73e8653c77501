"""The programs whose accuracy is compared, each with the same call, and their kept results."""

import hashlib
import json
import pathlib
import subprocess
import sys
import tempfile
import time

AT_ONCE = 10  # recordings after which results are kept
MODES = ("greedy", "beam 5", "defaults")


def digest(*parts):
    sha = hashlib.sha256()
    for part in parts:
        sha.update(part.read_bytes() if isinstance(part, pathlib.Path) else repr(part).encode())
    return sha.hexdigest()[:20]


class Ours:
    def __init__(self, name, program, model, threads, flags=()):
        self.name = name
        self.program = program
        self.model = model
        self.threads = threads
        self.flags = flags

    def key(self):
        return digest(self.program, self.model, *self.flags)

    def transcribe(self, recordings, mode, words=False):
        """Path and language of each -> transcripts as openai/whisper's json has them."""
        results = {}
        for language in sorted({language for _, language in recordings}):
            paths = [path for path, its in recordings if its == language]
            with tempfile.TemporaryDirectory() as folder:
                # Prompts of several languages may have the same name.
                links = [pathlib.Path(folder) / f"{index}{path.suffix}" for index, path in enumerate(paths)]
                for link, path in zip(links, paths):
                    link.symlink_to(path.resolve())
                command = [self.program, "transcribe", self.model, *links, "-f", "json", "-o", folder]
                command += ["--language", language, "--threads", self.threads, "-q", *self.flags]
                if mode != "defaults":
                    command += ["--temperature-increment-on-fallback", "0"]
                if mode == "beam 5":
                    command += ["--beam-size", "5"]
                if words:
                    command += ["--word-timestamps"]
                subprocess.run([str(part) for part in command], check=True)
                for link, path in zip(links, paths):
                    results[path] = json.loads(link.with_suffix(".json").read_text())
        return [results[path] for path, _ in recordings]


class FasterWhisper:
    def __init__(self, name, folder, compute_type, threads):
        self.name = name
        self.folder = folder
        self.compute_type = compute_type
        self.threads = threads
        self.model = None

    def key(self):
        import faster_whisper

        return digest(self.folder / "model.bin", self.compute_type, faster_whisper.__version__)

    def transcribe(self, recordings, mode, words=False):
        from faster_whisper import WhisperModel

        if self.model is None:
            self.model = WhisperModel(
                str(self.folder), device="cpu", compute_type=self.compute_type, cpu_threads=self.threads
            )
        options = {}
        if mode != "defaults":
            options = {"beam_size": 5 if mode == "beam 5" else 1, "temperature": 0.0}
        results = []
        for path, language in recordings:
            segments, _ = self.model.transcribe(str(path), language=language, word_timestamps=words, **options)
            kept = []
            for segment in segments:
                said = [{"word": w.word, "start": w.start, "end": w.end} for w in segment.words or []]
                kept.append({"start": segment.start, "end": segment.end, "text": segment.text, "words": said})
            results.append({"text": "".join(segment["text"] for segment in kept), "segments": kept})
        return results


class WhisperCpp:
    def __init__(self, name, file, threads):
        self.name = name
        self.file = file
        self.threads = threads
        self.models = {}

    def key(self):
        import pywhispercpp

        return digest(self.file, getattr(pywhispercpp, "__version__", ""))

    def transcribe(self, recordings, mode, words=False):
        from faster_whisper.audio import decode_audio
        from pywhispercpp.model import Model

        if words:
            sys.exit("whisper.cpp's times of words are not compared")
        beams = mode == "beam 5"
        if beams not in self.models:
            self.models[beams] = Model(
                str(self.file), params_sampling_strategy=1 if beams else 0, redirect_whispercpp_logs_to=False
            )
        options = dict(n_threads=self.threads, suppress_nst=True, print_progress=False)
        if mode != "defaults":
            options.update(temperature=0.0, temperature_inc=0.0, greedy={"best_of": 1})
        if beams:
            options["beam_search"] = {"beam_size": 5, "patience": -1.0}
        results = []
        for path, language in recordings:
            audio = decode_audio(str(path), sampling_rate=16000)
            segments = self.models[beams].transcribe(audio, language=language, **options)
            results.append({"text": " ".join(segment.text.strip() for segment in segments)})
        return results


def remembered(work, system, recordings, mode, words=False):
    """The transcripts, from `work` as far as they were made by the same program and model."""
    stored = work / f"accuracy-{digest(system.key(), mode, words)}.json"
    results = json.loads(stored.read_text()) if stored.exists() else {}
    # By recording: the same one may be in several sets, and two runs may ask for different ones.
    names = [f"{path.name} {language} {digest(path)}" for path, language in recordings]
    missing = [index for index, name in enumerate(names) if name not in results]
    start = time.monotonic()
    for begin in range(0, len(missing), AT_ONCE):
        some = missing[begin : begin + AT_ONCE]
        transcripts = system.transcribe([recordings[index] for index in some], mode, words)
        results.update(zip((names[index] for index in some), transcripts))
        unfinished = stored.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(results))
        unfinished.replace(stored)
        how = f"{system.name}, {mode}{', word times' if words else ''}"
        done = f"{begin + len(some)} of {len(missing)} recordings in {time.monotonic() - start:.0f} s"
        print(f"{how}: {done}", file=sys.stderr, flush=True)
    return [results[name] for name in names]
