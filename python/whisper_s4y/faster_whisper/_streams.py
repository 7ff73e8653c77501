"""What a transcription of faster-whisper's is made of: what is asked, and what is given out."""

from __future__ import annotations

from typing import Any, BinaryIO, Iterable, Iterator, Optional, Tuple, Union, cast

import numpy.typing as npt

from .._log import log, progress_bar
from .._native import language_code, whole
from ..audio import SAMPLE_RATE, Samples, as_samples, is_samples, load_audio, speech_timestamps
from ..errors import InvalidArgumentError, UnsupportedError
from ..model import Model
from ..transcriber import TranscriptStream
from .keywords import vad_values
from .results import Segment, TranscriptionInfo, TranscriptionOptions, VadOptions, segment_of


def known_options(
    model: Model, multilingual: bool, language: Optional[str], task: str
) -> Tuple[bool, Optional[str], str]:
    """What of these holds for the model, and the language as its code.

    Raises:
        InvalidArgumentError: there is no such language.
        UnsupportedError: the model does not know it.
    """
    code = None if language is None else language_code(language)
    if model.is_multilingual:
        if code is not None and code not in model.languages:
            raise UnsupportedError(f"{model.name} does not know the language {code!r}.")
        return multilingual, code, task
    if multilingual:
        log.warning("The model is English-only: multilingual is False.")
    if code not in (None, "en"):
        log.warning("The model is English-only: the language %r is 'en'.", language)
    if task == "translate":
        log.warning("The model is English-only: the task 'translate' is 'transcribe'.")
        task = "transcribe"
    return False, "en", task


def check_suppressed(model: Model, tokens: Any) -> None:
    """Refuses tokens that the model does not have: the library would see them at the first window."""
    if tokens is None or isinstance(tokens, str):
        return  # the library reads texts
    size = int(model.config["vocab_size"])
    if not isinstance(tokens, Iterable):
        raise InvalidArgumentError(f"suppress_tokens: expected a list of tokens, not {tokens!r}.")
    for token in cast("Iterable[Any]", tokens):
        if not -1 <= whole(token, "token of suppress_tokens") < size:
            raise InvalidArgumentError(
                f"suppress_tokens: the token {token} is not one of the {size} of {model.name}."
            )


def prompt_text(model: Model, prompt: Optional[Union[str, Iterable[int]]]) -> Optional[str]:
    """A prompt as text, also when it is given as tokens."""
    if prompt is None or isinstance(prompt, str):
        return prompt
    if not isinstance(prompt, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidArgumentError(f"initial_prompt: expected a text or its tokens, not {prompt!r}.")
    tokens = [whole(token, "token of initial_prompt") for token in prompt]
    text = model.detokenize(tokens)
    if model.tokenize(text) != tokens:
        raise InvalidArgumentError(
            "initial_prompt: these tokens are not those of a text; give the text itself."
        )
    return text


def info_of(
    stream: TranscriptStream,
    samples: Samples,
    language: Optional[str],
    options: TranscriptionOptions,
    vad_options: Optional[VadOptions],
    vad_filter: bool,
) -> TranscriptionInfo:
    """What is known before the first segment; waits for the language."""
    duration = samples.size / SAMPLE_RATE

    def after_vad() -> float:
        speech = speech_timestamps(samples, **vad_values(vad_options))
        return sum(one.end - one.start for one in speech) / SAMPLE_RATE

    found = stream.languages() if language is None else []
    code, probability = found[0] if found else (language or "en", 1.0)
    return TranscriptionInfo(
        language=code,
        language_probability=probability,
        duration=duration,
        duration_after_vad=cast(float, after_vad if vad_filter else duration),
        all_language_probs=found or None,
        transcription_options=options,
        vad_options=vad_options,
    )


def samples_of(audio: Union[str, BinaryIO, npt.NDArray[Any]]) -> Samples:
    if is_samples(audio):
        return as_samples(audio)
    return load_audio(audio)


def segments_of(
    stream: TranscriptStream, log_progress: bool, info: Optional[TranscriptionInfo] = None
) -> Iterator[Segment]:
    bar = progress_bar("transcribing") if log_progress else None
    try:
        for segment in stream:
            if bar is not None:
                bar(*stream.progress)
            yield segment_of(segment)
        if bar is not None:
            bar(1, 1)
        if info is not None:
            info.duration_after_vad = stream.transcript().duration_after_vad
    finally:
        stream.close()
