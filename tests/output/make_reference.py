#!/usr/bin/env python3
"""Writes reference.json: transcripts and what the writers of openai/whisper make of them.

    make_reference.py WHISPER_UTILS_PY > reference.json

WHISPER_UTILS_PY is whisper/utils.py of openai/whisper; it needs nothing but Python.
"""

import importlib.util
import io
import json
import random
import sys

VOCABULARY = (
    " the and so my fellow Americans, ask not what your country can do for you. naïve 日本 "
    "Ångström extraordinarily 42 don't — 😀 \"quoted\" tab\there"
).split(" ")[1:]
OPTIONS = [
    {},
    {"max_line_width": 20},
    {"max_line_width": 20, "max_line_count": 2},
    {"max_line_width": 12, "max_line_count": 1},
    {"max_words_per_line": 3},
    {"max_words_per_line": 4, "max_line_width": 10},
    {"highlight_words": True},
    {"highlight_words": True, "max_line_width": 16, "max_line_count": 2},
]


def transcript(rng, with_words):
    segments = []
    time = rng.choice([0.0, 1.5, 3599.0, 35999.97])
    for number in range(rng.randint(0, 6)):
        words = []
        start = time
        for _ in range(rng.randint(1, 12)):
            begin = round(time, 2)
            time += rng.choice([0.0, 0.1, 0.24, 0.58, 0.345])
            words.append({
                "word": " " + rng.choice(VOCABULARY),
                "start": begin,
                "end": round(time, 2),
                "probability": rng.choice([0.5, 0.25, 1.0]),
            })
            time += rng.choice([0.0, 0.0, 0.0, 0.2, 3.2])
        text = "".join(word["word"] for word in words)
        if not with_words and rng.random() < 0.3:
            text += " --> arrow"
        segment = {
            "id": number,
            "seek": rng.randint(0, 9000),
            "start": start,
            "end": time,
            "text": text,
            "tokens": [rng.randint(0, 50000) for _ in range(4)],
            "temperature": 0.5,
            "avg_logprob": -0.25,
            "compression_ratio": 1.5,
            "no_speech_prob": 0.125,
        }
        if with_words:
            segment["words"] = words
        segments.append(segment)
        time += rng.choice([0.0, 1.0, 5.0])
    return {
        "text": "".join(segment["text"] for segment in segments),
        "segments": segments,
        "language": "en",
    }


def main():
    spec = importlib.util.spec_from_file_location("whisper_utils", sys.argv[1])
    utils = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(utils)
    rng = random.Random(42)
    cases = []
    for number in range(16):
        with_words = number % 4 != 3
        result = transcript(rng, with_words)
        outputs = []
        for name in ("txt", "tsv", "vtt", "srt"):
            for options in OPTIONS if name in ("vtt", "srt") and with_words else [{}]:
                if name == "srt" and options and number > 3:
                    continue
                file = io.StringIO()
                utils.get_writer(name, ".").write_result(result, file, options)
                outputs.append({"format": name, "options": options, "text": file.getvalue()})
        cases.append({"transcript": result, "outputs": outputs})
    print(json.dumps({"cases": cases}, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
