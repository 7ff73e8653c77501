"""Sound as faster-whisper reads it."""

from __future__ import annotations

import os
from typing import Any, BinaryIO, Union

import numpy as np
import numpy.typing as npt

from ..audio import SAMPLE_RATE, file_bytes, load_audio
from ..errors import InvalidArgumentError


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


def pad_or_trim(array: npt.NDArray[Any], length: int = 3000, *, axis: int = -1) -> npt.NDArray[Any]:
    """An array of ``length`` along an axis: what is longer is cut, what is shorter gets zeros."""
    missing = length - array.shape[axis]
    if missing < 0:
        return np.take(array, np.arange(length), axis=axis)
    widths = [(0, 0)] * array.ndim
    widths[axis] = (0, missing)
    return np.pad(array, widths)
