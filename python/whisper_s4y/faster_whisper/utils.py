"""faster-whisper's functions about models and times."""

from __future__ import annotations

import logging
import os
from typing import Any, Dict, List, Optional, Union

from .._log import log
from ..convert import model_names, pull, resolve_checkpoint
from ..errors import InvalidArgumentError
from .keywords import hub_options


def available_models() -> List[str]:
    """The short names of models."""
    return model_names()


def download_model(
    size_or_id: str,
    output_dir: Optional[str] = None,
    local_files_only: bool = False,
    cache_dir: Optional[str] = None,
    revision: Optional[str] = None,
    use_auth_token: Optional[Union[str, bool]] = None,
) -> str:
    """Downloads a checkpoint from the hub.

    Args:
        size_or_id: "tiny.en", or "owner/name".
        output_dir: where to; None for the cache.
        local_files_only: make no connection.
        cache_dir: another cache.
        revision: branch, tag or commit.
        use_auth_token: a token; True and None for that of the environment (HF_TOKEN).

    Returns:
        The folder.

    Raises:
        ValueError: there is no such name.
    """
    hub = hub_options(local_files_only, revision, use_auth_token)
    if "/" not in size_or_id and size_or_id not in model_names():
        raise InvalidArgumentError(
            f"Invalid model size {size_or_id!r}, expected one of: {', '.join(model_names())}"
        )
    if output_dir is None and cache_dir is not None:
        output_dir = os.path.join(cache_dir, "models--" + size_or_id.replace("/", "--"))
        if local_files_only and os.path.isdir(output_dir):
            return output_dir
    if output_dir is not None:
        return pull(size_or_id, output_dir, **hub)
    return resolve_checkpoint(size_or_id, **hub)


def format_timestamp(
    seconds: float,
    always_include_hours: bool = False,
    decimal_marker: str = ".",
) -> str:
    """Seconds as [hours:]minutes:seconds.milliseconds."""
    if seconds < 0:
        raise InvalidArgumentError(f"A timestamp is not negative: {seconds}.")
    minutes, milliseconds = divmod(round(seconds * 1000.0), 60_000)
    hours, minutes = divmod(minutes, 60)
    marker = f"{hours:02d}:" if always_include_hours or hours > 0 else ""
    seconds, milliseconds = divmod(milliseconds, 1000)
    return f"{marker}{minutes:02d}:{seconds:02d}{decimal_marker}{milliseconds:03d}"


def get_logger() -> logging.Logger:
    """The package's log."""
    return log


def get_end(segments: List[Dict[str, Any]]) -> Optional[float]:
    """When the last word ends; without words the last segment; None without segments."""
    for segment in reversed(segments):
        if segment["words"]:
            return segment["words"][-1]["end"]
    return segments[-1]["end"] if segments else None
