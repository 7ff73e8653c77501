"""Pictures, by what is in them."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

import whisper_s4y
from conftest import run_python
from whisper_s4y import decoding, plot

matplotlib = pytest.importorskip("matplotlib", reason="matplotlib is not installed")
matplotlib.use("Agg")
pyplot = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture()
def axes() -> Any:
    figure, made = pyplot.subplots()
    yield made
    pyplot.close(figure)


def drawn(axes: Any) -> np.ndarray:
    """The figure's pixels."""
    axes.figure.canvas.draw()
    return np.asarray(axes.figure.canvas.buffer_rgba())


def segment(index: int, start: float, end: float, words: Any = None) -> whisper_s4y.Segment:
    return whisper_s4y.Segment(
        id=index, seek=0, start=start, end=end, text=f" text {index}", tokens=[], avg_logprob=0,
        compression_ratio=1, no_speech_prob=0, words=words, temperature=0,
    )  # fmt: skip


def test_waveform_has_sound_segments_and_words(axes: Any) -> None:
    samples = np.sin(np.arange(32000, dtype=np.float32) / 100)
    words = [whisper_s4y.Word(1.0, 1.4, " one", 0.9), whisper_s4y.Word(1.5, 2.0, " two", 0.9)]
    segments = [segment(0, 0.25, 0.75), segment(1, 1.0, 2.0, words)]
    assert plot.waveform(samples, segments, ax=axes) is axes
    line = axes.lines[0]
    np.testing.assert_array_equal(line.get_ydata(), samples)
    assert line.get_xdata()[16000] == 1.0
    spans = [patch.get_extents().transformed(axes.transData.inverted()) for patch in axes.patches]
    found = [(round(span.x0, 3), round(span.x1, 3)) for span in spans]
    assert found == [(0.25, 0.75), (1.0, 2.0)]
    assert [text.get_text() for text in axes.texts] == ["text 0", "one", "two"]
    assert [mark.get_xdata()[0] for mark in axes.lines[1:]] == [1.0, 1.5]
    assert len(np.unique(drawn(axes).reshape(-1, 4), axis=0)) > 3


def test_waveform_takes_a_transcript(tiny_en: str, jfk_samples: np.ndarray) -> None:
    transcript = whisper_s4y.Transcriber(tiny_en).transcribe(jfk_samples, word_timestamps=True)
    made = plot.waveform(jfk_samples, transcript)
    texts = [text.get_text() for text in made.texts]
    assert " ".join(texts) == transcript.text.strip()
    assert len(made.patches) == len(transcript.segments)
    pyplot.close(made.figure)


def test_log_mel_is_the_picture_of_its_numbers(axes: Any) -> None:
    features = np.random.default_rng(0).normal(size=(1, 80, 300)).astype(np.float32)
    assert plot.log_mel(features, ax=axes) is axes
    (image,) = axes.images
    np.testing.assert_array_equal(image.get_array(), features[0])
    assert image.get_extent() == [0, 3.0, 0, 80]
    assert image.origin == "lower"
    with pytest.raises(ValueError, match="num_mel_bins"):
        plot.log_mel(features[0, 0], ax=axes)


def test_difference_from_a_reference(axes: Any) -> None:
    reference = np.zeros((80, 100), np.float32)
    features = reference.copy()
    features[3, 4] = -0.5
    features[5, 6] = 0.25
    plot.difference(features, reference, ax=axes)
    (image,) = axes.images
    np.testing.assert_array_equal(image.get_array(), features)
    assert image.get_clim() == (-0.5, 0.5)
    assert "0.5" in axes.get_title()
    with pytest.raises(ValueError, match=r"\[80, 100\] and \[80, 99\]"):
        plot.difference(features, reference[:, :99], ax=axes)


def test_alignment_goes_forward_in_time(
    tiny_model: whisper_s4y.Model, jfk_samples: np.ndarray
) -> None:
    encoded = tiny_model.encode(jfk_samples)
    result = tiny_model.decode(encoded)
    found = plot.alignment(tiny_model, encoded, result.tokens, duration=11)
    assert found.weights.shape == (len(result.tokens), 550)
    np.testing.assert_allclose(found.weights.sum(axis=1), 1, rtol=1e-4)
    assert "".join(found.tokens) == result.text
    heard = found.weights.argmax(axis=1) * 0.02
    assert np.corrcoef(heard, np.arange(heard.size))[0, 1] > 0.9
    # Words are heard about when the transcript says.
    transcript = whisper_s4y.Transcriber(tiny_model).transcribe(jfk_samples, word_timestamps=True)
    (fellow,) = [w for s in transcript.segments for w in s.words or () if w.word == " fellow"]
    at = heard[found.tokens.index(" fellow")]
    assert fellow.start - 0.5 <= at <= fellow.end + 0.5

    made = plot.alignment_matrix(found)
    (image,) = made.images
    np.testing.assert_array_equal(image.get_array(), found.weights)
    assert [text.get_text() for text in made.get_yticklabels()] == [
        text.strip() for text in found.tokens
    ]
    assert drawn(made).size
    pyplot.close(made.figure)


def test_alignment_of_more_tokens_than_one_call_takes(tiny_model: whisper_s4y.Model) -> None:
    encoded = np.zeros((1, 1500, 384), np.float32)
    tokens = tiny_model.tokenize(" word" * 446)
    found = plot.alignment(tiny_model, encoded, tokens)
    assert found.weights.shape == (446, 1500)
    assert np.isfinite(found.weights).all()
    few = plot.alignment(tiny_model, encoded, tokens[:100])
    np.testing.assert_allclose(found.weights[:100], few.weights, rtol=1e-3, atol=1e-6)
    with pytest.raises(ValueError, match="448"):
        plot.alignment(tiny_model, encoded, [*tokens, 11])
    with pytest.raises(ValueError, match="1000000 is not in the vocabulary"):
        plot.alignment(tiny_model, encoded, [10**6])


def test_without_matplotlib_one_sentence_says_what_to_do() -> None:
    code = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "from whisper_s4y import plot; import numpy as np\n"
        "try: plot.waveform(np.zeros(10, np.float32))\n"
        "except ImportError as error: print(error)"
    )
    found = run_python(code, check=True)
    assert found.stdout == (
        "whisper_s4y.plot needs matplotlib: pip install whisper-s4y[plot].\n"
    )


def test_importing_draws_nothing() -> None:
    code = "import sys; from whisper_s4y import plot; print('matplotlib' in sys.modules)"
    assert run_python(code, check=True).stdout == "False\n"


def test_log_mel_of_a_model(tiny_model: whisper_s4y.Model, jfk_samples: np.ndarray) -> None:
    features = decoding.log_mel(tiny_model, jfk_samples)
    made = plot.log_mel(features)
    assert made.images[0].get_array().shape == (80, 3000)
    pyplot.close(made.figure)
    assert "matplotlib" in sys.modules
