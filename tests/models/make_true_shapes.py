"""Writes a checkpoint of one of OpenAI's or Distil-Whisper's shapes with cheap random weights.

    make_true_shapes.py NAME FOLDER [f16|f32]

FOLDER gets config.json and model.safetensors; the vocabulary is the standard one of its size.
Every matrix is one small random block repeated, so that large-v3 is written as fast as the disk
takes it.
"""

import json
import struct
import sys
from pathlib import Path

import numpy as np

# d_model, heads, encoder layers, decoder layers, mel bins, vocabulary
SHAPES = {
    "tiny.en": (384, 6, 4, 4, 80, 51864),
    "tiny": (384, 6, 4, 4, 80, 51865),
    "base": (512, 8, 6, 6, 80, 51865),
    "small": (768, 12, 12, 12, 80, 51865),
    "medium": (1024, 16, 24, 24, 80, 51865),
    "large-v2": (1280, 20, 32, 32, 80, 51865),
    "large-v3": (1280, 20, 32, 32, 128, 51866),
    "turbo": (1280, 20, 32, 4, 128, 51866),
    "distil-small.en": (768, 12, 12, 4, 80, 51864),
    "distil-large-v3": (1280, 20, 32, 2, 128, 51866),
    "one-layer": (40, 2, 1, 1, 80, 51865),
}


def tensors(d, encoder_layers, decoder_layers, mels, vocabulary):
    yield "encoder.conv1.weight", (d, mels, 3)
    yield "encoder.conv1.bias", (d,)
    yield "encoder.conv2.weight", (d, d, 3)
    yield "encoder.conv2.bias", (d,)
    yield "encoder.embed_positions.weight", (1500, d)
    yield "decoder.embed_tokens.weight", (vocabulary, d)
    yield "decoder.embed_positions.weight", (448, d)
    for side, layers in (("encoder", encoder_layers), ("decoder", decoder_layers)):
        yield f"{side}.layer_norm.weight", (d,)
        yield f"{side}.layer_norm.bias", (d,)
        for i in range(layers):
            layer = f"{side}.layers.{i}"
            blocks = ["self_attn"] + (["encoder_attn"] if side == "decoder" else [])
            for block in blocks:
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


def main():
    name, folder = sys.argv[1], Path(sys.argv[2])
    dtype = np.dtype("float16" if sys.argv[3:] == ["f16"] else "float32")
    d, heads, encoder_layers, decoder_layers, mels, vocabulary = SHAPES[name]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({
        "model_type": "whisper", "d_model": d, "num_mel_bins": mels, "vocab_size": vocabulary,
        "encoder_layers": encoder_layers, "decoder_layers": decoder_layers,
        "encoder_attention_heads": heads, "decoder_attention_heads": heads,
        "encoder_ffn_dim": 4 * d, "decoder_ffn_dim": 4 * d,
        "max_source_positions": 1500, "max_target_positions": 448,
    }))
    header, offset = {}, 0
    for tensor, shape in tensors(d, encoder_layers, decoder_layers, mels, vocabulary):
        size = int(np.prod(shape)) * dtype.itemsize
        header[f"model.{tensor}"] = {"dtype": "F16" if dtype.itemsize == 2 else "F32",
                                     "shape": shape, "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    random = np.random.default_rng(1)
    block = (random.standard_normal(1 << 20) * 0.02).astype(dtype).tobytes()
    ones = np.ones(1 << 16, dtype).tobytes()
    with open(folder / "model.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for tensor, entry in header.items():
            begin, end = entry["data_offsets"]
            source = ones if tensor.endswith("norm.weight") else block
            left = end - begin
            while left > 0:
                left -= file.write(source[:left])


if __name__ == "__main__":
    main()
