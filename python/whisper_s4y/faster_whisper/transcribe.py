"""The names of faster-whisper's module ``transcribe``."""

from .batched import BatchedInferencePipeline as BatchedInferencePipeline
from .results import Segment as Segment
from .results import TranscriptionInfo as TranscriptionInfo
from .results import TranscriptionOptions as TranscriptionOptions
from .results import VadOptions as VadOptions
from .results import Word as Word
from .whisper_model import WhisperModel as WhisperModel
