"""What can go wrong, as exceptions.

Every error of the library is an :class:`Error` with one full sentence. The kinds are also the
built-in exceptions that fit, so that ``except ValueError`` and ``except OSError`` work as usual.
"""

from __future__ import annotations

import errno
import os
from typing import Dict, Optional, Type


class Error(Exception):
    """Anything that whisper-s4y says has gone wrong: ``str(error)`` is a sentence.

    Attributes:
        code: the number of its kind in the C API (``whisper_s4y_status``).
    """

    code: int = 10


class InvalidArgumentError(Error, ValueError):
    """An option or an argument is impossible."""

    code = 1


class FileAccessError(Error, OSError):
    """The system cannot open, read or write a file."""

    code = 2


class FileMissingError(FileAccessError, FileNotFoundError):
    """There is no such file or folder."""


class AccessDeniedError(FileAccessError, PermissionError):
    """The system does not allow to open, read or write a file."""


class InvalidFileError(Error, ValueError):
    """A file is damaged, or not what it was taken for."""

    code = 3


class UnsupportedError(Error, ValueError):
    """This model or file cannot do what is asked of it."""

    code = 4


class NotFoundError(Error, LookupError):
    """There is no such signature, tensor, format or model."""

    code = 5


class NetworkError(Error, ConnectionError):
    """The hub cannot be reached, or refuses."""

    code = 6


class LiteRtError(Error, RuntimeError):
    """LiteRT cannot load or run the model."""

    code = 7


class OutOfMemoryError(Error, MemoryError):
    """There is not enough memory."""

    code = 8


class CancelledError(Error):
    """The call was told to stop."""

    code = 9


class InternalError(Error, RuntimeError):
    """A fault of whisper-s4y's own."""

    code = 10


_REASONS: Dict[int, Type[FileAccessError]] = {
    errno.ENOENT: FileMissingError,
    errno.EACCES: AccessDeniedError,
    errno.EPERM: AccessDeniedError,
}

_KINDS: Dict[int, Type[Error]] = {
    kind.code: kind
    for kind in (
        InvalidArgumentError,
        FileAccessError,
        InvalidFileError,
        UnsupportedError,
        NotFoundError,
        NetworkError,
        LiteRtError,
        OutOfMemoryError,
        CancelledError,
        InternalError,
    )
}


def error_of(code: int, message: str) -> Error:
    """The exception for a status of the C API."""
    kind = _KINDS.get(code, InternalError)
    if kind is FileAccessError:
        # The library's sentences end with the system's reason, as this process's locale says it.
        for number, reason in _REASONS.items():
            if message.endswith(f": {os.strerror(number)}."):
                return _with_number(reason(message), number)
    return kind(message)


def file_error(verb: str, path: "str | os.PathLike[str]", error: OSError) -> FileAccessError:
    """What Python could not do with a file, as a sentence."""
    reason = _REASONS.get(error.errno or 0, FileAccessError)
    message = f"Cannot {verb} {os.fspath(path)}: {error.strerror or error}."
    return _with_number(reason(message), error.errno)


def _with_number(error: FileAccessError, number: Optional[int]) -> FileAccessError:
    error.errno = number
    return error
