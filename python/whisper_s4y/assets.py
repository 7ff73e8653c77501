"""The tokenizer's files of a checkpoint."""

from __future__ import annotations

import os
import pathlib
import shutil
import tempfile
from typing import List, Union

from .convert import export, resolve_checkpoint
from .errors import UnsupportedError, file_error

_NAMES = (
    "vocab.json",
    "merges.txt",
    "tokenizer.json",
    "tokenizer_config.json",
    "added_tokens.json",
    "special_tokens_map.json",
    "normalizer.json",
)


def _copy(source: pathlib.Path, target: pathlib.Path) -> List[str]:
    found = [name for name in _NAMES if (source / name).is_file()]
    try:
        target.mkdir(parents=True, exist_ok=True)
        return [shutil.copyfile(source / name, str(target / name)) for name in found]
    except OSError as error:
        raise file_error("write", error.filename2 or error.filename or target, error) from error


def download_from_huggingface(
    model_name: "Union[str, os.PathLike[str]]", folder: "Union[str, os.PathLike[str]]"
) -> List[str]:
    """Copies the tokenizer's files into a folder: vocab.json, merges.txt and what lies beside them.

    Args:
        model_name: the name of a model on the hub, which is downloaded once into the cache, or any
            checkpoint. Those that have no such files get them as Hugging Face would write them.
        folder: is made when missing.

    Returns:
        The paths of the files.

    Raises:
        NotFoundError: there is no such checkpoint.
        NetworkError: the hub cannot be reached.
    """
    checkpoint = pathlib.Path(resolve_checkpoint(model_name))
    source = checkpoint if checkpoint.is_dir() else checkpoint.parent
    if (source / "vocab.json").is_file() or (source / "tokenizer.json").is_file():
        return _copy(source, pathlib.Path(folder))
    with tempfile.TemporaryDirectory(prefix="whisper-s4y-") as temporary:
        export(checkpoint, temporary, "safetensors")
        copied = _copy(pathlib.Path(temporary), pathlib.Path(folder))
    if not copied:
        raise UnsupportedError(f"{checkpoint} holds no vocabulary.")
    return copied
