"""Where files go that were given no path."""

from __future__ import annotations

import os
import pathlib

from .errors import file_error


def artefact_path(name: str) -> str:
    """The path of a file in the folder for artefacts, which is made when missing:
    ``$XDG_CACHE_HOME/whisper-s4y/artefacts``."""
    root = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    folder = pathlib.Path(root, "whisper-s4y", "artefacts")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise file_error("create the folder", folder, error) from error
    return str(folder / name)
