"""The other side of compare.py: keeps a peer's model loaded and transcribes a recording each time a
line "run" comes in, or another one whose path comes in. Answers with one line of JSON, like transcribe_worker.cc.

  peer_worker.py faster-whisper FOLDER float32|int8 RECORDING THREADS BEAM_SIZE [BATCH_SIZE]
  peer_worker.py whisper.cpp FILE.bin - RECORDING THREADS BEAM_SIZE
"""

import json
import os
import re
import resource
import sys
import tempfile
import time


def load_audio(path):
    from faster_whisper.audio import decode_audio

    return decode_audio(path, sampling_rate=16000)


class FasterWhisper:
    def __init__(self, folder, compute_type, threads, beam_size, batch_size):
        from faster_whisper import BatchedInferencePipeline, WhisperModel

        times = self.times = {}

        class TimedModel(WhisperModel):
            def encode(self, features):
                start = time.perf_counter()
                output = super().encode(features)
                times["encode"] += time.perf_counter() - start
                times["windows"] += 1
                return output

            def generate_with_fallback(self, *arguments):
                start = time.perf_counter()
                result = super().generate_with_fallback(*arguments)
                times["decode"] += time.perf_counter() - start
                times["tokens"] += len(result[0].sequences_ids[0])
                return result

        self.model = TimedModel(folder, device="cpu", compute_type=compute_type, cpu_threads=threads)
        self.beam_size = beam_size
        self.options = {}
        if batch_size > 0:
            self.model = BatchedInferencePipeline(self.model)
            # Without the timestamps that whisper-s4y gives it would have fewer tokens to decode.
            self.options = {"batch_size": batch_size, "without_timestamps": False}

    def transcribe(self, audio):
        self.times.update(encode=0.0, decode=0.0, windows=0, tokens=0)
        segments, _ = self.model.transcribe(
            audio, language="en", beam_size=self.beam_size, temperature=0.0, **self.options
        )
        text = "".join(segment.text for segment in segments)
        return text, dict(self.times)


class WhisperCpp:
    def __init__(self, path, _, threads, beam_size, batch_size):
        import _pywhispercpp
        from pywhispercpp.model import Model

        if batch_size > 0:
            sys.exit("whisper.cpp has no batches")
        self.api = _pywhispercpp
        self.model = Model(
            path, params_sampling_strategy=0 if beam_size == 1 else 1, redirect_whispercpp_logs_to=False
        )
        self.options = dict(
            n_threads=threads,
            language="en",
            temperature=0.0,
            temperature_inc=0.0,
            suppress_nst=True,
            print_progress=False,
            greedy={"best_of": 1},
        )
        if beam_size > 1:
            self.options["beam_search"] = {"beam_size": beam_size, "patience": -1.0}

    def timings(self):
        """What whisper_print_timings() writes to the standard error output."""
        with tempfile.TemporaryFile() as log:
            saved = os.dup(2)
            os.dup2(log.fileno(), 2)
            try:
                self.api.whisper_print_timings(self.model._ctx)
            finally:
                os.dup2(saved, 2)
                os.close(saved)
            log.seek(0)
            text = log.read().decode()
        found = {}
        for name, milliseconds, runs in re.findall(r"(\w+) time =\s*([\d.]+) ms(?: /\s*(\d+) runs)?", text):
            found[name] = (float(milliseconds) / 1000, int(runs or 0))
        if "encode" not in found:
            sys.exit(f"whisper.cpp printed no times:\n{text}")
        return found

    def transcribe(self, audio):
        self.api.whisper_reset_timings(self.model._ctx)
        segments = self.model.transcribe(audio, **self.options)
        text = " ".join(segment.text.strip() for segment in segments)
        found = self.timings()
        names = ("sample", "decode", "batchd", "prompt")
        return text, {
            "encode": found["encode"][0],
            "windows": found["encode"][1],
            "features": found["mel"][0],
            "decode": sum(found[name][0] for name in names),
            # Greedy steps are counted as decode, those of several beams as batchd.
            "tokens": found["decode"][1] + found["batchd"][1],
        }


def main():
    kind, model, compute_type, recording, threads, beam_size, *batch_size = sys.argv[1:]
    audio = load_audio(recording)
    bare = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    peer = {"faster-whisper": FasterWhisper, "whisper.cpp": WhisperCpp}[kind](
        model, compute_type, int(threads), int(beam_size), int(batch_size[0]) if batch_size else 0
    )
    for line in sys.stdin:
        if line != "run\n":
            audio = load_audio(line.rstrip("\n"))
        start = time.perf_counter()
        cpu = time.process_time()
        text, times = peer.transcribe(audio)
        cpu = time.process_time() - cpu
        seconds = time.perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        answer = {"seconds": seconds, "cpu": cpu, **times, "peak_kb": peak, "python_kb": bare, "text": text}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
