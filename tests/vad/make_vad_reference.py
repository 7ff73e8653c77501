#!/usr/bin/env python3
"""Makes the references of the VAD tests with Silero's ONNX model and faster-whisper's code.

    pip install faster-whisper==1.2.1 onnxruntime numpy
    pip download --no-deps silero-vad==6.2.3 && unzip silero_vad-6.2.3-*.whl
    tests/vad/make_vad_reference.py silero_vad/data/silero_vad_16k_sequence.onnx SPEECH_FOLDER

speech_probs.f32: float32 probabilities of all 16 kHz recordings of the folder one after another,
from the ONNX model. recordings.json: their names, numbers of samples, and the segments of faster-whisper's
get_speech_timestamps with that model, for each of the options listed. rules.json: the same code on
made-up probabilities, with odd options, and collect_chunks and SpeechTimestampsMap on the results.
"""
import json
import pathlib
import sys

import av
import numpy as np
from faster_whisper import vad
from faster_whisper.audio import decode_audio

OPTIONS = [
    {},
    {"max_speech_duration_s": 30, "min_silence_duration_ms": 160},  # the batched pipeline's
    {"threshold": 0.6, "neg_threshold": 0.2, "min_speech_duration_ms": 250,
     "min_silence_duration_ms": 100, "speech_pad_ms": 30},  # Silero's own defaults but for 0.6, 0.2
]
ODD_OPTIONS = OPTIONS + [
    {"max_speech_duration_s": 2, "speech_pad_ms": 100},
    {"max_speech_duration_s": 1.5, "speech_pad_ms": 0, "min_silence_duration_ms": 0},
    {"max_speech_duration_s": 4, "min_silence_duration_ms": 700, "min_speech_duration_ms": 300},
    {"threshold": 0.1, "speech_pad_ms": 1000, "min_silence_duration_ms": 300},
    {"threshold": 0.9, "min_silence_duration_ms": 64, "speech_pad_ms": 400},
]


def pairs(segments):
    return [[segment["start"], segment["end"]] for segment in segments]


def segments_of(probs, samples, options):
    vad.get_vad_model = lambda: lambda audio: probs
    return vad.get_speech_timestamps(np.zeros(samples, np.float32), vad.VadOptions(**options))


def recordings(model, folder, here):
    entries, all_probs = [], []
    for path in sorted(folder.iterdir()):
        if path.suffix not in (".wav", ".flac"):
            continue
        with av.open(str(path)) as container:
            if container.streams.audio[0].rate != 16000:
                continue  # resamplers differ, and so would the samples
        audio = decode_audio(str(path))
        frames = np.pad(audio, (0, 512 - len(audio) % 512)).reshape(-1, 512)
        context = np.concatenate([np.zeros((1, 64), np.float32), frames[:-1, -64:]])
        state = np.zeros((1, 1, 128), np.float32)
        probs = model.session.run(None, {"input": np.concatenate([context, frames], 1),
                                         "h": state, "c": state})[0].reshape(-1)
        all_probs.append(probs)
        vad.get_vad_model = lambda: model
        entries.append({"name": path.name, "samples": len(audio), "segments": [
            pairs(vad.get_speech_timestamps(audio, vad.VadOptions(**o))) for o in OPTIONS]})
    np.concatenate(all_probs).astype("<f4").tofile(here / "speech_probs.f32")
    (here / "recordings.json").write_text(json.dumps(
        {"options": OPTIONS, "recordings": entries}, indent=None, separators=(",", ":")) + "\n")


def rules(here):
    rng = np.random.default_rng(0)
    cases = []
    for i in range(24):
        chunks = int(rng.integers(1, 400))
        # Slow and fast changes: long speech with short and long pauses, all near the thresholds.
        walk = np.convolve(rng.standard_normal(chunks + 40), np.ones(1 + i % 12) / 3, "same")
        probs = np.round(1 / (1 + np.exp(-3 * walk[:chunks])), 2).astype(np.float32)
        samples = 512 * (chunks - 1) + int(rng.integers(0, 512))
        results = []
        for options in ODD_OPTIONS:
            segments = segments_of(probs, samples, options)
            result = {"segments": pairs(segments), "times": []}
            if segments:
                times = vad.SpeechTimestampsMap(segments, 16000)
                end = times.chunk_end_sample[-1] / 16000
                ends = [sample / 16000 for sample in times.chunk_end_sample]
                for time in [0.0, end / 3, end / 2, end, end + 1] + ends[:4]:
                    result["times"].append([time, times.get_original_time(time),
                                            times.get_original_time(time, is_end=True)])
            results.append(result)
        cases.append({"probs": [float(f"{p:.2f}") for p in probs], "samples": samples,
                      "results": results})
    (here / "rules.json").write_text(json.dumps(
        {"options": ODD_OPTIONS, "cases": cases}, separators=(",", ":")) + "\n")


def main():
    here = pathlib.Path(__file__).parent
    recordings(vad.SileroVADModel(sys.argv[1]), pathlib.Path(sys.argv[2]), here)
    rules(here)


if __name__ == "__main__":
    main()
