#!/usr/bin/env python3
"""Exports tiny.en in every format and loads the results in the programs that the formats are of,
then a base with added tokens.

    export_test.py WHISPER_S4Y SHARED_FOLDER

PyTorch itself is too large to be fetched for a test: OpenAI's form is read with Python's own
pickle and zipfile modules, as torch.load does it.
"""

import json
import os
import pathlib
import pickle
import subprocess
import sys
import tempfile
import zipfile

import numpy as np

PROGRAM, SHARED = sys.argv[1], pathlib.Path(sys.argv[2])
CHECKPOINTS = os.environ.get("WHISPER_S4Y_CHECKPOINTS", "")
AUDIO = SHARED / "speech/jfk.flac"
if not CHECKPOINTS or not AUDIO.exists():
    print("SKIPPED: needs WHISPER_S4Y_CHECKPOINTS and", AUDIO)
    sys.exit(77)
SOURCE = pathlib.Path(CHECKPOINTS) / "tiny.en"


def run(*arguments):
    subprocess.run([PROGRAM, *map(str, arguments)], check=True)


def expect(condition, what):
    if not condition:
        sys.exit(f"export_test.py: {what}")


def check_safetensors(folder, original):
    from safetensors.numpy import load_file

    tensors = load_file(folder / "model.safetensors")
    expect(tensors.keys() == original.keys(), "safetensors: other names than the original")
    for name, tensor in tensors.items():
        expect(np.array_equal(tensor, original[name]), f"safetensors: {name} differs")


def check_openai(folder, original):
    dtypes = {"FloatStorage": np.float32, "HalfStorage": np.float16}

    class Unpickler(pickle.Unpickler):
        def find_class(self, module, name):
            if (module, name) == ("collections", "OrderedDict"):
                return dict
            if module == "torch" and name in dtypes:
                return dtypes[name]
            if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
                return lambda storage, offset, size, stride, *_: np.lib.stride_tricks.as_strided(
                    storage[offset:], size, [s * storage.itemsize for s in stride])
            raise pickle.UnpicklingError(f"{module}.{name}")

        def persistent_load(self, key):
            kind, dtype, name, _, count = key
            expect(kind == "storage", f"openai: persistent id {key}")
            data = np.frombuffer(archive.read(prefix + "data/" + name), dtype)
            expect(data.size == count, f"openai: storage {name} has {data.size} numbers")
            return data

    path = folder / "tiny.en.pt"
    with zipfile.ZipFile(path) as archive:
        expect(archive.testzip() is None, "openai: a checksum is wrong")
        pickle_name = next(n for n in archive.namelist() if n.endswith("data.pkl"))
        prefix = pickle_name.removesuffix("data.pkl")
        with archive.open(pickle_name) as file:
            model = Unpickler(file).load()
    dims = model["dims"]
    expect((dims["n_mels"], dims["n_vocab"], dims["n_text_layer"]) == (80, 51864, 4), "openai: dims")
    state = model["model_state_dict"]
    for ours, theirs in [("decoder.token_embedding.weight", "model.decoder.embed_tokens.weight"),
                         ("encoder.conv1.weight", "model.encoder.conv1.weight"),
                         ("encoder.blocks.3.attn.query.bias",
                          "model.encoder.layers.3.self_attn.q_proj.bias"),
                         ("decoder.blocks.0.cross_attn.value.weight",
                          "model.decoder.layers.0.encoder_attn.v_proj.weight"),
                         ("decoder.blocks.2.mlp.2.weight", "model.decoder.layers.2.fc2.weight")]:
        expect(np.array_equal(state[ours], original[theirs]), f"openai: {ours} differs")
    expect(sorted(t.tobytes() for t in state.values()) ==
           sorted(t.tobytes() for t in original.values()), "openai: other tensors")


def check_ctranslate2(folder, work):
    import ctranslate2

    features = work / "features.npy"
    run("features", AUDIO, "-o", features, "-q")
    logmel = np.load(features).astype(np.float32).reshape(1, 80, 3000)

    def tokens(path):
        model = ctranslate2.models.Whisper(str(path), compute_type="float32", inter_threads=1,
                                           intra_threads=1)
        expect(not model.is_multilingual, "ctranslate2: tiny.en is English only")
        result = model.generate(ctranslate2.StorageView.from_array(logmel), [[50257, 50362]],
                                beam_size=1)
        return result[0].sequences_ids[0]

    expected = tokens(SOURCE / "ct2")
    expect(len(expected) > 20, "ctranslate2: no text")
    expect(tokens(folder) == expected, "ctranslate2: other tokens than the original's")


def check_ggml(folder, work):
    from pywhispercpp.model import Model

    wave = work / "jfk.wav"
    subprocess.run(["ffmpeg", "-v", "error", "-i", AUDIO, "-ar", "16000", "-ac", "1", wave], check=True)

    def text(path):
        model = Model(str(path), n_threads=1, print_progress=False, redirect_whispercpp_logs_to=None)
        return " ".join(segment.text for segment in model.transcribe(str(wave)))

    expected = text(SOURCE / "ggml/ggml-tiny.en.bin")
    expect("ask not what your country" in expected.lower(), f"ggml: {expected}")
    expect(text(folder / "ggml-tiny.en.bin") == expected, "ggml: another text than the original's")


def base_with_added_tokens(folder):
    """base with a special token and a word behind the timestamps, and a row without a token between
    them, as fine-tunes have them."""
    from safetensors.numpy import load_file, save_file

    source = pathlib.Path(CHECKPOINTS) / "base/hf"
    folder.mkdir()
    for path in source.iterdir():
        if path.suffix != ".safetensors":
            (folder / path.name).write_bytes(path.read_bytes())
    tensors = load_file(source / "model.safetensors")
    embedding = tensors["model.decoder.embed_tokens.weight"]
    rows = len(embedding)
    tensors["model.decoder.embed_tokens.weight"] = np.concatenate(
        [embedding, np.zeros((3, embedding.shape[1]), embedding.dtype)])
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    added = [(rows, "<laugh>", True), (rows + 2, "ChatGPT", False)]

    def change(name, edit):
        content = json.loads((folder / name).read_text())
        edit(content)
        (folder / name).write_text(json.dumps(content))

    change("config.json", lambda config: config.update(vocab_size=rows + 3))
    change("added_tokens.json", lambda tokens: tokens.update({text: id for id, text, _ in added}))
    change("tokenizer.json", lambda tokenizer: tokenizer["added_tokens"].extend(
        {"id": id, "content": text, "single_word": False, "lstrip": False, "rstrip": False,
         "normalized": False, "special": special} for id, text, special in added))
    return added


def check_added_tokens(work):
    import tokenizers

    added = base_with_added_tokens(work / "added")
    expected = {50257: ("<|endoftext|>", True), 50258: ("<|startoftranscript|>", True),
                50364: ("<|0.00|>", False), 51864: ("<|30.00|>", False)}
    expected |= {id: (text, special) for id, text, special in added}
    source = work / "added"
    for format in ["ctranslate2", "safetensors"]:  # one after the other
        folder = work / f"added-{format}"
        run("export", source, "-f", format, "-o", folder, "-q")
        tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        found = tokenizer.get_added_tokens_decoder()
        for id, (text, special) in expected.items():
            expect(tokenizer.token_to_id(text) == id,
                   f"{format}: {text} has the id {tokenizer.token_to_id(text)}, expected {id}")
            expect(found[id].special == special, f"{format}: special of {text} is not {special}")
        source = folder
    for format in ["ggml", "openai"]:
        result = subprocess.run([PROGRAM, "export", source, "-f", format, "-o", work / "no"],
                                capture_output=True, text=True)
        expect(result.returncode == 1 and '3 tokens from id 51865, "<laugh>", on' in result.stderr,
               f"{format}: {result.stderr}")


def main():
    from safetensors.numpy import load_file

    original = load_file(SOURCE / "hf/model.safetensors")
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)
        # From one format after another: what is lost on the way would show at the end.
        source = SOURCE / "ct2"
        for format in ["ggml", "openai", "ctranslate2", "safetensors"]:
            run("export", source, "-f", format, "-o", work / format, "-q")
            source = work / format
        check_safetensors(work / "safetensors", original)
        check_openai(work / "openai", original)
        check_ctranslate2(work / "ctranslate2", work)
        check_ggml(work / "ggml", work)
        check_added_tokens(work)
    print("safetensors, openai, ctranslate2 and ggml load in their own programs, and added tokens "
          "keep their ids")


main()
