"""Options of the C API by name. Names, defaults and help are the library's own tables."""

from __future__ import annotations

import functools
import json
import math
import os
from enum import IntEnum
from typing import Any, Dict, FrozenSet, List, Mapping

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
    least, most, least_items, most_items and choices."""
    library = _native.library()
    return library.json_of(library.options_describe, int(kind))


def defaults(kind: Kind) -> Dict[str, Any]:
    """The options of a kind with their defaults."""
    return {row["name"]: row["default"] for row in describe(kind)}


def _plain(name: str, value: Any) -> Any:
    """A value as JSON has it: arrays and tuples as lists, numbers of NumPy as numbers."""
    if isinstance(value, Mapping):
        return {str(key): _plain(str(key), item) for key, item in value.items()}  # pyright: ignore
    if isinstance(value, (bool, int)) or value is None:
        return value
    if isinstance(value, os.PathLike):
        return _plain(name, os.fspath(value))  # pyright: ignore
    if isinstance(value, str):
        _native.text_bytes(value, f"option {name}")
        return value
    if isinstance(value, float):
        if math.isnan(value) or value == -math.inf:
            raise InvalidArgumentError(f"{name}={value}: this is no value of an option.")
        return None if math.isinf(value) else value  # null: no limit
    if hasattr(value, "tolist"):
        return _plain(name, value.tolist())
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(name, item) for item in value]  # pyright: ignore
    raise InvalidArgumentError(f"{name}={value!r}: this is no value of an option.")


def make(kind: Kind, values: Mapping[str, Any]) -> _native.Handle:
    """Options with these values, the others at their defaults. What is a list may also be a text
    with commas, as the program takes it.

    Raises:
        InvalidArgumentError: a name does not exist, or a value is impossible.
    """
    library = _native.library()
    options = _native.make(library.options_create, library.options_destroy, int(kind))
    plain: Dict[str, Any] = {name: _plain(name, value) for name, value in values.items()}
    for name in [name for name in plain if isinstance(plain[name], str) and name in lists(kind)]:
        library.check(library.options_set(options, name.encode(), plain.pop(name).encode()))
    if plain:
        library.check(library.options_set_json(options, json.dumps(plain).encode()))
    return options


@functools.lru_cache(maxsize=None)
def lists(kind: Kind) -> FrozenSet[str]:
    """The options of a kind that are lists."""
    return frozenset(row["name"] for row in describe(kind) if isinstance(row["default"], list))


def as_dict(options: _native.Handle) -> Dict[str, Any]:
    """All options with their values."""
    library = _native.library()
    return library.json_of(library.options_get_json, options)
