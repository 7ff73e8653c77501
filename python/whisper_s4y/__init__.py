"""whisper-s4y: OpenAI Whisper on LiteRT. Checkpoints to ``.tflite``, and speech to text with them.

    import whisper_s4y

    whisper_s4y.convert("base", "whisper-base.tflite", quantize="int8")
    transcriber = whisper_s4y.Transcriber("whisper-base.tflite")
    for segment in transcriber.stream("talk.mp3"):
        print(segment.start, segment.end, segment.text)

docs/python.md is the guide.
"""

from typing import TYPE_CHECKING, Any

from ._artefacts import artefact_path as artefact_path
from ._log import log as log
from .audio import SAMPLE_RATE as SAMPLE_RATE
from .audio import SpeechSegment as SpeechSegment
from .audio import load_audio as load_audio
from .audio import speech_timestamps as speech_timestamps
from .convert import convert as convert
from .convert import convert_to_memory as convert_to_memory
from .convert import describe as describe
from .convert import export as export
from .convert import model_names as model_names
from .convert import pull as pull
from .convert import resolve_checkpoint as resolve_checkpoint
from .decoding import Decoded as Decoded
from .decoding import Decoder as Decoder
from .errors import AccessDeniedError as AccessDeniedError
from .errors import CancelledError as CancelledError
from .errors import Error as Error
from .errors import FileAccessError as FileAccessError
from .errors import FileMissingError as FileMissingError
from .errors import InternalError as InternalError
from .errors import InvalidArgumentError as InvalidArgumentError
from .errors import InvalidFileError as InvalidFileError
from .errors import LiteRtError as LiteRtError
from .errors import NetworkError as NetworkError
from .errors import NotFoundError as NotFoundError
from .errors import OutOfMemoryError as OutOfMemoryError
from .errors import UnsupportedError as UnsupportedError
from .evaluate import WordErrors as WordErrors
from .evaluate import normalize as normalize
from .evaluate import word_errors as word_errors
from .faster_whisper import BatchedInferencePipeline as BatchedInferencePipeline
from .faster_whisper import WhisperModel as WhisperModel
from .faster_whisper import available_models as available_models
from .faster_whisper import decode_audio as decode_audio
from .faster_whisper import download_model as download_model
from .faster_whisper import format_timestamp as format_timestamp
from .live import LiveText as LiveText
from .live import LiveTranscriber as LiveTranscriber
from .model import Model as Model
from .model import Session as Session
from .model import Signature as Signature
from .transcriber import Segment as Segment
from .transcriber import Transcriber as Transcriber
from .transcriber import Transcript as Transcript
from .transcriber import TranscriptStream as TranscriptStream
from .transcriber import Word as Word

if TYPE_CHECKING:
    #: Of the library, "1.0.0".
    __version__: str

    from . import assets as assets
    from . import features_extractor as features_extractor
    from . import options as options
    from . import plot as plot
    from . import ray as ray
    from . import tflite as tflite
    from . import whisper as whisper

# Modules that few need: loaded when they are asked for.
_LATER = ("assets", "features_extractor", "options", "plot", "ray", "tflite", "whisper")


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from . import _native

        return _native.library().version
    if name in _LATER:
        import importlib

        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module 'whisper_s4y' has no attribute {name!r}")
