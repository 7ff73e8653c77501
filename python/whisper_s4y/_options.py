"""Options of the C API by name. Names, defaults and help are the library's own tables."""

from __future__ import annotations

import functools
import json
import math
import os
from enum import IntEnum
from typing import Any, Dict, List, Mapping

from . import _native
from .errors import InvalidArgumentError


class Kind(IntEnum):
    """whisper_s4y_options_kind."""

    TRANSCRIBE = 0
    VAD = 1
    LIVE = 2
    OUTPUT = 3
    AUDIO = 4
    RUNTIME = 5
    CONVERT = 6
    PULL = 7


@functools.lru_cache(maxsize=None)
def describe(kind: Kind) -> List[Dict[str, Any]]:
    """The options of a kind: dicts with name, type, nullable, default, help, and, where there are,
    least, most and choices."""
    library = _native.library()
    return library.json_of(library.options_describe, int(kind))


def defaults(kind: Kind) -> Dict[str, Any]:
    """The options of a kind with their defaults."""
    return {row["name"]: row["default"] for row in describe(kind)}


def _plain(value: Any) -> Any:
    """A value as JSON has it: arrays and tuples as lists, numbers of NumPy as numbers."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}  # pyright: ignore
    if isinstance(value, (str, bool, int)) or value is None:
        return value
    if isinstance(value, float):
        return None if math.isinf(value) and value > 0 else value  # null: no limit
    if isinstance(value, os.PathLike):
        return os.fspath(value)  # pyright: ignore
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item) for item in value]  # pyright: ignore
    raise InvalidArgumentError(f"{value!r} is not a value of an option.")


def make(kind: Kind, values: Mapping[str, Any]) -> _native.Handle:
    """Options with these values, the others at their defaults. Raises InvalidArgumentError, a
    ValueError, for a name that does not exist and a value that is impossible."""
    library = _native.library()
    options = _native.make(library.options_create, library.options_destroy, int(kind))
    if values:
        library.check(library.options_set_json(options, json.dumps(_plain(values)).encode()))
    return options


def as_dict(options: _native.Handle) -> Dict[str, Any]:
    """All options with their values."""
    library = _native.library()
    return library.json_of(library.options_get_json, options)
