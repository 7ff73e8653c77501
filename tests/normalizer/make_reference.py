#!/usr/bin/env python3
"""Writes reference.json: sentences and what the Python package whisper-normalizer makes of them.

    pip install whisper-normalizer
    make_reference.py > reference.json

The sentences leave out "kinda", "sorta", "dunno" and "cause", which the package expands and
openai/whisper, which the program follows, does not.
"""

import json
import random

from whisper_normalizer.basic import BasicTextNormalizer
from whisper_normalizer.english import EnglishTextNormalizer

NUMBERS = (
    "o oh zero one two three four five six seven eight nine ten eleven twelve thirteen fifteen "
    "nineteen twenty thirty forty fifty ninety hundred thousand million billion decillion ones "
    "sixes tens twenties hundreds thousands millions first second third fourth fifth eighth ninth "
    "twelfth twentieth thirtieth hundredth thousandth and double triple point minus negative plus "
    "positive dollars dollar pounds euros cents cent percent per 1 2 7 10 21 100 1,000 2.5 3.0 0.36 "
    "$5 £77 €0.50 ¢7 1960s 32nd 10th 007 1,2,3,4 12.50 99% -4 +5 10km b747 5% ٤٢ ½ ² 1.2.3"
).split(" ")
PHRASES = [
    "and a half", "three and a half million", "two point five", "five twenty four",
    "nineteen ninety nine", "two dollars and seventy cents", "one oh one", "double oh seven",
    "seventy six per cent", "two hundred and five", "10 th", "$0.36", "one triple oh one",
    "nine hundred decillion", "zero point zero five", "point five", "$2 and seven cents",
]
WORDS = (
    "the a he she's it's they'd I'm won't can't didn't let's y'all gonna wanna gotta i'ma imma "
    "coulda ain't ma'am Mr. Mrs. Dr. St. Jr. Prof. Gen. he'd've who's'd been she's been they'd gone "
    "he's got colour honour organise theatre grey jewellery travelled analyse mm hmm um uh uh-huh "
    "mhm rock'n'roll don't, (aside) [music] <laughs> café naïve Ångström straße œuvre łódź Þór "
    "İstanbul ΟΔΟΣ Σίσυφος ﬁne № ™ … — “quoted” ‘single’ A.B.C. U.S. e.g. etc. ... ?! 'tis 'em "
    "o'clock rock ' n roll % $ £ . , ; ~ a_b x-ray 3D 2nd-hand and/or C++ http://x.y/z?q=1 日本 "
    "हिन्दी مُحَمَّد ไทย 한국어 😀 e\u0301 \u00a0 \t \n \u200b"
).split(" ")
TAILS = [" ", " ", " ", " ", "  ", ", ", ". ", "? ", "\n", ""]


def sentences(rng):
    for number in range(500):
        pools = [NUMBERS, WORDS, PHRASES]
        weights = [[6, 2, 1], [1, 6, 1], [3, 3, 2], [8, 0, 1]][number % 4]
        text = ""
        for _ in range(rng.randint(1, 9)):
            text += rng.choice(rng.choices(pools, weights)[0]) + rng.choice(TAILS)
        yield text


def main():
    english = EnglishTextNormalizer()
    basic = BasicTextNormalizer()
    plain = BasicTextNormalizer(remove_diacritics=True)
    letters = BasicTextNormalizer(split_letters=True)
    rows = [
        {
            "text": text,
            "english": english(text),
            "basic": basic(text),
            "plain": plain(text),
            "letters": letters(text),
        }
        for text in sentences(random.Random(7))
    ]
    print("[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n]")


if __name__ == "__main__":
    main()
