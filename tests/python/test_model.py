"""Model, Session and Signature."""

from __future__ import annotations

import errno
import os
import threading

import numpy as np
import pytest

import whisper_s4y
from whisper_s4y import Model


def greedy(model: Model, samples: np.ndarray) -> str:
    """The text of 30 s by the signatures alone."""
    config = model.config
    sound = np.zeros(480000, np.float32)
    sound[: samples.size] = samples
    logmel = model.signature("features")(normalized_audio=sound)["logmel"]
    hidden = model.signature("encode")(input_features=logmel)["last_hidden_state"]
    cross = model.signature("cross")(last_hidden_state=hidden)
    step = model.signature("step")
    caches = {f"self{name[8:]}": array for name, array in step.outputs.items() if name != "logits"}
    tokens = [config["decoder_start_token_id"], config["no_timestamps_token_id"]]
    out = step(token=tokens[0], position=0, **cross, **caches)
    for position in range(1, 100):
        if position == len(tokens):
            tokens.append(int(out["logits"].argmax()))
        if tokens[-1] == config["eos_token_id"]:
            break
        out = step(token=tokens[position], position=position)
    return model.detokenize(tokens)


def test_signatures_by_name(tiny_model: Model, jfk_samples: np.ndarray) -> None:
    text = greedy(tiny_model, jfk_samples)
    assert text.startswith(" And so my fellow Americans")
    assert greedy(tiny_model, jfk_samples) == text


def test_inputs_and_outputs_are_views(tiny_model: Model) -> None:
    features = tiny_model.session().signature("features")
    assert features.inputs["normalized_audio"].shape == (480000,)
    features.inputs["normalized_audio"][:] = 0.5
    features.run()
    first = features.outputs["logmel"]
    assert first.shape == (1, 80, 3000)
    copy = first.copy()
    out = features(normalized_audio=np.zeros(480000, np.float32))
    assert out["logmel"] is first
    assert not np.array_equal(first, copy)
    with pytest.raises(ValueError):
        first[0] = 0


def test_wrong_inputs_are_refused(tiny_model: Model) -> None:
    step = tiny_model.session().signature("step")
    with pytest.raises(LookupError, match="no input 'tokn'"):
        step(tokn=1)
    with pytest.raises(ValueError, match="shape"):
        step(token=[1, 2])
    with pytest.raises(ValueError, match="int32"):
        step(token=[1.5])
    with pytest.raises(LookupError, match="prefill"):
        tiny_model.signature("stepp")


def test_arrays_outlive_their_session(tiny_model: Model) -> None:
    session = tiny_model.session()
    features = session.signature("features")
    logmel = features(normalized_audio=np.zeros(480000, np.float32))["logmel"]
    expected = logmel.copy()
    session.close()
    Model(tiny_model.path).close()
    np.testing.assert_array_equal(logmel, expected)
    with pytest.raises(ValueError, match="closed"):
        features()


def test_what_was_given_out_stays_as_it_is(tiny_model: Model) -> None:
    session = tiny_model.session()
    features, encode = session.signature("features"), session.signature("encode")
    random = np.random.default_rng(1)
    logmel = features(normalized_audio=random.random(480000, np.float32))["logmel"]
    before = encode.inputs["input_features"]
    before[:] = 7
    expected = logmel.copy()
    first = encode(input_features=logmel)["last_hidden_state"].copy()
    assert np.shares_memory(encode.inputs["input_features"], logmel)
    other = encode(input_features=np.zeros_like(logmel))["last_hidden_state"].copy()
    np.testing.assert_array_equal(logmel, expected)
    assert not np.shares_memory(encode.inputs["input_features"], logmel)
    assert not np.array_equal(first, other)
    for _ in range(3):  # bound and unbound again and again
        again = encode(input_features=logmel)["last_hidden_state"]
        np.testing.assert_array_equal(again, first)
        again = encode(input_features=np.zeros_like(logmel))["last_hidden_state"]
        np.testing.assert_array_equal(again, other)
    # Memory that an input had once stays readable.
    assert before.shape == logmel.shape and np.isfinite(before).all()


def test_caches_begin_anew_when_they_are_given(tiny_model: Model) -> None:
    step = tiny_model.session().signature("step")
    zeros = {name: one.copy() for name, one in step.inputs.items() if name.startswith("self_")}
    out = step(token=1, position=0)
    caches = {name[4:]: one for name, one in out.items() if name != "logits"}
    step(token=2, position=1, **caches)
    kept = {name: one.copy() for name, one in caches.items()}
    step(token=2, position=1, **zeros)
    assert all((one == 0).all() for one in zeros.values())
    out = step(token=2, position=1, **kept)
    assert np.isfinite(out["logits"]).all()


def test_encoding_leaves_the_arrays_of_signatures_alone(
    tiny_model: Model, jfk_samples: np.ndarray
) -> None:
    sound = np.zeros(480000, np.float32)
    logmel = tiny_model.signature("features")(normalized_audio=sound)["logmel"]
    hidden = tiny_model.signature("encode")(input_features=logmel)["last_hidden_state"]
    expected = logmel.copy(), hidden.copy()
    tiny_model.encode(jfk_samples)
    tiny_model.encode(np.ones_like(logmel))
    np.testing.assert_array_equal(logmel, expected[0])
    np.testing.assert_array_equal(hidden, expected[1])


def test_what_cannot_be_bound(tiny_model: Model) -> None:
    session = tiny_model.session()
    cross, step = session.signature("cross"), session.signature("step")
    name = next(name for name in step.inputs if name.startswith("cross_"))
    step.bind(name, cross, name)
    with pytest.raises(ValueError, match="another session"):
        step.bind(name, tiny_model.session().signature("cross"), name)
    with pytest.raises(ValueError, match=r"token.*int32 \[1\].*float32"):
        step.bind("token", cross, name)
    with pytest.raises(LookupError, match="no input or output 'x'"):
        step.bind("x", cross, name)
    # As many bytes are not the same numbers: an output of another shape is no input's.
    features = session.signature("features")
    logmel = features()["logmel"]
    encode = session.signature("encode")
    with pytest.raises(ValueError, match="shape"):
        encode(input_features=features.outputs["logmel"].reshape(1, 3000, 80))
    encode(input_features=logmel)


def test_numbers_that_an_input_cannot_hold_are_refused(tiny_model: Model) -> None:
    step = tiny_model.session().signature("step")
    for token in (2**40, -(2**31) - 1, np.uint32(2**31), np.array([2**33])):
        with pytest.raises(ValueError, match="cannot hold"):
            step(token=token)
    step(token=np.uint8(5), position=np.int64(0))
    assert step.inputs["token"].tolist() == [5]
    with pytest.raises(ValueError, match="float32, not int16"):
        tiny_model.signature("features")(normalized_audio=np.zeros(480000, np.int16))
    for wrong in (
        lambda: Model.front_end(2**32 + 80),
        lambda: whisper_s4y.Transcriber(tiny_model, 2**40),
        lambda: tiny_model.session(2**32),
        lambda: tiny_model.detokenize([2**32]),
    ):
        with pytest.raises(ValueError, match="32-bit"):
            wrong()


def test_a_signature_is_used_by_one_thread_at_a_time(tiny_model: Model) -> None:
    step = tiny_model.session().signature("step")
    failed = []

    def run() -> None:
        try:
            for position in range(50):
                step(token=1, position=position)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def test_tokens(tiny_model: Model) -> None:
    tokens = tiny_model.tokenize(" Hello <|en|>")
    assert tiny_model.detokenize(tokens) == " Hello <|en|>"
    start = tiny_model.config["decoder_start_token_id"]
    assert tiny_model.detokenize([start], special_tokens=True) == "<|startoftranscript|>"
    assert tiny_model.detokenize([start]) == ""
    with pytest.raises(ValueError):
        tiny_model.detokenize([10**6])
    with pytest.raises(ValueError):
        tiny_model.detokenize([2**32 + 1])
    with pytest.raises(ValueError, match="whole number"):
        tiny_model.detokenize([1.5])  # type: ignore[list-item]


def test_facts(tiny_model: Model) -> None:
    assert tiny_model.name == "tiny.en"
    assert not tiny_model.is_multilingual
    assert tiny_model.languages == ["en"]
    assert tiny_model.config["d_model"] == 384
    assert tiny_model.signatures["step"].inputs[0] == ("token", "int32", (1,))


def test_errors_are_exceptions_that_fit(tmp_path) -> None:
    with pytest.raises(OSError) as caught:
        Model(tmp_path / "missing.tflite")
    assert isinstance(caught.value, whisper_s4y.FileAccessError)
    with pytest.raises(FileNotFoundError):
        Model(tmp_path / "missing.tflite")
    with pytest.raises(FileNotFoundError) as caught:
        whisper_s4y.load_audio(tmp_path / "missing.wav")
    assert caught.value.errno == errno.ENOENT
    assert str(caught.value).endswith(".")
    refused = whisper_s4y.errors.error_of(2, f"Cannot read x: {os.strerror(errno.EACCES)}.")
    assert isinstance(refused, PermissionError)
    assert isinstance(refused, whisper_s4y.FileAccessError)
    (tmp_path / "bad.tflite").write_bytes(b"no model")
    with pytest.raises(whisper_s4y.InvalidFileError):
        Model(tmp_path / "bad.tflite")
    with pytest.raises(ValueError):
        Model(tmp_path / "bad.tflite", threads=-1)


def test_front_end_alone() -> None:
    logmel = Model.front_end().signature("features")(normalized_audio=np.zeros(480000, np.float32))
    assert logmel["logmel"].shape == (1, 80, 3000)
    assert Model.front_end(128).signatures["features"].outputs[0].shape == (1, 128, 3000)


def test_a_closed_model_says_so(tiny_en: str) -> None:
    model = Model(tiny_en)
    model.close()
    with pytest.raises(ValueError, match="closed"):
        model.tokenize("x")


def test_opening_again_and_again_keeps_memory_flat(tiny_en: str) -> None:
    def resident() -> int:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * 4096

    for _ in range(20):
        Model(tiny_en).close()
    before = resident()
    for _ in range(200):
        Model(tiny_en).close()
    assert resident() - before < 8 << 20
