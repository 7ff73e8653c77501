"""What all models of the first package have: they run here, and are written as ``.tflite`` files."""

from __future__ import annotations

import abc
import logging
import os
import pathlib
import sys
import tempfile
from typing import Any, Dict, Optional, Union

import numpy.typing as npt

from ._artefacts import artefact_path
from ._log import log as _log
from .errors import InvalidArgumentError, file_error

Array = npt.NDArray[Any]

if not _log.handlers:
    # As in the first package, whose users read there how far a conversion is.
    _log.addHandler(logging.StreamHandler(sys.stdout))
    _log.setLevel(logging.INFO)


class ServingModel(abc.ABC):
    """A model with one signature, ``serving_default``."""

    @abc.abstractmethod
    def serving(self, *inputs: Array) -> Dict[str, Array]:
        """What the signature ``serving_default`` of the file gives: its outputs by their names."""

    @abc.abstractmethod
    def write(self, path: str, quantize: str) -> None:
        """Writes the ``.tflite`` file.

        Args:
            path: in a folder that exists.
            quantize: number format of the weights: "none" or "int8".
        """

    def check(self) -> None:
        """Refuses what cannot be written, before anything is."""

    def tflite(
        self,
        model_name: str = "model",
        tflite_model_path: "Optional[Union[str, os.PathLike[str]]]" = None,
        log: Optional[logging.Logger] = _log,
        artefact: bool = True,
        optimize: bool = True,
    ) -> str:
        """Writes the model as a ``.tflite`` file with the one signature ``serving_default``.

        Args:
            model_name: of the file, when no path is given.
            tflite_model_path: the file; None for one in the folder for artefacts.
            log: hears of the beginning and the end; None for nobody.
            artefact: False for a file in the temporary folder instead.
            optimize: int8 weights, else float32.

        Returns:
            The path of the file.

        Raises:
            Error: as :func:`whisper_s4y.convert` does.
        """
        if log is not None and not isinstance(
            log, (logging.Logger, logging.LoggerAdapter)  # pyright: ignore
        ):
            raise InvalidArgumentError(f"The log is a logging.Logger or None, not {log!r}.")
        self.check()
        if tflite_model_path is not None:
            path = os.path.abspath(tflite_model_path)
        elif artefact:
            path = artefact_path(f"{model_name}.tflite")
        else:
            path = os.path.join(tempfile.gettempdir(), f"{model_name}.tflite")
        folder = pathlib.Path(path).parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise file_error("create the folder", folder, error) from error
        if log is not None:
            log.info("%s: converting", os.path.basename(path))
        self.write(path, "int8" if optimize else "none")
        if log is not None:
            log.info("%s: written", path)
        return path
