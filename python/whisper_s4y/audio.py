"""Sound as Whisper hears it: mono float32 at 16 kHz, in [-1, 1]."""

from __future__ import annotations

import ctypes
import os
import weakref
from typing import TYPE_CHECKING, Any, BinaryIO, Callable, List, NamedTuple, Union

import numpy as np
import numpy.typing as npt

from . import _native, _options
from ._log import warn
from .errors import InvalidArgumentError

if TYPE_CHECKING:
    from typing_extensions import TypeIs, Unpack

    from .options import AudioOptions, VadOptions

#: Samples per second of all sound that functions take and give.
SAMPLE_RATE = _native.SAMPLE_RATE

Samples = npt.NDArray[np.float32]

#: What can be transcribed: a path, a file in memory or an open one, or samples at 16 kHz.
AudioSource = Union[
    str, "os.PathLike[str]", bytes, bytearray, memoryview, BinaryIO, npt.NDArray[Any]
]


class SpeechSegment(NamedTuple):
    """A stretch of speech in samples: [start, end)."""

    start: int
    end: int


def is_samples(audio: object) -> TypeIs[npt.NDArray[Any]]:
    """Whether it is an array (or a tensor of another library), not a file."""
    return isinstance(audio, np.ndarray) or hasattr(audio, "__array__")


def as_samples(audio: Any) -> Samples:
    """Samples as float32, contiguous: the same memory where they are so already.

    Args:
        audio: [samples] at 16 kHz: floats in [-1, 1], or int16, which is divided by 32768.

    Raises:
        InvalidArgumentError: it has more than one dimension, is no array of numbers, or holds one
            that is not finite.
    """
    if isinstance(audio, (str, bytes, os.PathLike)):
        raise InvalidArgumentError(
            "Expected an array of samples, found a file: whisper_s4y.load_audio() reads it."
        )
    array = np.asarray(audio)
    if array.ndim != 1:
        raise InvalidArgumentError(
            f"Samples are an array of one dimension, mono at 16 kHz; this one has the shape "
            f"{list(array.shape)}."
        )
    if array.dtype.kind == "i" and array.dtype.itemsize == 2:  # in either order of bytes
        return array.astype(np.float32) / np.float32(32768)
    if array.dtype.kind != "f":
        raise InvalidArgumentError(
            f"Samples are float32 in [-1, 1] or int16; these are {array.dtype}."
        )
    samples = np.ascontiguousarray(array, dtype=np.float32)
    # The product of what is finite is finite, unless it is no sound; it needs no second array.
    with np.errstate(over="ignore", invalid="ignore"):
        product = np.dot(samples, samples)
    if not np.isfinite(product) and not np.isfinite(samples).all():
        index = int(np.flatnonzero(~np.isfinite(samples))[0])
        raise InvalidArgumentError(
            f"Samples are finite numbers; the one at {index} is {samples[index]}."
        )
    return samples


def file_bytes(audio: Union[bytes, bytearray, memoryview, BinaryIO]) -> bytes:
    """What a file in memory or an open one holds, from where it stands."""
    if isinstance(audio, (bytes, bytearray, memoryview)):
        return bytes(audio)
    read = getattr(audio, "read", None)
    if read is None:
        raise InvalidArgumentError(
            f"Expected a path, an open file, bytes or an array of samples, found "
            f"{type(audio).__name__}."
        )
    data = read()
    if not isinstance(data, bytes):
        raise InvalidArgumentError("The file must be open in binary mode: open(path, 'rb').")
    return data


def owned_array(element: Any, function: Callable[..., int], *arguments: Any) -> npt.NDArray[Any]:
    """Calls a function whose last arguments take an array and its length: that array without a copy.

    Args:
        element: its ctypes type.
    """
    library = _native.library()
    out, count = ctypes.c_void_p(), ctypes.c_size_t()
    library.check(function(*arguments, ctypes.byref(out), ctypes.byref(count)))
    if not out.value or count.value == 0:
        library.free(out)
        return np.zeros(0, np.dtype(element))
    memory = (element * count.value).from_address(out.value)
    weakref.finalize(memory, library.free, ctypes.c_void_p(out.value))
    return np.ctypeslib.as_array(memory)


def load_audio(
    audio: Union[str, "os.PathLike[str]", bytes, bytearray, memoryview, BinaryIO],
    **options: Unpack[AudioOptions],
) -> Samples:
    """Reads any file that FFmpeg reads.

    Args:
        audio: a path, the bytes of a file, or a file that is open in binary mode.
        options: see :class:`whisper_s4y.options.AudioOptions`.

    Returns:
        float32 [samples], mono at 16 kHz. Sample n is what is heard n / 16000 s after the recording
        begins, by the file's own timestamps.

    Raises:
        FileAccessError: the file cannot be read.
        InvalidFileError: it holds no sound that can be decoded.
    """
    library = _native.library()
    made = _options.make(_options.Kind.AUDIO, options)
    call = _native.Call()
    if isinstance(audio, (str, os.PathLike)):
        path = _native.path_bytes(audio)
        return call.run(
            lambda: owned_array(
                ctypes.c_float, library.read_audio, path, made, ctypes.byref(call.struct)
            )
        )
    data = file_bytes(audio)
    return call.run(
        lambda: owned_array(
            ctypes.c_float,
            library.read_audio_memory,
            data,
            len(data),
            made,
            ctypes.byref(call.struct),
        )
    )


def speech_timestamps(
    samples: npt.NDArray[Any], **options: Unpack[VadOptions]
) -> List[SpeechSegment]:
    """Where somebody speaks.

    Args:
        samples: [samples] at 16 kHz.
        options: see :class:`whisper_s4y.options.VadOptions`.

    Returns:
        Stretches in samples, padded, in order, without overlap.
    """
    library = _native.library()
    array = as_samples(samples)
    made = _options.make(_options.Kind.VAD, options)
    call = _native.Call(on_warning=warn)
    found = call.run(
        lambda: owned_array(
            _native.Speech,
            library.find_speech,
            array.ctypes.data,
            array.size,
            made,
            ctypes.byref(call.struct),
        )
    )
    return [SpeechSegment(int(start), int(end)) for start, end in found.tolist()]
