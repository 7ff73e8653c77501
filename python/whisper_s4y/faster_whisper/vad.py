"""Voice activity detection as faster-whisper has it."""

from __future__ import annotations

import bisect
from typing import Any, Dict, List, Optional, Tuple

import numpy as np
import numpy.typing as npt

from ..audio import SAMPLE_RATE, speech_timestamps
from ..errors import InvalidArgumentError
from .keywords import made_vad_options, vad_values
from .results import VadOptions as VadOptions


def get_speech_timestamps(
    audio: npt.NDArray[Any],
    vad_options: Optional[VadOptions] = None,
    sampling_rate: int = 16000,
    **kwargs: Any,
) -> List[Dict[str, int]]:
    """Where somebody speaks, as dicts of start and end in samples."""
    if sampling_rate != SAMPLE_RATE:
        raise InvalidArgumentError(f"sampling_rate={sampling_rate}: sound is {SAMPLE_RATE} Hz.")
    options = vad_options if vad_options is not None else made_vad_options(kwargs)
    found = speech_timestamps(audio, **vad_values(options))
    return [{"start": one.start, "end": one.end} for one in found]


def collect_chunks(
    audio: npt.NDArray[Any],
    chunks: List[Dict[str, int]],
    sampling_rate: int = 16000,
    max_duration: float = float("inf"),
) -> Tuple[List[npt.NDArray[Any]], List[Dict[str, Any]]]:
    """Speech without the silence between, in pieces.

    Args:
        chunks: what :func:`get_speech_timestamps` gives.
        max_duration: seconds of a piece at most, unless a single chunk is longer.

    Returns:
        The sound of each piece; and of each its offset in all speech and its duration, in seconds,
        and its chunks.
    """
    pieces: List[List[Dict[str, int]]] = [[]]
    size = 0
    for chunk in chunks:
        more = chunk["end"] - chunk["start"]
        if size + more > max_duration * sampling_rate and pieces[-1]:
            pieces.append([])
            size = 0
        pieces[-1].append(chunk)
        size += more
    sounds: List[npt.NDArray[Any]] = []
    described: List[Dict[str, Any]] = []
    before = 0
    for piece in pieces:
        parts = [audio[chunk["start"] : chunk["end"]] for chunk in piece]
        sound = np.concatenate(parts) if parts else np.zeros(0, np.float32)
        sounds.append(sound)
        described.append(
            {
                "offset": before / sampling_rate,
                "duration": sound.size / sampling_rate,
                "segments": piece,
            }
        )
        before += sound.size
    return sounds, described


class SpeechTimestampsMap:
    """Times in speech without silence to those of the recording.

    Args:
        chunks: what :func:`get_speech_timestamps` gives.
        sampling_rate: 16000.
        time_precision: decimals of the times that are given.
    """

    def __init__(
        self, chunks: List[Dict[str, int]], sampling_rate: int, time_precision: int = 2
    ) -> None:
        self.sampling_rate = sampling_rate
        self.time_precision = time_precision
        self.chunk_end_sample: List[int] = []
        self.total_silence_before: List[float] = []
        silence = end = 0
        for chunk in chunks:
            silence += chunk["start"] - end
            end = chunk["end"]
            self.chunk_end_sample.append(end - silence)
            self.total_silence_before.append(silence / sampling_rate)

    def get_original_time(
        self, time: float, chunk_index: Optional[int] = None, is_end: bool = False
    ) -> float:
        """Seconds of the recording; ``is_end`` of a time that ends something."""
        index = self.get_chunk_index(time, is_end) if chunk_index is None else chunk_index
        return round(self.total_silence_before[index] + time, self.time_precision)

    def get_chunk_index(self, time: float, is_end: bool = False) -> int:
        """Which chunk a time in speech is in."""
        find = bisect.bisect_left if is_end else bisect.bisect_right
        index = find(self.chunk_end_sample, int(time * self.sampling_rate))
        return min(index, len(self.chunk_end_sample) - 1)
