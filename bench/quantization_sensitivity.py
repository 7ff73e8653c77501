"""What each group of matrices costs when it alone is stored in another number format, as Markdown.

  quantization_sensitivity.py PROGRAM CHECKPOINT RECORDING... [--format int4] [--by kind|layer|matrix]
                              [--only PATTERN] [--recipe FILE...]

Everything else stays float32. Both models are fed the tokens that float32 chooses; the divergence is
the mean over the tokens of the Kullback-Leibler divergence of their distributions, in thousandths of
a nat; "other token" is how often the likeliest token is another one. --recipe measures whole recipes
beside. Needs the packages ai-edge-litert and numpy (build/venv has them).
"""

import argparse
import fnmatch
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from ai_edge_litert.interpreter import Interpreter

MAX_TOKENS = 60
SELF = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.out_proj"]
CROSS = [name.replace("self_attn", "encoder_attn") for name in SELF]
MATRICES = {"encoder": SELF + ["fc1", "fc2"], "decoder": SELF + CROSS + ["fc1", "fc2"]}


def groups(config, by):
    """Patterns of matrices, each with a side: "encoder" or "decoder"."""
    for side, names in MATRICES.items():
        layers = range(config[f"{side}_layers"])
        if by == "kind":
            yield from ((side, f"{side}.layers.*.{name}") for name in names)
        elif by == "layer":
            yield from ((side, f"{side}.layers.{layer}.*") for layer in layers)
        else:
            yield from ((side, f"{side}.layers.{layer}.{name}") for layer in layers for name in names)


def numbers_in(pattern, config):
    """How many numbers the matrices of a pattern have."""
    total = 0
    for side, names in MATRICES.items():
        d, ffn = config["d_model"], config[f"{side}_ffn_dim"]
        for layer in range(config[f"{side}_layers"]):
            for name in names:
                if fnmatch.fnmatchcase(f"{side}.layers.{layer}.{name}", pattern):
                    total += d * (ffn if name.startswith("fc") else d)
    return total


class Model:
    """The signatures of a bundle, one step after the other."""

    def __init__(self, path):
        self.interpreter = Interpreter(str(path))
        self.runners = {}

    def run(self, key, **inputs):
        if key not in self.runners:
            self.runners[key] = self.interpreter.get_signature_runner(key)
        return self.runners[key](**inputs)

    def encode(self, features):
        return self.run("encode", input_features=features)["last_hidden_state"]

    def logits(self, hidden, prompt, chosen=None):
        """The logits after the prompt and each further token: those given, or the likeliest ones up
        to <|endoftext|>, which are returned too."""
        state = self.run("cross", last_hidden_state=hidden)
        details = self.interpreter.get_signature_runner("step").get_input_details()
        for name, detail in details.items():
            if name.startswith("self_"):
                state[name] = np.zeros(detail["shape"], np.float32)
        tokens, rows = list(prompt), []
        end, following = prompt.end, list(chosen or [])
        for position in range(len(prompt) + MAX_TOKENS):
            token = np.array([tokens[position]], np.int32)
            result = self.run("step", token=token, position=np.array([position], np.int32), **state)
            for name, value in result.items():
                if name.startswith("new_"):
                    state[name.removeprefix("new_")] = value
            if position + 1 < len(prompt):
                continue
            rows.append(result["logits"][0])
            if chosen is None:
                following.append(int(rows[-1].argmax()))
            if len(rows) == len(following) and (chosen is not None or following[-1] == end):
                break
            tokens.append(following[len(rows) - 1])
        return np.array(rows), following


class Prompt(list):
    """An English transcription without timestamps."""

    def __init__(self, info):
        tokens = [info["decoder_start_token_id"]]
        if info["is_multilingual"]:
            tokens += [dict(info["lang_to_id"])["en"], info["transcribe_token_id"]]
        super().__init__(tokens + [info["no_timestamps_token_id"]])
        self.end = info["eos_token_id"]


def log_softmax(logits):
    logits = logits - logits.max(-1, keepdims=True)
    return logits - np.log(np.exp(logits).sum(-1, keepdims=True))


class Bench:
    def __init__(self, program, checkpoint, recordings, folder):
        self.program, self.checkpoint, self.folder = program.resolve(), checkpoint, folder
        exact = self.convert({})
        described = subprocess.run([self.program, "inspect", exact, "--json"], check=True, capture_output=True)
        self.info = json.loads(described.stdout)["model"]
        self.prompt = Prompt(self.info)
        model = Model(exact)
        self.windows = []
        for recording in recordings:
            features = self.features(recording)
            hidden = model.encode(features)
            rows, tokens = model.logits(hidden, self.prompt)
            self.windows.append((features, hidden, tokens, log_softmax(rows)))

    def features(self, recording):
        path = self.folder / "mel.npy"
        bins = str(self.info["num_mel_bins"])
        subprocess.run([self.program, "features", recording, "-o", path, "--mel-bins", bins, "-q"], check=True)
        return np.load(path)[:1]

    def convert(self, recipe):
        recipe_path, path = self.folder / "recipe.json", self.folder / "model.tflite"
        recipe_path.write_text(json.dumps(recipe))
        command = [self.program, "convert", self.checkpoint, "-o", path, "--quantize-recipe", recipe_path]
        subprocess.run([*command, "--no-verify", "-q"], check=True)
        return path

    def measure(self, recipe, encoder=True):
        """Divergence in thousandths of a nat, share of other tokens, bytes of the file."""
        path = self.convert(recipe)
        model = Model(path)
        divergences, others = [], []
        for features, hidden, tokens, expected in self.windows:
            rows, _ = model.logits(model.encode(features) if encoder else hidden, self.prompt, tokens)
            got = log_softmax(rows)
            divergences.append((np.exp(expected) * (expected - got)).sum(-1))
            others.append(expected.argmax(-1) != got.argmax(-1))
        return 1000 * np.concatenate(divergences).mean(), np.concatenate(others).mean(), path.stat().st_size


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("checkpoint", type=pathlib.Path)
    parser.add_argument("recordings", type=pathlib.Path, nargs="+")
    parser.add_argument("--format", default="int4", choices=["fp16", "int8", "int4"])
    parser.add_argument("--by", default="kind", choices=["kind", "layer", "matrix"])
    parser.add_argument("--only", default="*", help="groups whose pattern matches this one")
    parser.add_argument("--recipe", type=pathlib.Path, action="append", default=[])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(arguments.program, arguments.checkpoint, arguments.recordings, pathlib.Path(folder))
        tokens = sum(len(window[2]) for window in bench.windows)
        print(f"{len(bench.windows)} recordings, {tokens} tokens, {arguments.format}\n")
        print("| matrices | million numbers | divergence | other token |")
        print("| --- | ---: | ---: | ---: |")

        def row(name, numbers, recipe, encoder=True):
            divergence, others, _ = bench.measure(recipe, encoder)
            print(f"| {name} | {numbers / 1e6:.1f} | {divergence:.2f} | {100 * others:.1f} % |", flush=True)

        for side, pattern in groups(bench.info, arguments.by):
            if fnmatch.fnmatchcase(pattern, arguments.only):
                recipe = {"exceptions": {pattern: arguments.format}}
                row(f"`{pattern}`", numbers_in(pattern, bench.info), recipe, side == "encoder")
        embedding = bench.info["vocab_size"] * bench.info["d_model"]
        if fnmatch.fnmatchcase("decoder.embed_tokens", arguments.only):
            row("`decoder.embed_tokens`", embedding, {"embedding": arguments.format}, False)
            for rows in (2000, 5000, 8000, 20000) if arguments.format == "int4" else ():
                name = f"`decoder.embed_tokens`, {rows} int8"
                row(name, embedding, {"embedding": "int4", "embedding_int8_tokens": rows}, False)
        for path in arguments.recipe:
            divergence, others, size = bench.measure(json.loads(path.read_text()))
            print(f"| {path.stem}: {size / 1e6:.1f} MB | | {divergence:.2f} | {100 * others:.1f} % |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
