"""Voice activity detection as faster-whisper has it."""

from __future__ import annotations

from typing import Any, Dict, List, Optional

import numpy.typing as npt

from ..audio import SAMPLE_RATE, speech_timestamps
from ..errors import InvalidArgumentError
from .keywords import vad_values
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
    options = vad_options if vad_options is not None else VadOptions(**kwargs)
    found = speech_timestamps(audio, **vad_values(options))
    return [{"start": one.start, "end": one.end} for one in found]
