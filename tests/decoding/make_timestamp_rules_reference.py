#!/usr/bin/env python3
"""Writes timestamp_rules_reference.json: allowed token ids after ApplyTimestampRules.

An independent restatement, in numpy with -inf and float64, of the rules of openai/whisper
decoding.py (ApplyTimestampRules) on a small vocabulary:

    0..19 text, 20 = <|endoftext|>, 21..28 other specials, 29 = <|notimestamps|>, 30..60 timestamps

Run: python3 make_timestamp_rules_reference.py > timestamp_rules_reference.json
"""
import json

import numpy as np

EOT, NO_TIMESTAMPS, BEGIN, VOCAB = 20, 29, 30, 61


def allowed(logits, sampled, max_initial_index):
    x = np.array(logits, dtype=np.float64)
    x[NO_TIMESTAMPS] = -np.inf
    is_time = [t >= BEGIN for t in sampled]
    last = bool(is_time) and is_time[-1]
    before_last = len(sampled) < 2 or is_time[-2]
    if last and before_last:
        x[BEGIN:] = -np.inf
    elif last:
        x[:EOT] = -np.inf
    times = [t for t in sampled if t >= BEGIN]
    if times:
        first_allowed = times[-1] + (0 if last and not before_last else 1)
        x[BEGIN:first_allowed] = -np.inf
    if not sampled:
        x[:BEGIN] = -np.inf
        if max_initial_index is not None:
            x[BEGIN + max_initial_index + 1 :] = -np.inf
    with np.errstate(divide="ignore", over="ignore"):
        top = x.max()
        logprobs = x - top - np.log(np.exp(x - top).sum())
        time_logprob = np.log(np.exp(logprobs[BEGIN:]).sum())
    if time_logprob > logprobs[:BEGIN].max():
        x[:BEGIN] = -np.inf
    return [int(i) for i in np.flatnonzero(np.isfinite(x))]


def main():
    rng = np.random.default_rng(20250625)
    cases = []
    for number in range(120):
        sampled = []
        time = 0
        for _ in range(int(rng.integers(0, 7))):
            if rng.random() < 0.45 and time < VOCAB - BEGIN - 1:
                time += int(rng.integers(0, 4))
                time = min(time, VOCAB - BEGIN - 1)
                sampled.append(BEGIN + time)
            else:
                sampled.append(int(rng.integers(0, EOT)))
        logits = rng.normal(scale=2.0, size=VOCAB)
        logits[BEGIN:] += rng.choice([-4.0, -2.0, 0.0])
        logits = [round(float(v), 3) for v in logits]
        max_initial = [5, 0, None][number % 3]
        cases.append(
            {
                "sampled": sampled,
                "max_initial_timestamp_index": max_initial,
                "logits": logits,
                "allowed": allowed(logits, sampled, max_initial),
            }
        )
    print("[")
    print(",\n".join(json.dumps(case) for case in cases))
    print("]")


if __name__ == "__main__":
    main()
