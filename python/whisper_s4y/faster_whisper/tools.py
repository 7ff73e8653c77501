"""faster-whisper's functions."""

from __future__ import annotations

import logging
import os
from typing import Any, BinaryIO, Dict, List, Optional, Union

import numpy.typing as npt

from .._log import log
from ..audio import SAMPLE_RATE, file_bytes, load_audio, speech_timestamps
from ..convert import model_names, pull, resolve_checkpoint
from ..errors import InvalidArgumentError
from .keywords import hub_options, vad_values
from .results import VadOptions


def available_models() -> List[str]:
    """The short names of models."""
    return model_names()


def download_model(
    size_or_id: str,
    output_dir: Optional[str] = None,
    local_files_only: bool = False,
    cache_dir: Optional[str] = None,
    revision: Optional[str] = None,
    use_auth_token: Optional[Union[str, bool]] = None,
) -> str:
    """Downloads a checkpoint from the hub.

    Args:
        size_or_id: "tiny.en", or "owner/name".
        output_dir: where to; None for the cache.
        local_files_only: make no connection.
        cache_dir: another cache.
        revision: branch, tag or commit.
        use_auth_token: a token; True and None for that of the environment (HF_TOKEN).

    Returns:
        The folder.

    Raises:
        ValueError: there is no such name.
    """
    hub = hub_options(local_files_only, revision, use_auth_token)
    if "/" not in size_or_id and size_or_id not in model_names():
        raise InvalidArgumentError(
            f"Invalid model size {size_or_id!r}, expected one of: {', '.join(model_names())}"
        )
    if output_dir is None and cache_dir is not None:
        output_dir = os.path.join(cache_dir, "models--" + size_or_id.replace("/", "--"))
        if local_files_only and os.path.isdir(output_dir):
            return output_dir
    if output_dir is not None:
        return pull(size_or_id, output_dir, **hub)
    return resolve_checkpoint(size_or_id, **hub)


def format_timestamp(
    seconds: float,
    always_include_hours: bool = False,
    decimal_marker: str = ".",
) -> str:
    """Seconds as [hours:]minutes:seconds.milliseconds."""
    if seconds < 0:
        raise InvalidArgumentError(f"A timestamp is not negative: {seconds}.")
    minutes, milliseconds = divmod(round(seconds * 1000.0), 60_000)
    hours, minutes = divmod(minutes, 60)
    marker = f"{hours:02d}:" if always_include_hours or hours > 0 else ""
    seconds, milliseconds = divmod(milliseconds, 1000)
    return f"{marker}{minutes:02d}:{seconds:02d}{decimal_marker}{milliseconds:03d}"


def decode_audio(
    input_file: Union[str, BinaryIO],
    sampling_rate: int = 16000,
    split_stereo: bool = False,
) -> Any:
    """Decodes a file.

    Args:
        input_file: a path, or a file open in binary mode.
        sampling_rate: 16000, the one rate that models hear.
        split_stereo: give left and right apart; of a mono file both are the same.

    Returns:
        float32 [samples], or with split_stereo two of them.

    Raises:
        ValueError: another rate is asked for.
    """
    if sampling_rate != SAMPLE_RATE:
        raise InvalidArgumentError(
            f"sampling_rate={sampling_rate}: sound is decoded to {SAMPLE_RATE} Hz."
        )
    source = input_file if isinstance(input_file, (str, os.PathLike)) else file_bytes(input_file)
    if not split_stereo:
        return load_audio(source)
    try:
        return load_audio(source, channel="left"), load_audio(source, channel="right")
    except ValueError:
        mono = load_audio(source)  # says what is wrong when it was not the channel
        return mono, mono.copy()


def get_speech_timestamps(
    audio: npt.NDArray[Any],
    vad_options: Optional[VadOptions] = None,
    sampling_rate: int = 16000,
    **kwargs: Any,
) -> List[Dict[str, int]]:
    """Where somebody speaks, as dicts of start and end in samples."""
    if sampling_rate != SAMPLE_RATE:
        raise InvalidArgumentError(f"sampling_rate={sampling_rate}: sound is {SAMPLE_RATE} Hz.")
    options = vad_options if vad_options is not None else VadOptions(**kwargs)
    found = speech_timestamps(audio, **vad_values(options))
    return [{"start": one.start, "end": one.end} for one in found]


def get_logger() -> logging.Logger:
    """The package's log."""
    return log
