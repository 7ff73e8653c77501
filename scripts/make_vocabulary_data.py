#!/usr/bin/env python3
"""Makes src/vocabulary/data/{gpt2,multilingual}.merges.z from genuine tokenizer.json files.

    scripts/make_vocabulary_data.py gpt2 whisper-tiny.en/tokenizer.json
    scripts/make_vocabulary_data.py multilingual whisper-base/tokenizer.json

Both vocabularies are the 256 bytes followed by the results of 50000 merges, so the merges say all:
merge i makes token 256 + i out of two older tokens. The file is a zlib stream of four planes of
50000 bytes each: low and high bytes of the left ids, low and high bytes of the right ids.
"""
import json
import pathlib
import sys
import zlib


def main():
    name, source = sys.argv[1:]
    model = json.loads(pathlib.Path(source).read_text(encoding="utf-8"))["model"]
    ids = model["vocab"]
    left, right = [], []
    for i, merge in enumerate(model["merges"]):
        a, b = merge.split(" ") if isinstance(merge, str) else merge
        if ids[a + b] != 256 + i or max(ids[a], ids[b]) >= 256 + i:
            sys.exit(f"merge {i} does not make token {256 + i} out of older tokens")
        left.append(ids[a])
        right.append(ids[b])
    if len(left) != 50000:
        sys.exit(f"{source} has {len(left)} merges, expected 50000")
    planes = b"".join(bytes(x >> shift & 255 for x in side)
                      for side in (left, right) for shift in (0, 8))
    out = pathlib.Path(__file__).parent.parent / "src/vocabulary/data" / f"{name}.merges.z"
    out.write_bytes(zlib.compress(planes, 9))
    print(f"{out}: {out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
