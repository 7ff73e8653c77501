"""Models by name or checkpoint: converted on first use into the cache, once."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import pathlib
import re
import tempfile
from typing import Any, Callable, Dict, Generator, Mapping, Optional, cast

from . import _native
from ._log import log, progress_bar, shows_progress
from .convert import convert, resolve_checkpoint
from .errors import FileAccessError

OnProgress = Callable[[float, float], None]


def cache_folder() -> pathlib.Path:
    """Where converted models are kept: $XDG_CACHE_HOME/whisper-s4y/models."""
    root = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return pathlib.Path(root) / "whisper-s4y" / "models"


def is_tflite(path: "str | os.PathLike[str]") -> bool:
    """Whether a file is a ``.tflite`` file by its content."""
    if not os.path.isfile(path):
        return False
    with open(path, "rb") as file:
        return file.read(8)[4:] == b"TFL3"


def _fingerprint(checkpoint: pathlib.Path) -> str:
    """What changes when a checkpoint does: names, sizes and times of its files."""
    files = (
        sorted(file for file in checkpoint.iterdir() if file.is_file())
        if checkpoint.is_dir()
        else [checkpoint]
    )
    digest = hashlib.sha256(os.fsencode(checkpoint.resolve()))
    for file in files:
        status = file.stat()
        digest.update(f"\0{file.name}\0{status.st_size}\0{status.st_mtime_ns}".encode())
    return digest.hexdigest()[:16]


@contextlib.contextmanager
def _locked(path: pathlib.Path) -> Generator[None, None, None]:
    """One process at a time.

    Raises:
        FileAccessError: the folder cannot be made or written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = open(path, "ab")
    except OSError as error:
        raise FileAccessError(
            f"Converted models cannot be kept in {path.parent}: {error.strerror}. Let "
            "XDG_CACHE_HOME, or download_root, name a folder that can be written to."
        ) from error
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _bar(title: str) -> Optional[OnProgress]:
    return progress_bar(title) if shows_progress() else None


def _convert_once(checkpoint: "str | os.PathLike[str]", target: pathlib.Path, quantize: str) -> str:
    if not target.exists():
        with _locked(target.with_name(f".{target.name}.lock")):
            if not target.exists():  # another process may have made it meanwhile
                log.info("converting %s to %s", checkpoint, target)
                convert(
                    checkpoint,
                    target,
                    quantize=cast(Any, quantize),
                    on_progress=_bar(f"{target.stem}"),
                )
    return str(target)


def converted_model(
    checkpoint: "str | os.PathLike[str]",
    quantize: str,
    *,
    folder: "str | os.PathLike[str] | None" = None,
    **hub: Any,
) -> str:
    """The path of a ``.tflite`` file: the file itself when it is one; else what the checkpoint is
    converted to, in the cache.

    Args:
        checkpoint: a ``.tflite`` file, a checkpoint's file or folder, or the name of a model on the
            hub. Two processes that ask for the same one convert it once.
        quantize: number format of the weights.
        folder: the cache; None for the usual one.
        hub: see :class:`whisper_s4y.options.PullOptions`.
    """
    if is_tflite(checkpoint):
        return os.fspath(checkpoint)
    folder = pathlib.Path(folder) if folder is not None else cache_folder()
    version = _native.library().version
    name = os.fspath(checkpoint)
    if os.path.exists(checkpoint):
        path = pathlib.Path(checkpoint)
        stem = re.sub(r"[^\w.-]", "_", path.resolve().name)
        target = folder / f"{stem}-{_fingerprint(path)}-{quantize}-{version}.tflite"
        return _convert_once(path, target, quantize)
    revision = hub.get("revision", "main")
    place = re.sub(r"[^\w.-]", "_", name.replace("/", "--"))
    if revision != "main":
        place += f"@{revision}"
    target = folder / f"{place}-{quantize}-{version}.tflite"
    if target.exists():
        return str(target)
    found = resolve_checkpoint(name, on_progress=_bar(f"{name}"), **hub)
    return _convert_once(found, target, quantize)


def converted_files(
    files: Mapping[str, Any],
    name: str,
    quantize: str,
    folder: "str | os.PathLike[str] | None" = None,
) -> str:
    """The same of a checkpoint whose files are in memory, by their names."""
    contents: Dict[str, bytes] = {
        key: value if isinstance(value, bytes) else value.read() for key, value in files.items()
    }
    digest = hashlib.sha256()
    for key in sorted(contents):
        digest.update(f"\0{key}\0{len(contents[key])}\0".encode() + contents[key])
    folder = pathlib.Path(folder) if folder is not None else cache_folder()
    stem = re.sub(r"[^\w.-]", "_", name)
    version = _native.library().version
    target = folder / f"{stem}-{digest.hexdigest()[:16]}-{quantize}-{version}.tflite"
    if target.exists():
        return str(target)
    with tempfile.TemporaryDirectory(prefix="whisper-s4y-") as temporary:
        for key, content in contents.items():
            pathlib.Path(temporary, os.path.basename(key)).write_bytes(content)
        return _convert_once(temporary, target, quantize)
