"""Whisper in NumPy, straight from a safetensors checkpoint: what converted models are compared with.

    numpy_whisper.py CHECKPOINT LOGMEL.npy FOLDER TOKEN...

writes last_hidden_state.npy, and logits.npy after each TOKEN, into FOLDER.
Source of the computation: openai/whisper model.py.
"""

import json
import struct
import sys
from pathlib import Path

import numpy as np


def gelu(x):
    """x Φ(x); the error function by Abramowitz and Stegun 7.1.26, exact to 1.5e-7."""
    z = np.abs(x) * np.float32(0.5 ** 0.5)
    t = 1 / (1 + np.float32(0.3275911) * z)
    polynomial = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (
        -1.453152027 + t * 1.061405429))))
    erf = np.sign(x) * (1 - polynomial * np.exp(-z * z))
    return (0.5 * x * (1 + erf)).astype(np.float32)


def softmax(scores):
    exponentials = np.exp(scores - scores.max(-1, keepdims=True))
    return exponentials / exponentials.sum(-1, keepdims=True)


def relative(values, reference):
    """Root mean square of the difference, as part of the reference's."""
    return float(np.sqrt(np.mean((values - reference) ** 2, dtype=np.float64) /
                         np.mean(reference ** 2, dtype=np.float64)))


class NumpyWhisper:
    """A checkpoint as tests/models/true_shapes.py writes it; tensors are read when needed."""

    def __init__(self, folder):
        folder = Path(folder)
        self.config = json.loads((folder / "config.json").read_text())
        file = folder / "model.safetensors"
        with open(file, "rb") as stream:
            (size,) = struct.unpack("<Q", stream.read(8))
            self.header = json.loads(stream.read(size))
        self.bytes = np.memmap(file, np.uint8, "r", 8 + size)

    def tensor(self, name):
        entry = self.header["model." + name]
        begin, end = entry["data_offsets"]
        dtype = {"F16": np.float16, "F32": np.float32}[entry["dtype"]]
        return self.bytes[begin:end].view(dtype).reshape(entry["shape"]).astype(np.float32)

    def linear(self, name, x, bias=True):
        y = x @ self.tensor(name + ".weight").T
        return y + self.tensor(name + ".bias") if bias else y

    def norm(self, name, x):
        centred = x - x.mean(-1, keepdims=True)
        scale = np.sqrt((centred ** 2).mean(-1, keepdims=True) + 1e-5)
        return centred / scale * self.tensor(name + ".weight") + self.tensor(name + ".bias")

    def attention(self, name, x, source, heads, causal=False):
        split = lambda y: y.reshape(len(y), heads, -1).transpose(1, 0, 2)
        q = split(self.linear(name + ".q_proj", x))
        k = split(self.linear(name + ".k_proj", source, bias=False))
        v = split(self.linear(name + ".v_proj", source))
        result = np.empty_like(q)
        for head in range(heads):
            scores = q[head] @ k[head].T * np.float32(q.shape[-1] ** -0.5)
            if causal:
                scores += np.triu(np.full_like(scores, -1e9), 1)
            result[head] = softmax(scores) @ v[head]
        return self.linear(name + ".out_proj", result.transpose(1, 0, 2).reshape(x.shape))

    def layer(self, name, x, heads, hidden=None):
        y = self.norm(name + ".self_attn_layer_norm", x)
        x = x + self.attention(name + ".self_attn", y, y, heads, causal=hidden is not None)
        if hidden is not None:
            y = self.norm(name + ".encoder_attn_layer_norm", x)
            x = x + self.attention(name + ".encoder_attn", y, hidden, heads)
        y = gelu(self.linear(name + ".fc1", self.norm(name + ".final_layer_norm", x)))
        return x + self.linear(name + ".fc2", y)

    def convolution(self, name, x, stride):
        """x [frames, channels]; kernel of 3, one frame of zeros at each end."""
        padded = np.pad(x, ((1, 1), (0, 0)))
        kernel = self.tensor(name + ".weight")
        y = sum(padded[tap:tap + len(x):stride] @ kernel[:, :, tap].T for tap in range(3))
        return gelu(y + self.tensor(name + ".bias"))

    def encode(self, input_features):
        """input_features [mels, 3000] to last_hidden_state [1500, d_model]."""
        x = self.convolution("encoder.conv1", input_features.T, 1)
        x = self.convolution("encoder.conv2", x, 2)
        x = x + self.tensor("encoder.embed_positions.weight")
        for i in range(self.config["encoder_layers"]):
            x = self.layer(f"encoder.layers.{i}", x, self.config["encoder_attention_heads"])
        return self.norm("encoder.layer_norm", x)

    def logits(self, hidden, tokens):
        """Logits [len(tokens), vocabulary] after each of the tokens."""
        table = self.tensor("decoder.embed_tokens.weight")
        x = table[tokens] + self.tensor("decoder.embed_positions.weight")[:len(tokens)]
        for i in range(self.config["decoder_layers"]):
            x = self.layer(f"decoder.layers.{i}", x, self.config["decoder_attention_heads"], hidden)
        return self.norm("decoder.layer_norm", x) @ table.T


if __name__ == "__main__":
    model = NumpyWhisper(sys.argv[1])
    last_hidden_state = model.encode(np.load(sys.argv[2]))
    np.save(Path(sys.argv[3]) / "last_hidden_state.npy", last_hidden_state)
    np.save(Path(sys.argv[3]) / "logits.npy",
            model.logits(last_hidden_state, [int(token) for token in sys.argv[4:]]))
