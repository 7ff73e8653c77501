"""Ray and PyArrow, which come with the extra ``ray``: loaded when they are needed."""

from __future__ import annotations

import importlib
from typing import Any


def load(name: str) -> Any:
    """The module of that name; an ImportError that says what to install."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name.partition(".")[0]:
            raise
        raise ImportError(
            f"whisper_s4y.ray needs the package {error.name}: pip install 'whisper-s4y[ray]'."
        ) from error
