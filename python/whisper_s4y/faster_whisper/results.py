"""What faster-whisper gives out: the same classes with the same fields."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterable, List, Optional, Tuple, Union
from warnings import warn

from ..transcriber import Segment as NativeSegment
from ..transcriber import Word as NativeWord


@dataclass
class Word:
    """A spoken word."""

    start: float
    end: float
    word: str
    probability: float

    def _asdict(self) -> Dict[str, Any]:
        warn("use dataclasses.asdict(word) instead", DeprecationWarning, 2)
        return asdict(self)


@dataclass
class Segment:
    """A phrase or sentence: see :class:`whisper_s4y.Segment` for what the fields mean."""

    id: int
    seek: int
    start: float
    end: float
    text: str
    tokens: List[int]
    avg_logprob: float
    compression_ratio: float
    no_speech_prob: float
    words: Optional[List[Word]]
    temperature: Optional[float]

    def _asdict(self) -> Dict[str, Any]:
        warn("use dataclasses.asdict(segment) instead", DeprecationWarning, 2)
        return asdict(self)


@dataclass
class VadOptions:
    """How probabilities of speech become segments: see :class:`whisper_s4y.options.VadOptions`."""

    threshold: float = 0.5
    neg_threshold: Optional[float] = None
    min_speech_duration_ms: int = 0
    max_speech_duration_s: float = float("inf")
    min_silence_duration_ms: int = 2000
    speech_pad_ms: int = 400


@dataclass
class TranscriptionOptions:
    """The options that a transcription was made with."""

    beam_size: int
    best_of: int
    patience: float
    length_penalty: float
    repetition_penalty: float
    no_repeat_ngram_size: int
    log_prob_threshold: Optional[float]
    no_speech_threshold: Optional[float]
    compression_ratio_threshold: Optional[float]
    condition_on_previous_text: bool
    prompt_reset_on_temperature: float
    temperatures: List[float]
    initial_prompt: Optional[Union[str, Iterable[int]]]
    prefix: Optional[str]
    suppress_blank: bool
    suppress_tokens: Optional[List[int]]
    without_timestamps: bool
    max_initial_timestamp: float
    word_timestamps: bool
    prepend_punctuations: str
    append_punctuations: str
    multilingual: bool
    max_new_tokens: Optional[int]
    clip_timestamps: Union[str, List[float], List[Dict[str, float]], None]
    hallucination_silence_threshold: Optional[float]
    hotwords: Optional[str]


class _NumberOrLater:
    """A field that takes a number, or a function that is called for it when it is first read."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = "_" + name

    def __get__(self, info: Any, owner: type) -> float:
        if info is None:
            raise AttributeError(self._name)  # the field has no default
        value: Union[float, Callable[[], float]] = getattr(info, self._name)
        if isinstance(value, (int, float)):
            return value
        number = value()
        setattr(info, self._name, number)
        return number

    def __set__(self, info: Any, value: Union[float, Callable[[], float]]) -> None:
        setattr(info, self._name, value)


@dataclass
class TranscriptionInfo:
    """What is known of a recording before its first segment."""

    #: Code of the spoken language, "en".
    language: str
    language_probability: float
    #: Seconds.
    duration: float
    #: Seconds of what the VAD filter leaves. It is known when all segments were taken; who asks
    #: before that waits until all of the recording was looked through.
    if TYPE_CHECKING:
        duration_after_vad: float
    else:
        duration_after_vad: float = _NumberOrLater()
    #: Of all languages, likeliest first; None when the language was given.
    all_language_probs: Optional[List[Tuple[str, float]]]
    transcription_options: TranscriptionOptions
    vad_options: Optional[VadOptions]

    def __getstate__(self) -> Dict[str, Any]:
        _ = self.duration_after_vad  # a function is not pickled
        return self.__dict__


def _word(word: NativeWord) -> Word:
    return Word(round(word.start, 3), round(word.end, 3), word.word, word.probability)


def segment_of(segment: NativeSegment) -> Segment:
    return Segment(
        id=segment.id + 1,  # faster-whisper counts from 1
        seek=segment.seek,
        start=round(segment.start, 3),
        end=round(segment.end, 3),
        text=segment.text,
        tokens=segment.tokens,
        avg_logprob=segment.avg_logprob,
        compression_ratio=segment.compression_ratio,
        no_speech_prob=segment.no_speech_prob,
        words=None if segment.words is None else [_word(word) for word in segment.words],
        temperature=segment.temperature,
    )
