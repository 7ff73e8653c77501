"""Decoding in Python: Model.encode, Model.decode, Decoder."""

from __future__ import annotations

import numpy as np
import pytest

from whisper_s4y import Decoder, Model, Transcriber
from whisper_s4y.decoding import log_mel, log_softmax, prompt_tokens


@pytest.fixture(scope="module")
def encoded(tiny_model: Model, jfk_samples: np.ndarray) -> np.ndarray:
    return tiny_model.encode(jfk_samples)


def test_encode_takes_samples_and_spectrograms(
    tiny_model: Model, jfk_samples: np.ndarray, encoded: np.ndarray
) -> None:
    assert encoded.shape == (1, 1500, 384)
    mel = log_mel(tiny_model, jfk_samples)
    assert mel.shape == (1, 80, 3000)
    np.testing.assert_array_equal(tiny_model.encode(mel), encoded)
    np.testing.assert_array_equal(tiny_model.encode(mel[0]), encoded)
    with pytest.raises(ValueError, match="30 s"):
        tiny_model.encode(np.zeros(480001, np.float32))


def test_greedy_text_is_the_transcribers(tiny_model: Model, jfk_samples: np.ndarray) -> None:
    expected = Transcriber(tiny_model).transcribe(jfk_samples, temperatures=[0])
    mel = log_mel(tiny_model, jfk_samples)
    mel[:, :, 1100:] = 0  # so openai/whisper transcribe() fills up the last window
    found = tiny_model.decode(tiny_model.encode(mel), timestamps=True)
    # Whether a full stop ends it is a close call in int8.
    assert found.text.rstrip(".") == expected.text.rstrip(".")
    assert abs(found.avg_logprob - expected.segments[0].avg_logprob) < 0.05
    # The Transcriber computes by kernels of its own, the signatures run on LiteRT.
    assert abs(found.no_speech_prob - expected.segments[0].no_speech_prob) < 0.01
    assert len(found.log_probs) == len(found.tokens) + 1
    assert (found.log_probs <= 0).all()


def test_processors_change_what_is_said(tiny_model: Model, encoded: np.ndarray) -> None:
    (country,) = tiny_model.tokenize(" country")
    seen = []

    def never_country(tokens: np.ndarray, logits: np.ndarray) -> None:
        seen.append(tokens.copy())
        logits[country] = -np.inf

    found = tiny_model.decode(encoded, logit_processors=[never_country])
    assert "country" not in found.text
    assert "country" in tiny_model.decode(encoded).text
    assert seen[0].tolist() == found.prompt
    assert seen[-1].tolist() == found.prompt + found.tokens

    def only_country(tokens: np.ndarray, logits: np.ndarray) -> np.ndarray:
        others = np.full_like(logits, -np.inf)
        others[country] = 0
        return others

    found = tiny_model.decode(encoded, logit_processors=[only_country], max_tokens=3)
    assert found.tokens == [country] * 3
    assert found.log_probs.tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    "processor, says",
    [
        (lambda tokens, logits: logits[:10], "shape"),
        (lambda tokens, logits: logits.fill(-np.inf), "No token is possible"),
        (lambda tokens, logits: logits.fill(np.nan), "No token is possible"),
        (lambda tokens, logits: tokens.fill(0), "read-only"),
    ],
)
def test_what_a_processor_must_not_do(
    tiny_model: Model, encoded: np.ndarray, processor, says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        tiny_model.decode(encoded, logit_processors=[processor], max_tokens=2)


@pytest.mark.parametrize(
    "keywords, says",
    [
        (dict(temperature=-1), "temperature"),
        (dict(task="sing"), "sing"),
        (dict(task="translate"), "English only"),
        (dict(language="de"), "English only"),
        (dict(prompt=[-1]), "vocabulary"),
        (dict(prompt=[2**40]), "vocabulary"),
        (dict(prompt=[1.9]), "whole number"),
        (dict(max_tokens=-1), "max_tokens"),
        (dict(temperature=np.inf), "temperature"),
        (dict(temperature=np.nan), "temperature"),
        (dict(temperature="a"), "temperature='a'"),
        (dict(temperature=None), "temperature=None"),
        (dict(logit_processors=None), "logit_processors is a list of functions"),
        (dict(logit_processors=lambda tokens, logits: None), "logit_processors is a list"),
        (dict(logit_processors=[3]), "logit_processors is a list"),
    ],
)
def test_what_cannot_be_decoded(
    tiny_model: Model, encoded: np.ndarray, keywords: dict, says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        tiny_model.decode(encoded, **{"max_tokens": 2, **keywords})


def test_sampling_is_repeatable(tiny_model: Model, encoded: np.ndarray) -> None:
    one = tiny_model.decode(encoded, temperature=1.5, seed=7, max_tokens=20)
    assert one.tokens == tiny_model.decode(encoded, temperature=1.5, seed=7, max_tokens=20).tokens
    assert one.tokens != tiny_model.decode(encoded, temperature=1.5, seed=8, max_tokens=20).tokens


def test_prefill_and_steps_agree(tiny_model: Model, encoded: np.ndarray) -> None:
    tokens = prompt_tokens(tiny_model) + tiny_model.tokenize(" And so my fellow Americans")
    at_once = Decoder(tiny_model, encoded)
    one_by_one = Decoder(tiny_model, encoded)
    expected = at_once.prefill(tokens).copy()
    for token in tokens:
        logits = one_by_one.step(token)
    # int8 activations are rounded in other places when there are several rows.
    np.testing.assert_allclose(log_softmax(logits), log_softmax(expected), atol=0.3)
    assert logits.argmax() == expected.argmax()
    assert at_once.position == one_by_one.position == len(tokens)


def test_rewinding_forgets(tiny_model: Model, encoded: np.ndarray) -> None:
    decoder = Decoder(tiny_model, encoded)
    first = decoder.prefill(prompt_tokens(tiny_model)).copy()
    decoder.step(100)
    decoder.rewind()
    np.testing.assert_array_equal(decoder.prefill(prompt_tokens(tiny_model)), first)


def test_only_whole_numbers_are_tokens_and_positions(
    tiny_model: Model, encoded: np.ndarray
) -> None:
    decoder = Decoder(tiny_model, encoded)
    for wrong in (
        lambda: decoder.step(1.9),
        lambda: decoder.prefill([50257, 50258.7]),
        lambda: decoder.rewind(0.5),
    ):
        with pytest.raises(ValueError, match="whole number"):
            wrong()
    assert decoder.position == 0
    decoder.prefill(np.array([50257, 50362]))
    assert decoder.position == 2


def test_all_positions_can_be_filled(tiny_model: Model, encoded: np.ndarray) -> None:
    decoder = Decoder(tiny_model, encoded)
    decoder.prefill([100] * 440)
    for _ in range(8):
        assert np.isfinite(decoder.step(100)).all()
    with pytest.raises(ValueError, match="448"):
        decoder.step(100)


def test_prompts(tiny_model: Model, base: str) -> None:
    model = Model(base)
    prompt = prompt_tokens(model, "de", "translate", previous=" Hello")
    names = model.detokenize(prompt, special_tokens=True)
    assert names == (
        "<|startofprev|> Hello<|startoftranscript|><|de|><|translate|><|notimestamps|>"
    )
    assert prompt_tokens(model, "German") == prompt_tokens(model, "de")
    with pytest.raises(ValueError, match="which"):
        prompt_tokens(model)
    with pytest.raises(ValueError, match="xx"):
        prompt_tokens(model, "xx")
    assert len(prompt_tokens(tiny_model, timestamps=True)) == 1
