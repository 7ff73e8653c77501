"""Checkpoints: converting, downloading, exporting, describing."""

from __future__ import annotations

import ctypes
import os
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Optional, Union

from . import _native, _options
from ._log import warn
from .audio import owned_array

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .options import ConvertOptions, PullOptions

Path = Union[str, "os.PathLike[str]"]
OnProgress = Callable[[float, float], None]


def convert(
    checkpoint: Path,
    output: Path,
    *,
    on_progress: Optional[OnProgress] = None,
    **options: Unpack[ConvertOptions],
) -> str:
    """Converts a checkpoint into a ``.tflite`` file.

    Args:
        checkpoint: a file or folder in any format, or the name of a model on the hub ("base",
            "owner/name"), which is downloaded once into the cache.
        output: the file, which appears when it is complete.
        on_progress: bytes done and in all, of a file that is downloaded, then of what is written.
        options: see :class:`whisper_s4y.options.ConvertOptions`; ``quantize="int8"`` for instance.

    Returns:
        The path of the file.

    Raises:
        NotFoundError: there is no such checkpoint.
        NetworkError: the hub cannot be reached.
        InvalidFileError: the checkpoint is damaged.
        FileAccessError: the file cannot be written; it is a folder, for instance.
        InvalidArgumentError: an option does not fit the checkpoint.
    """
    library = _native.library()
    call = _native.Call(on_progress, warn)
    source, target = _native.path_bytes(checkpoint), _native.path_bytes(output)
    made = _options.make(_options.Kind.CONVERT, options)
    call.run(
        lambda: library.check(library.convert(source, target, made, ctypes.byref(call.struct)))
    )
    return os.fspath(output)


def convert_to_memory(
    checkpoint: Path,
    *,
    on_progress: Optional[OnProgress] = None,
    **options: Unpack[ConvertOptions],
) -> bytes:
    """The same into memory: what the file would hold. ``Model(bytes)`` opens it."""
    library = _native.library()
    call = _native.Call(on_progress, warn)
    source = _native.path_bytes(checkpoint)
    made = _options.make(_options.Kind.CONVERT, options)
    return call.run(
        lambda: owned_array(
            ctypes.c_uint8, library.convert_to_memory, source, made, ctypes.byref(call.struct)
        ).tobytes()
    )


def pull(
    name: str,
    folder: Path,
    *,
    on_progress: Optional[OnProgress] = None,
    **options: Unpack[PullOptions],
) -> str:
    """Downloads a checkpoint from the hub into a folder: configuration, tokenizer, weights.

    Args:
        name: "tiny.en", or "owner/name".
        folder: is made when missing. Files that are there and right are kept.
        on_progress: bytes of a file done and in all.
        options: see :class:`whisper_s4y.options.PullOptions`; ``revision`` for instance.

    Returns:
        The folder.
    """
    library = _native.library()
    call = _native.Call(on_progress, warn)
    source, target = _native.text_bytes(name, "name"), _native.path_bytes(folder)
    made = _options.make(_options.Kind.PULL, options)
    call.run(
        lambda: library.check(library.download(source, target, made, ctypes.byref(call.struct)))
    )
    return os.fspath(folder)


def resolve_checkpoint(
    checkpoint: Path,
    *,
    on_progress: Optional[OnProgress] = None,
    **options: Unpack[PullOptions],
) -> str:
    """Where a checkpoint lies: a path that exists as it is; a model's name from the caches, ours
    and that of huggingface_hub, else downloaded into ours.

    Args:
        checkpoint: a path, "tiny.en", or "owner/name".
        on_progress: bytes of a file done and in all.
        options: see :class:`whisper_s4y.options.PullOptions`.

    Raises:
        NotFoundError: it is neither a path nor a name.
        NetworkError: it would have to be downloaded, and cannot be.
    """
    library = _native.library()
    call = _native.Call(on_progress, warn)
    source = _native.path_bytes(checkpoint)
    made = _options.make(_options.Kind.PULL, options)
    return call.run(
        lambda: library.text_of(
            library.resolve_checkpoint, source, made, ctypes.byref(call.struct)
        )
    )


def model_names() -> List[str]:
    """The short names of models on the hub: "tiny", "tiny.en" ..."""
    library = _native.library()
    return library.json_of(library.model_names)


def export(
    checkpoint: Path, folder: Path, format: str, *, on_progress: Optional[OnProgress] = None
) -> str:
    """Writes a checkpoint in another program's format into a folder, which is made when missing.

    Args:
        format: "safetensors" (Hugging Face), "openai" (a .pt file), "ggml" (whisper.cpp) or
            "ctranslate2" (faster-whisper).

    Returns:
        The folder.
    """
    library = _native.library()
    call = _native.Call(on_progress, warn)
    source, target = _native.path_bytes(checkpoint), _native.path_bytes(folder)
    name = _native.text_bytes(format, "format")
    call.run(
        lambda: library.check(library.export(source, target, name, ctypes.byref(call.struct)))
    )
    return os.fspath(folder)


def describe(path: Path) -> Dict[str, Any]:
    """What a ``.tflite`` file, a checkpoint or a recording holds, found by content; docs/models.md
    and docs/checkpoints.md name the fields."""
    library = _native.library()
    name = _native.path_bytes(path)
    return _native.interruptible(lambda: library.json_of(library.describe_file, name))


def front_end(num_mel_bins: int = 80) -> bytes:
    """The part features-extractor, made without a checkpoint: a ``.tflite`` file whose one
    signature ``serving_default`` takes ``normalized_audio`` float32 [480000] and gives ``logmel``
    float32 [1, num_mel_bins, 3000].

    Args:
        num_mel_bins: 80, or 128 as large-v3 and turbo have.
    """
    library = _native.library()
    count = _native.whole_number(num_mel_bins, "number of mel bins")
    return owned_array(ctypes.c_uint8, library.make_front_end, count).tobytes()
