"""Pictures of sound, transcripts and models. matplotlib draws them: ``pip install whisper-s4y[plot]``.

    plot.waveform(samples, transcript)
    pyplot.savefig("talk.png")  # from matplotlib import pyplot

Each function takes the ``ax`` to draw into, or makes a new figure, and gives the ``Axes``.
"""

# matplotlib does not type its keywords.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from typing import TYPE_CHECKING, Any, List, NamedTuple, Optional, Sequence, Tuple, cast

import numpy as np
import numpy.typing as npt

from .audio import SAMPLE_RATE, as_samples
from .decoding import prompt_tokens, token_id
from .errors import InvalidArgumentError, UnsupportedError
from .model import Model, Session

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from .transcriber import Segment, Transcript

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float32]

_FRAME = 0.01  # seconds of a column of a log-mel spectrogram
_POSITION = 0.02  # seconds of a position of the encoder
_COLORS = ("tab:blue", "tab:orange")  # of one segment and the next


def _axes(ax: Optional[Axes], width: float = 12, height: float = 3) -> Axes:
    """The axes to draw into: those given, or new ones."""
    if ax is not None:
        return ax
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise ImportError(
            "whisper_s4y.plot needs matplotlib: pip install whisper-s4y[plot]."
        ) from error
    _, made = pyplot.subplots(figsize=(width, height), layout="constrained")
    return made


def waveform(
    samples: Array,
    transcript: "Transcript | Sequence[Segment] | None" = None,
    *,
    ax: Optional[Axes] = None,
) -> Axes:
    """Sound over time, with its segments as coloured stretches and their words above.

    Args:
        samples: [samples] at 16 kHz.
        transcript: of the same sound, or its segments. Where words have times these are marked.
        ax: where to draw.
    """
    sound = as_samples(samples)
    ax = _axes(ax)
    ax.plot(np.arange(sound.size) / SAMPLE_RATE, sound, color="0.5", linewidth=0.4)
    ax.set(xlabel="seconds", ylabel="amplitude", xlim=(0, sound.size / SAMPLE_RATE))
    segments: Sequence[Segment] = (
        getattr(transcript, "segments", transcript) or ()  # pyright: ignore
    )
    top = float(np.abs(sound).max(initial=0)) or 1.0
    for index, segment in enumerate(segments):
        color = _COLORS[index % len(_COLORS)]
        ax.axvspan(segment.start, segment.end, color=color, alpha=0.2)
        if not segment.words:
            ax.text(segment.start, top, segment.text.strip(), va="bottom", fontsize=8)
        for word in segment.words or ():
            ax.axvline(word.start, color=color, linewidth=0.8)
            ax.text(word.start, top, word.word.strip(), va="bottom", rotation=60, fontsize=8)
    return ax


def log_mel(features: Array, *, ax: Optional[Axes] = None) -> Axes:
    """A log-mel spectrogram as a picture, low tones at the bottom.

    Args:
        features: [(1,) num_mel_bins, frames], as :func:`whisper_s4y.decoding.log_mel` gives it.
        ax: where to draw.
    """
    return _picture(features, ax, "viridis", None)


def difference(
    features: Array, reference: Array, *, ax: Optional[Axes] = None, limit: Optional[float] = None
) -> Axes:
    """How much features lie above (red) or below (blue) a reference.

    Args:
        features: [(1,) num_mel_bins, frames].
        reference: the same shape.
        ax: where to draw. Its title says the largest difference.
        limit: difference of the strongest colours; None: the largest one.

    Raises:
        InvalidArgumentError: the shapes are different.
    """
    if np.shape(features) != np.shape(reference):
        raise InvalidArgumentError(
            f"The shapes are different: {list(np.shape(features))} and "
            f"{list(np.shape(reference))}."
        )
    off = np.asarray(features, np.float32) - np.asarray(reference, np.float32)
    largest = float(np.abs(off).max(initial=0))
    ax = _picture(off, ax, "RdBu_r", limit if limit is not None else largest or 1.0)
    ax.set_title(f"largest difference {largest:.2g}")
    return ax


def _picture(features: Array, ax: Optional[Axes], colors: str, limit: Optional[float]) -> Axes:
    picture = np.asarray(features, np.float32)
    if picture.ndim == 3 and picture.shape[0] == 1:
        picture = picture[0]
    if picture.ndim != 2:
        raise InvalidArgumentError(
            f"Features are [num_mel_bins, frames]; these have the shape {list(picture.shape)}."
        )
    ax = _axes(ax)
    image = ax.imshow(
        picture,
        origin="lower",
        aspect="auto",
        interpolation="nearest",
        cmap=colors,
        vmin=None if limit is None else -limit,
        vmax=limit,
        extent=(0, picture.shape[1] * _FRAME, 0, picture.shape[0]),
    )
    cast(Any, ax.figure).colorbar(image, ax=ax)
    ax.set(xlabel="seconds", ylabel="mel bin")
    return ax


class Alignment(NamedTuple):
    """Where the alignment heads look while tokens are read."""

    #: float32 [tokens, positions]: mean attention of the heads; a position is 0.02 s.
    weights: Floats
    #: The text of each token.
    tokens: Tuple[str, ...]


def alignment(
    model: Model,
    encoded: Array,
    tokens: Sequence[int],
    *,
    language: Optional[str] = None,
    duration: Optional[float] = None,
) -> Alignment:
    """The attention that word times are found by.

    Args:
        model: a bundle whose checkpoint knows its alignment heads.
        encoded: float32 [1, 1500, d_model], as ``model.encode()`` gives it.
        tokens: of the text, as ``model.decode()`` gives them.
        language: a code, of models that know several.
        duration: seconds of sound in the window; None: all 30.

    Raises:
        UnsupportedError: the checkpoint names no alignment heads.
        InvalidArgumentError: there are more tokens than the decoder has positions, or one that the
            vocabulary does not have.
    """
    if "align" not in model.signatures:
        raise UnsupportedError(f"{model.name} has no alignment heads: it cannot be aligned.")
    prompt = prompt_tokens(model, language)
    vocabulary = int(model.config["vocab_size"])
    row = [*prompt, *(token_id(token, vocabulary) for token in tokens)]
    most = int(model.config["max_target_positions"])
    if len(row) > most:
        raise InvalidArgumentError(f"A decoder has {most} positions; these are {len(row)} tokens.")
    session = Session(model)
    cross = session.signature("cross")
    cross(last_hidden_state=encoded)
    align = session.signature("align")
    for name in align.inputs:
        if name.startswith("cross_"):
            align.bind(name, cross, name)
        elif name.startswith("self_"):
            align.bind(name, align, f"new_{name}")
    positions = 1500 if duration is None else max(1, min(1500, round(duration / _POSITION)))
    width = align.inputs["tokens"].shape[1]
    parts: List[Floats] = []
    at = 0
    while at < len(row):
        # A call writes all of its width: near the end it begins earlier and reads some anew.
        begin = max(0, min(at, most - width))
        part = row[begin : begin + width]
        align.inputs["tokens"][0, : len(part)] = part
        align.inputs["position"][0] = begin
        align.run()
        parts.append(align.outputs["scores"][0, :, at - begin : len(part), :positions].copy())
        at = begin + len(part)
    scores = np.concatenate(parts, axis=1)[:, len(prompt) :]
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights /= weights.sum(axis=-1, keepdims=True)
    texts = tuple(model.detokenize([token], special_tokens=True) for token in row[len(prompt) :])
    return Alignment(weights.mean(axis=0), texts)


def alignment_matrix(found: Alignment, *, ax: Optional[Axes] = None) -> Axes:
    """Which sound each token was heard in: tokens from top to bottom, time from left to right.

    Args:
        found: what :func:`alignment` gives.
        ax: where to draw.
    """
    count, positions = found.weights.shape
    ax = _axes(ax, height=max(3.0, 0.22 * count))
    ax.imshow(
        found.weights,
        aspect="auto",
        interpolation="nearest",
        cmap="magma",
        extent=(0, positions * _POSITION, count - 0.5, -0.5),
    )
    ax.set_yticks(range(count), [text.strip() or repr(text) for text in found.tokens], fontsize=8)
    ax.set(xlabel="seconds")
    return ax
