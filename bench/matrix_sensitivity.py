"""What each matrix costs when it alone is int4, in NumPy: the costs of src/models/recipe_search.cc.

  matrix_sensitivity.py PROGRAM CHECKPOINT RECORDING... [--language en] [--only PATTERN] [--depths]

CHECKPOINT is a folder with safetensors. Weights are rounded as the converter rounds them, everything
else is float32, activations too. The recordings' first 30 s are decoded greedily and fed to both; the
divergence is the mean over the tokens of the Kullback-Leibler divergence of their distributions, in
thousandths of a nat. "x, 2000 int8" is the embedding with so many int8 tokens, as output matrix and as
input. --depths gives the costs at the first layer, a third, two thirds and the last one instead.
bench/quantization_sensitivity.py measures converted files. Takes a quarter of an hour with base and ten
recordings.
"""

import argparse
import fnmatch
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "models"))
from numpy_whisper import NumpyWhisper  # noqa: E402

MOST_TOKENS = 120
BLOCK = 32
SELF = [f"self_attn.{name}" for name in ("q_proj", "k_proj", "v_proj", "out_proj")]
CROSS = [name.replace("self_attn", "encoder_attn") for name in SELF]
MATRICES = {"encoder": SELF + ["fc1", "fc2"], "decoder": SELF + CROSS + ["fc1", "fc2"]}
EMBEDDING = "decoder.embed_tokens.weight"
INT8_TOKENS = (0, 2000, 5000, 8000, 12000, 20000, 30000)


def spreading_of(width):
    """common/column_spreading.h: Q."""
    odd, power = width, np.ones((1, 1))
    while odd % 2 == 0:
        odd //= 2
        power = np.block([[power, power], [power, -power]])
    transformation = np.kron(np.eye(odd) - 2 / odd * (odd > 1), power / np.sqrt(len(power)))
    signs, state = [], 2
    for _ in range(width):
        state ^= state << 13 & 0xFFFFFFFF
        state ^= state >> 17
        state ^= state << 5 & 0xFFFFFFFF
        signs.append(1 if state < 0x80000000 else -1)
    return (transformation * signs @ transformation).astype(np.float32)


def int4(matrix):
    """graph/quantize.cc: int4_blocks()."""
    rows, columns = matrix.shape
    blocks = matrix.reshape(rows, columns // BLOCK, BLOCK)
    largest = np.abs(blocks).max(-1)
    best, least = None, None
    for part in (1.0, 0.92, 0.875, 0.8):
        scales = np.clip(largest / np.float32(7) * np.float32(part), 6.103515625e-05, 65504)
        scales = scales.astype(np.float16).astype(np.float32)[..., None]
        rounded = np.clip(np.rint(blocks / scales), -8, 7) * scales
        errors = ((rounded - blocks) ** 2).sum(-1)[..., None]
        best = rounded if best is None else np.where(errors < least, rounded, best)
        least = errors if least is None else np.minimum(errors, least)
    return best.reshape(rows, columns)


def int8(matrix):
    """graph/quantize.cc: int8_rows()."""
    scales = np.abs(matrix).max(1, keepdims=True) / np.float32(127)
    scales[scales < np.finfo(np.float32).tiny] = 1
    return np.clip(np.rint(matrix / scales), -127, 127) * scales


def log_softmax(logits):
    logits = logits - logits.max(-1, keepdims=True)
    return logits - np.log(np.exp(logits).sum(-1, keepdims=True))


class Model(NumpyWhisper):
    """Tensors are held in float32 and can be replaced."""

    def __init__(self, folder):
        super().__init__(folder)
        self.tensors = {}
        settings = pathlib.Path(folder) / "generation_config.json"
        self.generation = json.loads(settings.read_text()) if settings.exists() else {}

    def tensor(self, name):
        if name not in self.tensors:
            self.tensors[name] = super().tensor(name)
        return self.tensors[name]

    def prompt(self, language):
        """A transcription without timestamps."""
        start = self.config["decoder_start_token_id"]
        languages = self.generation.get("lang_to_id")
        if not languages:
            return [start, self.generation["no_timestamps_token_id"]]
        task = self.generation["task_to_id"]["transcribe"]
        return [start, languages[f"<|{language}|>"], task, self.generation["no_timestamps_token_id"]]

    def quantised_embedding(self, int8_tokens):
        """models/weights.cc: columns_of(), integers_of(), parts_of()."""
        matrix = self.tensor(EMBEDDING)
        means = matrix.mean(0)
        factors = np.sqrt(((matrix - means) ** 2).mean(0)) ** np.float32(0.7)
        spreading = spreading_of(matrix.shape[1])
        even = ((matrix - means) / factors) @ spreading
        special = self.config["eos_token_id"] if int8_tokens else len(matrix)
        stored = int8(even)
        words = slice(int8_tokens, special)
        stored[words] = int4(even[words])
        return (stored @ spreading * factors + means).astype(np.float32)


class Bench:
    def __init__(self, program, model, recordings, language):
        self.model = model
        prompt = model.prompt(language)
        self.windows = []
        for recording in recordings:
            with tempfile.TemporaryDirectory() as folder:
                path = pathlib.Path(folder) / "mel.npy"
                bins = str(model.config["num_mel_bins"])
                command = [program, "features", recording, "-o", path, "--mel-bins", bins, "-q"]
                subprocess.run(command, check=True)
                features = np.load(path)[0]
            hidden = model.encode(features)
            tokens = list(prompt)
            while len(tokens) < len(prompt) + MOST_TOKENS - 1:
                token = int(model.logits(hidden, tokens)[-1].argmax())
                if token == model.config["eos_token_id"]:
                    break
                tokens.append(token)
            rows = log_softmax(model.logits(hidden, tokens)[len(prompt) - 1 :])
            self.windows.append((features, hidden, tokens, rows))
        self.tokens = sum(len(rows) for *_, rows in self.windows)

    def cost(self, name, replacement):
        """The divergence with another tensor of that name."""
        exact = self.model.tensor(name)
        self.model.tensors[name] = replacement
        divergence = 0.0
        for features, hidden, tokens, expected in self.windows:
            if name.startswith("encoder."):
                hidden = self.model.encode(features)
            got = log_softmax(self.model.logits(hidden, tokens)[-len(expected) :])
            divergence += float((np.exp(expected) * (expected - got)).sum())
        self.model.tensors[name] = exact
        return 1000 * divergence / self.tokens


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("checkpoint", type=pathlib.Path)
    parser.add_argument("recordings", type=pathlib.Path, nargs="+")
    parser.add_argument("--language", default="en")
    parser.add_argument("--only", default="*", help="matrices whose names match this pattern")
    parser.add_argument("--depths", action="store_true")
    arguments = parser.parse_args()
    model = Model(arguments.checkpoint)
    bench = Bench(arguments.program.resolve(), model, arguments.recordings, arguments.language)
    print(f"{len(bench.windows)} recordings, {bench.tokens} tokens", flush=True)
    for side, kinds in MATRICES.items():
        layers = model.config[f"{side}_layers"]
        for kind in kinds:
            names = [f"{side}.layers.{layer}.{kind}" for layer in range(layers)]
            names = [name for name in names if fnmatch.fnmatchcase(name, arguments.only)]
            weights = [name + ".weight" for name in names]
            costs = [bench.cost(name, int4(model.tensor(name))) for name in weights]
            if arguments.depths and len(costs) == layers:
                places = np.linspace(0, layers - 1, 4)
                costs = np.interp(places, np.arange(layers), costs)
                names = [f"{side}'s {kind}"]
                print(f"{names[0]}: " + " ".join(f"{cost:.2f}" for cost in costs), flush=True)
                continue
            for name, cost in zip(names, costs):
                print(f"{name}: {cost:.3f}", flush=True)
    if fnmatch.fnmatchcase("decoder.embed_tokens", arguments.only):
        for tokens in INT8_TOKENS:
            cost = bench.cost(EMBEDDING, model.quantised_embedding(tokens))
            print(f"decoder.embed_tokens, {tokens} int8: {cost:.2f}", flush=True)


if __name__ == "__main__":
    main()
