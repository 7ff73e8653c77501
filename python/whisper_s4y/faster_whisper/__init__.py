"""What faster-whisper 1.2.1's users type, over whisper-s4y.

    from whisper_s4y import WhisperModel

    model = WhisperModel("base", device="cpu", compute_type="int8")
    segments, info = model.transcribe("talk.mp3", vad_filter=True)
    for segment in segments:
        print(segment.start, segment.end, segment.text)

``import whisper_s4y.faster_whisper as faster_whisper`` does for programs that use its modules too.

Keywords, defaults and the fields of what is given out are faster-whisper's. A keyword that cannot
be honoured is a ValueError that says why; none is ignored. docs/python.md has the table.
"""

from .audio import decode_audio as decode_audio
from .transcribe import BatchedInferencePipeline as BatchedInferencePipeline
from .results import Segment as Segment
from .results import TranscriptionInfo as TranscriptionInfo
from .results import TranscriptionOptions as TranscriptionOptions
from .results import VadOptions as VadOptions
from .results import Word as Word
from .utils import available_models as available_models
from .utils import download_model as download_model
from .utils import format_timestamp as format_timestamp
from .utils import get_logger as get_logger
from .vad import get_speech_timestamps as get_speech_timestamps
from .transcribe import WhisperModel as WhisperModel
