"""faster-whisper's keywords, and what they are for the library."""

from __future__ import annotations

import math
from dataclasses import asdict, fields
from typing import Any, Dict, Iterable, List, Mapping, Optional, Tuple, Union, cast

from .. import _options
from ..convert import describe
from ..errors import InvalidArgumentError
from .results import TranscriptionOptions, VadOptions


WINDOW_SECONDS = 30  # seconds

# compute_type by the number format of the weights that stands for it.
QUANTIZATION = {
    "default": "none",
    "auto": "int8",
    "float32": "none",
    "float16": "fp16",
    "int8": "int8",
    "int8_float32": "int8",
    "int8_float16": "int8",
    "int8_bfloat16": "int8",
    # Ours, by their own names.
    "none": "none",
    "fp16": "fp16",
    "mixed": "mixed",
    "int4": "int4",
}

# What a .tflite file says of its weights.
_FORMATS = {"none": "fp32", "fp16": "fp16", "int8": "int8", "int4": "int4"}

# A window of a batch that is all of the sound, when there is the least speech in it.
ALL_OF_IT: Dict[str, Any] = {
    "batch_size": 1,
    "vad_options": {
        "threshold": 0.001,
        "min_silence_duration_ms": WINDOW_SECONDS * 1000,
    },
}


def native_options(options: TranscriptionOptions) -> Dict[str, Any]:
    """faster-whisper's keywords as those of the library: the one table."""
    if options.length_penalty not in (0, 1):
        raise InvalidArgumentError(
            f"length_penalty={options.length_penalty}: faster-whisper ranks by the length to that "
            f"power, whisper-s4y as openai/whisper does; 1 (the mean) and 0 (the sum) are the same "
            f"in both. whisper_s4y.Transcriber takes openai/whisper's length_penalty."
        )
    return {
        # A beam of one is greedy search.
        "beam_size": options.beam_size if options.beam_size != 1 else None,
        "patience": options.patience if options.beam_size != 1 and options.patience != 1 else None,
        "best_of": options.best_of,
        "length_penalty": None if options.length_penalty == 1 else options.length_penalty,
        "repetition_penalty": options.repetition_penalty,
        "no_repeat_ngram_size": options.no_repeat_ngram_size,
        "logprob_threshold": options.log_prob_threshold,
        "no_speech_threshold": options.no_speech_threshold,
        "compression_ratio_threshold": options.compression_ratio_threshold,
        "condition_on_previous_text": options.condition_on_previous_text,
        "prompt_reset_on_temperature": options.prompt_reset_on_temperature,
        "temperatures": options.temperatures,
        "initial_prompt": options.initial_prompt or "",
        "prefix": options.prefix or "",
        "suppress_blank": options.suppress_blank,
        "suppress_tokens": options.suppress_tokens or [],
        "without_timestamps": options.without_timestamps,
        "max_initial_timestamp": options.max_initial_timestamp,
        "word_timestamps": options.word_timestamps,
        "prepend_punctuations": options.prepend_punctuations,
        "append_punctuations": options.append_punctuations,
        "multilingual": options.multilingual,
        "max_new_tokens": options.max_new_tokens,
        "hallucination_silence_threshold": options.hallucination_silence_threshold,
        # "Has no effect if prefix is not None", says faster-whisper.
        "hotwords": "" if options.prefix else options.hotwords or "",
    }


def hub_options(
    local_files_only: bool, revision: Optional[str], use_auth_token: Optional[Union[str, bool]]
) -> Dict[str, Any]:
    options: Dict[str, Any] = {}
    if local_files_only:
        options["offline"] = True
    if revision is not None:
        options["revision"] = revision
    if isinstance(use_auth_token, str):
        options["token"] = use_auth_token
    elif use_auth_token is False:
        raise InvalidArgumentError(
            "use_auth_token=False: the environment's token (HF_TOKEN) is always used; unset it."
        )
    return options


def check_format(path: str, compute_type: str, quantize: str) -> None:
    formats = describe(path).get("model", {}).get("quantization")
    wanted = _FORMATS.get(quantize)
    if formats is None or wanted is None:
        return
    # Without the exceptions, which are a dict: int8 has some by itself.
    parts = {part: name for part, name in formats.items() if isinstance(name, str)}
    if set(parts.values()) == {wanted}:
        return
    has = ", ".join(f"{part} {name}" for part, name in parts.items())
    raise InvalidArgumentError(
        f"compute_type={compute_type!r}: {path} has other weights ({has}); leave it at "
        f"'default', or give the checkpoint."
    )


def check_chunk_length(chunk_length: Optional[int]) -> None:
    if chunk_length not in (None, WINDOW_SECONDS):
        raise InvalidArgumentError(
            f"chunk_length={chunk_length}: windows of a model are {WINDOW_SECONDS} s long."
        )


def _numbers(name: str, given: Any) -> List[float]:
    """A number or several, as a list.

    Raises:
        InvalidArgumentError: something else is among them, or what is not finite.
    """
    try:
        several = cast("Iterable[Any]", given if isinstance(given, Iterable) else (given,))
        numbers = [float(one) for one in several]
    except (TypeError, ValueError) as error:
        raise InvalidArgumentError(f"{name}: expected numbers, not {given!r}.") from error
    for number in numbers:
        if not math.isfinite(number):
            raise InvalidArgumentError(f"{name}: expected finite numbers, not {number}.")
    return numbers


def temperatures_of(temperature: Union[float, Iterable[float]]) -> List[float]:
    if isinstance(temperature, str):
        raise InvalidArgumentError(f"temperature: expected numbers, not {temperature!r}.")
    return _numbers("temperature", temperature)


def vad_values(options: Union[VadOptions, Mapping[str, Any], None]) -> Any:
    if options is None:
        return {}
    return asdict(options) if isinstance(options, VadOptions) else dict(_checked_vad(options))


def _checked_vad(given: Any) -> Mapping[str, Any]:
    """Options of VAD by name: the library says which of them there are, and what they may be."""
    if not isinstance(given, Mapping):
        raise InvalidArgumentError(f"vad_parameters is a dict or VadOptions, not {given!r}.")
    values = cast("Mapping[str, Any]", given)
    _options.make(_options.Kind.VAD, values)
    return values


def made_vad_options(values: Any) -> VadOptions:
    """VadOptions with these values, the others at their defaults.

    Raises:
        InvalidArgumentError: a name does not exist, or a value is impossible.
    """
    values = _checked_vad(values)
    known = [field.name for field in fields(VadOptions)]
    for name in values:
        if name not in known:
            raise InvalidArgumentError(f"There is no VadOptions.{name}; there are {', '.join(known)}.")
    return VadOptions(**values)


def vad_options_of(
    given: Optional[Union[Mapping[str, Any], VadOptions]], vad_filter: bool
) -> Optional[VadOptions]:
    if given is None:
        return VadOptions() if vad_filter else None
    return given if isinstance(given, VadOptions) else made_vad_options(given)


def batched_vad_options(given: Optional[Union[Mapping[str, Any], VadOptions]]) -> VadOptions:
    if isinstance(given, VadOptions):
        return given
    if given is None:
        return VadOptions(max_speech_duration_s=WINDOW_SECONDS, min_silence_duration_ms=160)
    return made_vad_options({**_checked_vad(given), "max_speech_duration_s": WINDOW_SECONDS})


def clip_seconds(clips: Union[str, Iterable[float]]) -> List[float]:
    """start,end,start,end ...; none for "0", the whole recording."""
    if isinstance(clips, str):
        seconds = _numbers("clip_timestamps", [one for one in clips.split(",") if one.strip()])
    else:
        seconds = _numbers("clip_timestamps", clips)
    return [] if seconds == [0.0] else seconds


def clip_pairs(clips: Optional[List[Dict[str, float]]]) -> List[Tuple[float, float]]:
    try:
        found = [(float(clip["start"]), float(clip["end"])) for clip in clips or []]
    except (KeyError, TypeError) as error:
        raise InvalidArgumentError(
            f"clip_timestamps: expected a list of dicts with start and end, found {clips!r}."
        ) from error
    for start, end in found:
        if not 0 <= start < end or end - start > WINDOW_SECONDS:
            raise InvalidArgumentError(
                f"clip_timestamps: {start} s to {end} s is no window of up to {WINDOW_SECONDS} s."
            )
    return found
