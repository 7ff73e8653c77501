"""Recordings, goldens and converted models for the Python tests of this folder."""
import json
import os
import pathlib
import subprocess
import sys

import numpy as np

GOLDENS = {"tiny.en": "whisper-tiny.en", "base": "whisper-base"}
RECORDINGS = ["harvard-16k.wav", "OSR_us_000_0030_16k.wav", "jfk.flac", "1-1.wav", "al-fatiha.wav"]
PROMPT_CAPACITY = 228


def skip(reason):
    """Ends the test as skipped."""
    print("SKIPPED:", reason)
    sys.exit(77)


def checkpoint(name):
    folder = os.environ.get("WHISPER_S4Y_CHECKPOINTS")
    if not folder:
        skip("needs WHISPER_S4Y_CHECKPOINTS")
    return pathlib.Path(folder) / name / "hf"


def convert(program, model, output, *options):
    subprocess.run([program, "convert", checkpoint(model), "-q", "-o", output, *options], check=True)
    return str(output)


def window(shared, recording):
    """The first 30 s as normalized_audio, decoded as openai/whisper does (audio.py: load_audio)."""
    command = ["ffmpeg", "-v", "error", "-i", pathlib.Path(shared) / "speech" / recording,
               "-f", "s16le", "-ac", "1", "-ar", "16000", "-"]
    raw = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    audio = np.frombuffer(raw, "<i2").astype(np.float32)[:480000] / 32768
    return np.pad(audio, (0, 480000 - len(audio)))


def golden(shared, model, recording):
    """(json, npz) of a recording."""
    stem = pathlib.Path(shared) / "goldens" / GOLDENS[model] / pathlib.Path(recording).stem
    return json.loads(stem.with_suffix(".json").read_text()), np.load(stem.with_suffix(".npz"))


def is_right(text, tokens, facts, exact):
    """Whether they are the golden ones; in int8, which may decide one close call otherwise, but for a word."""
    if exact:
        return text == facts["text"].strip() and tokens == facts["tokens"]
    said, expected = text.split(), facts["text"].split()
    return len(said) == len(expected) and sum(map(str.__ne__, said, expected)) <= 1


def row(tokens, capacity=448):
    """A row as the models give it: <|endoftext|>, the last token, fills it up."""
    return np.array([tokens + [tokens[-1]] * (capacity - len(tokens))], np.int32)


def prompt_inputs(prompt, max_length=448):
    """The inputs of `decode` and `transcribe` that say what is wanted."""
    padded = np.zeros((1, PROMPT_CAPACITY), np.int32)
    padded[0, :len(prompt)] = prompt
    return {"prompt_tokens": padded, "prompt_length": np.array([len(prompt)], np.int32),
            "max_length": np.array([max_length], np.int32)}


def greedy(run, audio, start, positions=448):
    """The row of tokens that the five signatures of `convert --for web` give for a window of an
    English-only model, as docs/models.md shows it. run(signature, **inputs) gives the outputs by
    name; no suppressed token but a blank and the end at first is likeliest in our recordings."""
    logmel = run("features", normalized_audio=audio)["logmel"]
    hidden = run("encode", input_features=logmel)["last_hidden_state"]
    cross = run("cross", last_hidden_state=hidden)
    caches = {}
    for name, value in cross.items():
        _, heads, *rest = value.shape  # keys [positions, e], values [e, positions]
        caches[name.replace("cross_", "self_")] = np.zeros(
            (1, heads, *[positions if size == 1500 else size for size in rest]), np.float32)
    tokens = list(start)
    end = 50256
    for position in range(positions - 1):
        outputs = run("step", token=np.array([tokens[position]], np.int32),
                      position=np.array([position], np.int32), **caches, **cross)
        caches = {name[len("new_"):]: value for name, value in outputs.items() if name != "logits"}
        if position + 1 < len(tokens):
            continue
        logits = np.array(outputs["logits"][0])
        if position + 1 == len(start):
            logits[[220, end]] = -1e9
        tokens.append(int(np.argmax(logits)))
        if tokens[-1] == end:
            break
    return tokens
