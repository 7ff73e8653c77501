"""Checkpoints of the shapes people have, with cheap random weights.

    true_shapes.py NAME FOLDER [f16|f32]

FOLDER gets config.json and model.safetensors; the vocabulary is the standard one of its size, or,
of another size, single bytes in a tokenizer.json.
Every tensor is a piece of one random sequence, begun elsewhere and repeated, so that large-v3 is
written as fast as the disk takes it.
"""

import dataclasses
import json
import struct
import sys
from pathlib import Path

import numpy as np


@dataclasses.dataclass(frozen=True)
class Shape:
    d_model: int
    heads: int
    encoder_layers: int
    decoder_layers: int
    mels: int = 80
    vocabulary: int = 51865


PUBLISHED = {
    "tiny": Shape(384, 6, 4, 4),
    "tiny.en": Shape(384, 6, 4, 4, vocabulary=51864),
    "base": Shape(512, 8, 6, 6),
    "small": Shape(768, 12, 12, 12),
    "medium": Shape(1024, 16, 24, 24),
    "large-v1": Shape(1280, 20, 32, 32),
    "large-v2": Shape(1280, 20, 32, 32),
    "large-v3": Shape(1280, 20, 32, 32, 128, 51866),
    "turbo": Shape(1280, 20, 32, 4, 128, 51866),
    "distil-small.en": Shape(768, 12, 12, 4, vocabulary=51864),
    "distil-medium.en": Shape(1024, 16, 24, 2, vocabulary=51864),
    "distil-large-v3": Shape(1280, 20, 32, 2, 128, 51866),
}

# The same ratios in small, and what is unusual but legal.
SMALL = {
    "distil": Shape(64, 4, 4, 2, 128, 51866),
    "turbo": Shape(64, 4, 6, 4, 128, 51866),
    "one-layer": Shape(32, 2, 1, 1, vocabulary=51864),
    "width-40": Shape(40, 5, 2, 2),
    "changed-vocabulary": Shape(64, 4, 2, 2, vocabulary=1777),
}


def tensors(shape):
    """Names and shapes, in the order of the file."""
    d = shape.d_model
    yield "encoder.conv1.weight", (d, shape.mels, 3)
    yield "encoder.conv1.bias", (d,)
    yield "encoder.conv2.weight", (d, d, 3)
    yield "encoder.conv2.bias", (d,)
    yield "encoder.embed_positions.weight", (1500, d)
    yield "decoder.embed_tokens.weight", (shape.vocabulary, d)
    yield "decoder.embed_positions.weight", (448, d)
    for side, layers in (("encoder", shape.encoder_layers), ("decoder", shape.decoder_layers)):
        yield f"{side}.layer_norm.weight", (d,)
        yield f"{side}.layer_norm.bias", (d,)
        for i in range(layers):
            layer = f"{side}.layers.{i}"
            for block in ["self_attn"] + (["encoder_attn"] if side == "decoder" else []):
                for projection in ("q_proj", "k_proj", "v_proj", "out_proj"):
                    yield f"{layer}.{block}.{projection}.weight", (d, d)
                    if projection != "k_proj":
                        yield f"{layer}.{block}.{projection}.bias", (d,)
                yield f"{layer}.{block}_layer_norm.weight", (d,)
                yield f"{layer}.{block}_layer_norm.bias", (d,)
            yield f"{layer}.fc1.weight", (4 * d, d)
            yield f"{layer}.fc1.bias", (4 * d,)
            yield f"{layer}.fc2.weight", (d, 4 * d)
            yield f"{layer}.fc2.bias", (d,)
            yield f"{layer}.final_layer_norm.weight", (d,)
            yield f"{layer}.final_layer_norm.bias", (d,)


def byte_tokenizer(size):
    """A tokenizer.json of bytes, special tokens of three languages, timestamps, and what a
    fine-tune may have added up to `size` tokens."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    vocabulary = [chr(byte) for byte in printable] + [chr(256 + i) for i in range(len(others))]
    names = ["endoftext", "startoftranscript", "en", "de", "ar", "translate", "transcribe",
             "startoflm", "startofprev", "nospeech", "notimestamps",
             *(f"{i / 50:.2f}" for i in range(1501))]
    names += [f"added{i}" for i in range(size - len(vocabulary) - len(names))]
    return {"model": {"type": "BPE", "vocab": {token: i for i, token in enumerate(vocabulary)},
                      "merges": []},
            "added_tokens": [{"id": len(vocabulary) + i, "content": f"<|{name}|>", "special": True}
                             for i, name in enumerate(names)]}


def write_checkpoint(shape, folder, dtype="float16"):
    """Writes the checkpoint and returns the path of its weights."""
    dtype = np.dtype(dtype)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({
        "model_type": "whisper", "d_model": shape.d_model, "num_mel_bins": shape.mels,
        "vocab_size": shape.vocabulary,
        "encoder_layers": shape.encoder_layers, "decoder_layers": shape.decoder_layers,
        "encoder_attention_heads": shape.heads, "decoder_attention_heads": shape.heads,
        "encoder_ffn_dim": 4 * shape.d_model, "decoder_ffn_dim": 4 * shape.d_model,
        "max_source_positions": 1500, "max_target_positions": 448,
    }))
    if shape.vocabulary not in (51864, 51865, 51866):
        (folder / "tokenizer.json").write_text(json.dumps(byte_tokenizer(shape.vocabulary)))
    header, offset = {}, 0
    for name, extents in tensors(shape):
        size = int(np.prod(extents)) * dtype.itemsize
        header[f"model.{name}"] = {"dtype": "F16" if dtype.itemsize == 2 else "F32",
                                   "shape": extents, "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    random = np.random.default_rng(1)
    numbers = (random.standard_normal(1 << 20) * shape.d_model ** -0.5).astype(dtype).tobytes()
    ones = np.ones(1 << 16, dtype).tobytes()
    path = folder / "model.safetensors"
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for i, (name, entry) in enumerate(header.items()):
            begin, end = entry["data_offsets"]
            left = end - begin
            if name.endswith("norm.weight"):
                file.write(ones[:left])
                continue
            start = i * 7919 * dtype.itemsize % len(numbers)  # no two tensors alike
            while left > 0:
                left -= file.write(memoryview(numbers)[start:start + left])
                start = 0
    return path


if __name__ == "__main__":
    write_checkpoint(PUBLISHED[sys.argv[1]], sys.argv[2],
                     "float32" if sys.argv[3:] == ["f32"] else "float16")
