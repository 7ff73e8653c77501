#!/usr/bin/env python3
"""Writes reference.json: texts and their ids by Hugging Face's tokenizers.

    make_reference.py TINY_EN_TOKENIZER_JSON BASE_TOKENIZER_JSON > reference.json
"""

import json
import random
import sys

from tokenizers import Tokenizer

WORDS = (
    "the and of hello don't it's we'll Straße naïve œuvre 日本語 テスト 中文 한국어 ภาษาไทย "
    "العربية עברית हिन्दी தமிழ் русский ελληνικά Việt 😀 👨‍👩‍👧 ♪♪ — … « » “quoted” 'tis 42 3.14 "
    "1,000 ½ ² ٤٢ Ⅷ $5 50% C++ foo_bar https://example.org/?q=1 \u00ad \u200b e\u0301 I'M I'm 's"
).split(" ")
SPACES = [" ", " ", " ", "  ", "\n", "\t", "\r\n", "\u00a0", "\u3000", " \n ", ""]
RANGES = [(0x20, 0x7E), (0xA0, 0x24F), (0x370, 0x5FF), (0x900, 0xDFF), (0x3000, 0x30FF),
          (0x4E00, 0x9FFF), (0x1F300, 0x1F64F), (0x2000, 0x2BFF)]


def texts(rng):
    for _ in range(150):
        yield "".join(rng.choice(WORDS) + rng.choice(SPACES) for _ in range(rng.randint(1, 12)))
    for _ in range(100):
        low, high = rng.choice(RANGES)
        yield "".join(
            chr(rng.randint(low, high)) if rng.random() < 0.8 else " "
            for _ in range(rng.randint(1, 30))
        )


def main():
    english, multilingual = (Tokenizer.from_file(path) for path in sys.argv[1:3])
    rows = []
    for text in texts(random.Random(2024)):
        rows.append({
            "text": text,
            "english": english.encode(text, add_special_tokens=False).ids,
            "multilingual": multilingual.encode(text, add_special_tokens=False).ids,
        })
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    print('{"source": "make_reference.py", "texts": [\n' + lines + "\n]}")


if __name__ == "__main__":
    main()
