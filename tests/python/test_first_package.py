"""The names of the first whisper-s4y and the calls of its own tests (specs/python-package.md and
goldens/seed_tests.json in ../shared), with tiny.en, and base where tiny was asked for."""

from __future__ import annotations

import difflib
import functools
import importlib
import inspect
import io
import json
import logging
import pathlib
import resource
import re
import subprocess
import sys
from typing import Iterator, Tuple

import numpy as np
import pytest

import whisper_s4y
from conftest import ENVIRONMENT, ROOT, SHARED, checkpoint
from whisper_s4y import assets
from whisper_s4y.features_extractor import S4yFeaturesExtractor
from whisper_s4y.tflite import ServingModel
from whisper_s4y.whisper import huggingface as hf
from whisper_s4y.whisper.huggingface.s4y_model import (
    S4yDecoder,
    S4yEncoder,
    S4yEncoderDecoder,
    S4yGenerator,
    S4yPcmEncoder,
)

# What the tests of the first package say: checkpoint, language, recording.
CASES = [("tiny.en", "en", "OSR_us_000_0030_16k"), ("base", "ar", "1-1")]
cases = pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(case[:2]))
Case = Tuple[str, str, str]


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[pathlib.Path]:
    """Converted models and artefacts go where they are swept away."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv("XDG_CACHE_HOME", str(folder))
        yield folder


def golden(case: Case) -> dict:
    """Reference values of transformers."""
    model, _, audio = case
    stem = SHARED / "goldens" / f"whisper-{model}" / audio
    if not stem.with_suffix(".json").exists():
        pytest.skip("there are no ../shared/goldens")
    values = json.loads(stem.with_suffix(".json").read_text())
    return {**values, **np.load(stem.with_suffix(".npz"))}


def sound(audio: str) -> np.ndarray:
    """30 s of a recording, padded."""
    path = SHARED / "speech" / f"{audio}.wav"
    if not path.exists():
        pytest.skip("there is no ../shared/speech")
    samples = whisper_s4y.load_audio(path)[:480000]
    return np.pad(samples, (0, 480000 - samples.size))


@functools.lru_cache(maxsize=None)
def mel_of(case: Case) -> np.ndarray:
    """What transformers' feature extractor gives: it is ours, which is tested."""
    return S4yFeaturesExtractor()(sound(case[2]))


@functools.lru_cache(maxsize=None)
def hidden_of(case: Case) -> np.ndarray:
    """What transformers' encoder gives: it is ours, which is tested."""
    return S4yEncoder(checkpoint(case[0]))(mel_of(case)).last_hidden_state


def assert_is_encoded(hidden: np.ndarray, expected: dict, most: float) -> None:
    assert hidden.shape == (1, 1500, expected["enc_rows"].shape[1])
    assert hidden.dtype == np.float32
    np.testing.assert_allclose(
        hidden[0, expected["enc_rows_idx"]], expected["enc_rows"], rtol=0, atol=most
    )


def until_end(tokens: np.ndarray, eos: int) -> list:
    assert tokens.shape == (1, 448)
    assert tokens.dtype == np.int32
    row = tokens[0].tolist()
    end = row.index(eos, 1)
    assert set(row[end:]) == {eos}
    return row[: end + 1]


def run(path: str, **inputs: np.ndarray) -> np.ndarray:
    """The one output of a part's one signature."""
    model = whisper_s4y.Model(path)
    assert model.signatures.keys() == {"serving_default"}
    (output,) = model.signature("serving_default")(**inputs).values()
    return output.copy()


# ---- Names ----


def test_names_are_those_of_the_specification() -> None:
    """Every name of its first table, and every constructor and call of its second."""
    path = SHARED / "specs" / "python-package.md"
    if not path.exists():
        pytest.skip("there is no ../shared/specs")
    tables = re.split(r"^## ", path.read_text(), flags=re.M)[0]
    rows = re.findall(r"^\| `(whisper_s4y[\w.]*)` \| (.*) \|$", tables, re.M)
    assert len(rows) == 6
    for module_name, names in rows:
        module = importlib.import_module(module_name)
        for name in re.findall(r"`(\w+)(?:\(.*?\)(?: -> str)?)?`", names):
            if name in ("serving", "tflite") and module_name.endswith(".tflite"):
                assert callable(getattr(module.ServingModel, name))
                continue
            assert hasattr(module, name), f"{module_name}.{name}"
    classes = re.findall(r"^\| `(S4y\w+)` \| \((.*?)\) \| `\((.*?)\)`", tables, re.M)
    assert len(classes) == 6
    modules = (
        importlib.import_module("whisper_s4y.features_extractor"),
        importlib.import_module("whisper_s4y.whisper.huggingface.s4y_model"),
    )
    for name, constructor, call in classes:
        kind = next(getattr(module, name) for module in modules if hasattr(module, name))
        assert issubclass(kind, ServingModel)
        own = [one.replace("'", "") for one in signature(kind)]
        expected = re.sub(r"^(huggingface_model_id|id)", "huggingface_model_id", constructor)
        assert own == [one.replace("'", "") for one in expected.split(", ") if one], name
        (argument,) = signature(kind.__call__)[1:]
        assert argument == call.split()[0], name
        assert signature(kind.tflite)[2:5] == [
            "tflite_model_path=None",
            "log=" + str(whisper_s4y.log),
            "artefact=True",
        ]
    assert isinstance(whisper_s4y.log, logging.Logger)


def signature(function: object) -> list:
    return [
        one.name if one.default is one.empty else f"{one.name}={one.default}"
        for one in inspect.signature(function).parameters.values()  # type: ignore[arg-type]
    ]


def test_optimize_is_the_default_of_encoder_and_decoder() -> None:
    def default(kind: type) -> bool:
        return inspect.signature(kind.tflite).parameters["optimize"].default  # type: ignore

    assert default(S4yEncoder) and default(S4yDecoder)
    assert not default(S4yFeaturesExtractor) and not default(S4yGenerator)


def test_the_log_goes_to_the_standard_output() -> None:
    code = "from whisper_s4y import log, tflite; log.info('heard')"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=ENVIRONMENT, check=True
    )
    assert found.stdout == "heard\n"


def test_artefacts_go_into_the_cache(cache: pathlib.Path) -> None:
    assert whisper_s4y.artefact_path("a.tflite") == str(
        cache / "whisper-s4y" / "artefacts" / "a.tflite"
    )


# ---- The calls of its tests, by their files' names ----


@cases
def test_features_extractor(case: Case) -> None:
    expected = golden(case)["mel_every10"]
    samples = sound(case[2])
    features = S4yFeaturesExtractor()
    logmel = features(samples)
    assert logmel.shape == (1, 80, 3000)
    assert logmel.dtype == np.float32
    # The first package was a frame ahead and up to 0.7 off.
    np.testing.assert_allclose(logmel[0, :, ::10], expected, rtol=0, atol=1e-4)
    np.testing.assert_array_equal(features.serving(samples)["logmel"], logmel)
    again = hf.feature_extractor(str(checkpoint(case[0])))(
        samples, sampling_rate=16000, return_tensors="np"
    )
    np.testing.assert_array_equal(again["input_features"], logmel)


@pytest.mark.parametrize("optimize", [False, True])
def test_features_extractor_tflite(optimize: bool) -> None:
    samples = sound("1-1")
    path = S4yFeaturesExtractor().tflite(optimize=optimize)
    assert path == whisper_s4y.artefact_path("features-extractor.tflite")
    np.testing.assert_array_equal(
        run(path, normalized_audio=samples), S4yFeaturesExtractor()(samples)
    )


def test_stft() -> None:
    """All 3000 frames of a 400-point transform: a tone is in its own band, and nowhere else."""
    tone = np.sin(2 * np.pi * 1000 * np.arange(480000) / 16000).astype(np.float32)
    logmel = S4yFeaturesExtractor()(tone)[0]
    assert set(logmel[:, 5:2995].argmax(axis=0)) == {26}


@cases
def test_encoder(case: Case) -> None:
    expected = golden(case)
    encoder = S4yEncoder(checkpoint(case[0]))
    mel = mel_of(case)
    hidden = encoder(mel).last_hidden_state
    assert_is_encoded(hidden, expected, 2e-3)
    np.testing.assert_array_equal(encoder.serving(mel)["last_hidden_state"], hidden)
    np.testing.assert_array_equal(hf.encoder(checkpoint(case[0]))(mel).last_hidden_state, hidden)


@pytest.mark.parametrize("optimize", [False, True])
def test_encoder_tflite(optimize: bool) -> None:
    case = CASES[0]
    path = S4yEncoder(checkpoint(case[0])).tflite(optimize=optimize)
    hidden = run(path, input_features=mel_of(case))
    assert_is_encoded(hidden, golden(case), 0.5 if optimize else 2e-3)
    assert (pathlib.Path(path).stat().st_size < 12e6) == optimize


@cases
def test_pcm_encoder(case: Case) -> None:
    encoder = S4yPcmEncoder(checkpoint(case[0]))
    assert_is_encoded(encoder(sound(case[2])).last_hidden_state, golden(case), 2e-3)


@pytest.mark.parametrize("optimize", [False, True])
def test_pcm_encoder_tflite(optimize: bool) -> None:
    case = CASES[0]
    path = S4yPcmEncoder(checkpoint(case[0])).tflite(optimize=optimize)
    hidden = run(path, normalized_audio=sound(case[2]))
    assert_is_encoded(hidden, golden(case), 0.5 if optimize else 2e-3)


@cases
def test_decoder(case: Case) -> None:
    expected = golden(case)
    model, lang, _ = case
    hidden = hidden_of(case)
    decoder = S4yDecoder(checkpoint(model), lang=lang, max_length=448)
    tokens = decoder(hidden)
    np.testing.assert_array_equal(tokens, [expected["tokens"]])
    served = decoder.serving(hidden)["tokens"]
    assert until_end(served, tokens[0, -1]) == expected["tokens"]
    # As long as the first package's own, which is 56 unless another is asked for.
    short = S4yDecoder(checkpoint(model), lang=lang)(hf.ModelOutput(last_hidden_state=hidden))
    np.testing.assert_array_equal(short, [expected["tokens"][:56]])


def test_decoder_is_not_longer_than_its_positions() -> None:
    with pytest.raises(ValueError, match="448"):
        S4yDecoder("openai/whisper-tiny", max_length=449)


@cases
@pytest.mark.parametrize("optimize", [False, True])
def test_decoder_tflite(case: Case, optimize: bool) -> None:
    expected = golden(case)["tokens"]
    model, lang, _ = case
    hidden = hidden_of(case)
    path = S4yDecoder(checkpoint(model), lang=lang, max_length=448).tflite(optimize=optimize)
    found = until_end(run(path, encoder_hidden_states=hidden), expected[-1])
    assert found == expected if not optimize else alike(case, found, expected)


def alike(case: Case, found: list, expected: list) -> bool:
    """Whether int8 weights have left nine letters of ten."""
    tokenizer = hf.tokenizer(checkpoint(case[0]))
    return difflib.SequenceMatcher(None, *map(tokenizer.decode, (found, expected))).ratio() > 0.9


@pytest.mark.parametrize(
    "case", [*CASES, ("base", "en", "OSR_us_000_0030_16k")], ids=lambda case: "-".join(case[:2])
)
def test_encoder_decoder(case: Case) -> None:
    expected = golden(case)["tokens"]
    model, lang, _ = case
    both = S4yEncoderDecoder(checkpoint(model), lang=lang, max_length=448)
    np.testing.assert_array_equal(both(mel_of(case)), [expected])


def test_encoder_decoder_tflite() -> None:
    case = CASES[0]
    expected = golden(case)["tokens"]
    path = S4yEncoderDecoder(checkpoint(case[0]), max_length=448).tflite(optimize=False)
    assert until_end(run(path, input_features=mel_of(case)), expected[-1]) == expected


@cases
def test_generator(case: Case) -> None:
    expected = golden(case)["tokens"]
    model, lang, _ = case
    generator = S4yGenerator(checkpoint(model), lang=lang, max_length=448)
    mel = mel_of(case)
    np.testing.assert_array_equal(generator(mel)["sequences"], [expected])
    assert until_end(generator.serving(mel)["sequences"], expected[-1]) == expected


@cases
@pytest.mark.parametrize("optimize", [False, True])
def test_generator_tflite(case: Case, optimize: bool) -> None:
    expected = golden(case)["tokens"]
    model, lang, _ = case
    path = S4yGenerator(checkpoint(model), lang=lang, max_length=448).tflite(optimize=optimize)
    found = until_end(run(path, input_features=mel_of(case)), expected[-1])
    assert found == expected if not optimize else alike(case, found, expected)


def test_inf() -> None:
    """What is forbidden is never infinite: all that comes out of a file is finite."""
    decoder = hf.decoder(checkpoint("tiny.en"))
    logits = decoder(np.array([[50257, 50362]]), np.zeros((1, 1500, 384), np.float32)).logits
    assert logits.shape == (1, 2, 51864)
    assert np.isfinite(logits).all()


@cases
def test_transformers(case: Case) -> None:
    expected = golden(case)
    model, lang, _ = case
    identifier = str(checkpoint(model))
    processor = hf.processor(identifier)
    tokenizer = hf.tokenizer(processor)
    whole = hf.for_conditional_generation(identifier)
    mel = hf.feature_extractor(processor)(sound(case[2]), sampling_rate=16000).input_features
    forced = tokenizer.get_decoder_prompt_ids(language=lang, task="transcribe")
    if model == "tiny.en":  # whose prompt has neither
        forced = tokenizer.get_decoder_prompt_ids()
    tokens = whole.generate(mel, forced_decoder_ids=forced)
    np.testing.assert_array_equal(tokens, [expected["tokens"]])
    assert tokenizer.decode(tokens[0]) == expected["text_with_specials"]
    assert tokenizer.decode(tokens[0], skip_special_tokens=True) == expected["text"]
    if "tokens_translate" in expected:
        translated = whole.generate(mel, language=lang, task="translate")
        np.testing.assert_array_equal(translated, [expected["tokens_translate"]])
    # The first eight steps.
    output = hf.main_layer(whole)(mel, expected["dec_in8"][None])
    top = np.take_along_axis(output.logits[0], expected["logits8_top64_ids"].astype(int), axis=1)
    np.testing.assert_allclose(top, expected["logits8_top64"], rtol=0, atol=5e-3)
    hidden = output.encoder_last_hidden_state
    again = whole(decoder_input_ids=expected["dec_in8"][None, :2], encoder_outputs=hidden)
    np.testing.assert_array_equal(again.logits, output.logits[:, :2])


@cases
def test_integration(case: Case) -> None:
    """integration/ar.py and en.py: sound to text by the parts."""
    model, lang, audio = case
    hidden = S4yPcmEncoder(checkpoint(model))(sound(audio))
    tokens = S4yDecoder(checkpoint(model), lang=lang, max_length=448)(hidden)
    text = hf.tokenizer(checkpoint(model)).decode(tokens[0])
    assert text == golden(case)["text_with_specials"]


def test_every_entry_of_the_first_packages_tests_is_here() -> None:
    path = SHARED / "goldens" / "seed_tests.json"
    if not path.exists():
        pytest.skip("there are no ../shared/goldens")
    names = {
        pathlib.Path(test["file"].split()[0]).stem
        for test in json.loads(path.read_text())["tests"]
        if test["file"].startswith("units/")
    }
    assert names <= set(globals()), names - set(globals())


def test_the_guides_example_works(
    tmp_path: pathlib.Path, jfk_samples: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    guide = ROOT / "docs" / "python.md"
    if not guide.exists():
        pytest.skip("this is no checkout")
    blocks = re.findall(r"^```python\n(.*?)^```", guide.read_text(), re.M | re.S)
    (code,) = [block for block in blocks if "S4yDecoder" in block]
    # The name is found as huggingface_hub keeps it.
    hub = tmp_path / "models--openai--whisper-tiny.en"
    (hub / "snapshots").mkdir(parents=True)
    (hub / "refs").mkdir()
    (hub / "refs" / "main").write_text("abc")
    (hub / "snapshots" / "abc").symlink_to(checkpoint("tiny.en"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    names: dict = {"samples": jfk_samples}
    exec(code, names)  # noqa: S102
    assert "what your country can do for you" in names["text"]
    assert whisper_s4y.Model(names["path"]).signatures.keys() == {"serving_default"}


# ---- Its other names ----


@pytest.mark.parametrize("model", ["tiny.en", "base"])
def test_tokenizer_is_transformers(model: str) -> None:
    path = SHARED / "goldens" / f"whisper-{model}" / "tokenizer.json"
    if not path.exists():
        pytest.skip("there are no ../shared/goldens")
    expected = json.loads(path.read_text())
    tokenizer = hf.tokenizer(checkpoint(model))
    for one in expected["strings"]:
        if "\0" in one["text"]:  # which ends a text of the C API
            with pytest.raises(ValueError, match="NUL"):
                tokenizer.encode(one["text"])
            continue
        assert tokenizer.encode(one["text"], add_special_tokens=False) == one["ids"]
        assert tokenizer.decode(one["ids"]) == one["decoded"]
    for one in expected["decode_only"]:
        assert tokenizer.decode(one["ids"]) == one["decode"]
        assert tokenizer.decode(one["ids"], skip_special_tokens=True) == one["skip_special"]
        assert tokenizer.decode(one["ids"], decode_with_timestamps=True) == one["with_timestamps"]
    assert tokenizer("Hello")["input_ids"] == expected["encode_with_special_Hello"]
    for language, prompt in expected["prompt_ids"].items():
        found = tokenizer.get_decoder_prompt_ids(language=language, task="transcribe")
        assert found == [tuple(pair) for pair in prompt]
    assert tokenizer.batch_decode([[15496], [15496, 11]]) == [
        tokenizer.decode([15496]),
        tokenizer.decode([15496, 11]),
    ]
    with pytest.raises(ValueError, match="tlh"):
        tokenizer.get_decoder_prompt_ids(language="tlh")
    assert tokenizer.get_decoder_prompt_ids(language="German") == (
        tokenizer.get_decoder_prompt_ids(language="de")
    )


def test_feature_extractor_takes_several_and_cuts() -> None:
    extractor = hf.feature_extractor(checkpoint("tiny.en"))
    one, two = np.zeros(100, np.float32), np.ones(500000, np.float32)
    features = extractor([one, two])["input_features"]
    assert features.shape == (2, 80, 3000)
    np.testing.assert_array_equal(features[1:], extractor(two[:480000])["input_features"])
    np.testing.assert_array_equal(features[:1], extractor(one.tolist())["input_features"])
    with pytest.raises(ValueError, match="8000"):
        extractor(one, sampling_rate=8000)
    with pytest.raises(ValueError, match="NumPy"):
        extractor(one, return_tensors="tf")


def test_what_cannot_be_had_is_said() -> None:
    decoder = hf.decoder(checkpoint("tiny.en"))
    output = decoder(np.array([[50257]]), np.zeros((1, 1500, 384), np.float32))
    with pytest.raises(AttributeError, match="last_hidden_state.*logits"):
        output.last_hidden_state
    with pytest.raises(ValueError, match="English only"):
        S4yDecoder(checkpoint("tiny.en"), lang="ar")(np.zeros((1, 1500, 384), np.float32))
    with pytest.raises(ValueError, match=r"\[1, 80, 3000\]"):
        S4yEncoder(checkpoint("tiny.en"))(np.zeros((1, 80, 300), np.float32))


def test_paths_of_tflite_files(tmp_path: pathlib.Path) -> None:
    features = S4yFeaturesExtractor()
    given = features.tflite(tflite_model_path=tmp_path / "new" / "f.tflite")
    assert given == str(tmp_path / "new" / "f.tflite")
    heard = io.StringIO()
    log = logging.getLogger("heard")
    log.setLevel(logging.INFO)
    log.addHandler(logging.StreamHandler(heard))
    path = features.tflite("name", log=log, artefact=False)
    assert pathlib.Path(path).name == "name.tflite"
    assert pathlib.Path(path).read_bytes() == pathlib.Path(given).read_bytes()
    pathlib.Path(path).unlink()
    assert "name.tflite" in heard.getvalue()
    with pytest.raises(ValueError, match="converted already"):
        S4yEncoder(given).tflite(tflite_model_path=tmp_path / "again.tflite")


def test_integers_are_sound_too() -> None:
    numbers = np.random.default_rng(1).integers(-3000, 3000, 480000).astype(np.int16)
    expected = S4yFeaturesExtractor()(numbers.astype(np.float32) / 32768)
    np.testing.assert_array_equal(S4yFeaturesExtractor()(numbers), expected)
    encoder = S4yPcmEncoder(checkpoint("tiny.en"))
    np.testing.assert_array_equal(
        encoder(numbers).last_hidden_state,
        encoder(numbers.astype(np.float32) / 32768).last_hidden_state,
    )


def test_outputs_by_position() -> None:
    output = hf.ModelOutput(logits=1, hidden=2)
    assert (output[0], output["hidden"], output[:2], output.logits) == (1, 2, (1, 2), 1)
    with pytest.raises(IndexError):
        output[2]


@pytest.mark.parametrize("length", [-5, 0, 449, 2.5])
def test_lengths_that_no_decoder_has(length: float) -> None:
    with pytest.raises(ValueError, match="max_length"):
        S4yDecoder(checkpoint("tiny.en"), max_length=length)


def test_languages_that_are_none() -> None:
    for kind in (S4yDecoder, S4yGenerator):
        with pytest.raises(ValueError, match="xx"):
            kind(checkpoint("tiny.en"), lang="xx")
    assert S4yDecoder(checkpoint("tiny.en"), lang="English").lang == "en"


def test_nothing_is_said_or_made_before_a_refusal(tmp_path: pathlib.Path) -> None:
    heard = io.StringIO()
    log = logging.getLogger("refused")
    log.setLevel(logging.INFO)
    log.addHandler(logging.StreamHandler(heard))
    path = tmp_path / "new" / "d.tflite"
    with pytest.raises(ValueError, match="English only"):
        S4yDecoder(checkpoint("tiny.en"), lang="ar").tflite(tflite_model_path=path, log=log)
    given = S4yFeaturesExtractor().tflite(tflite_model_path=tmp_path / "f.tflite", log=None)
    with pytest.raises(ValueError, match="converted already"):
        S4yEncoder(given).tflite(tflite_model_path=path, log=log)
    assert not heard.getvalue()
    assert not path.parent.exists()


def test_a_log_is_a_logger_or_none(tmp_path: pathlib.Path, capfd: pytest.CaptureFixture) -> None:
    features = S4yFeaturesExtractor()
    with pytest.raises(ValueError, match="not True"):
        features.tflite(tflite_model_path=tmp_path / "f.tflite", log=True)
    assert not list(tmp_path.iterdir())
    features.tflite(tflite_model_path=tmp_path / "f.tflite", log=None)
    assert capfd.readouterr() == ("", "")


def test_a_full_disk_leaves_nothing(tmp_path: pathlib.Path) -> None:
    features = S4yFeaturesExtractor()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(whisper_s4y.FileAccessError, match="Cannot write .*f.tflite: "):
            features.tflite(tflite_model_path=tmp_path / "f.tflite")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["hf", "openai", "ggml"])
def test_assets_of_any_checkpoint(kind: str, tmp_path: pathlib.Path) -> None:
    source = checkpoint("tiny.en").parent / kind
    if kind == "ggml":  # several lie there
        source = source / "ggml-tiny.en-q5_0.bin"
    found = assets.download_from_huggingface(source, tmp_path / "assets")
    assert {"vocab.json", "merges.txt"} <= {pathlib.Path(one).name for one in found}
    vocabulary = json.loads((tmp_path / "assets" / "vocab.json").read_text())
    assert vocabulary["Hello"] == 15496


def test_module_writes_generator_features_extractor_and_assets(tmp_path: pathlib.Path) -> None:
    def module(*arguments: object) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, "-m", "whisper_s4y", *map(str, arguments)],
            capture_output=True,
            text=True,
            env=ENVIRONMENT,
        )

    link = tmp_path / "whisper-tiny.en"  # so that it has the name it has on the hub
    link.symlink_to(checkpoint("tiny.en"))
    folder = tmp_path / "out"
    done = module("--model_name", link, "--model_lang", "en", "--artefacts_dir", folder, "--debug")
    assert done.returncode == 0, done.stderr
    written = {path.name for path in folder.iterdir()}
    assert {
        "whisper-tiny.en-en.tflite",
        "features-extractor.tflite",
        "vocab.json",
        "merges.txt",
    } <= written
    assert "INFO" in done.stdout
    case = CASES[0]
    expected = golden(case)["tokens"][:56]
    mel = run(str(folder / "features-extractor.tflite"), normalized_audio=sound(case[2]))
    tokens = run(str(folder / "whisper-tiny.en-en.tflite"), input_features=mel)
    assert tokens[0, :56].tolist() == expected

    skipped = tmp_path / "skipped"
    every = ("--skip_generator", "--skip_features_extractor", "--skip_assets")
    assert module("--model_name", link, "--artefacts_dir", skipped, *every).returncode == 0
    assert not skipped.exists()
    failed = module("--model_name", tmp_path / "nothing", "--artefacts_dir", skipped)
    assert failed.returncode == 1
    assert failed.stderr.count("\n") == 1 and "nothing" in failed.stderr
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file" / "folder", "/proc/nope"):
        for skip in (every[:1], every[:2]):
            failed = module("--model_name", link, "--artefacts_dir", folder, *skip)
            assert failed.returncode == 1
            assert failed.stderr.count("\n") == 1 and str(folder) in failed.stderr
