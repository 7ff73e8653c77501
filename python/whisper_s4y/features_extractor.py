"""Sound to log-mel spectrogram, without any checkpoint."""

from __future__ import annotations

import logging
import os
import pathlib
from typing import Dict, Optional, Union, cast

import numpy as np
import numpy.typing as npt

from ._log import log as _log
from .audio import as_samples
from .convert import front_end
from .errors import file_error
from .model import Model
from .tflite import Array, ServingModel


class S4yFeaturesExtractor(ServingModel):
    """The front end of all Whisper models with 80 mel bins, exactly as openai/whisper computes it."""

    def __init__(self) -> None:
        self._model = Model.front_end()

    def __call__(self, normalized_audio: Array) -> npt.NDArray[np.float32]:
        """Log-mel spectrogram of 30 s.

        Args:
            normalized_audio: [480000], mono at 16 kHz: floats in [-1, 1], or int16.

        Returns:
            float32 [1, 80, 3000].

        Raises:
            InvalidArgumentError: the array has another shape or another kind of numbers.
        """
        return cast("npt.NDArray[np.float32]", self.serving(normalized_audio)["logmel"])

    call = __call__

    def serving(self, *inputs: Array) -> Dict[str, Array]:
        """``logmel`` of the one input ``normalized_audio``."""
        (normalized_audio,) = inputs
        samples = as_samples(normalized_audio)
        outputs = self._model.signature("features")(normalized_audio=samples)
        return {"logmel": outputs["logmel"].copy()}

    def write(self, path: str, quantize: str) -> None:
        """Writes the ``.tflite`` file; there are no weights to quantize."""
        partial = pathlib.Path(f"{path}.partial")
        try:
            partial.write_bytes(front_end())
            partial.replace(path)
        except OSError as error:
            raise file_error("write", path, error) from error
        finally:
            partial.unlink(missing_ok=True)

    def tflite(
        self,
        model_name: str = "features-extractor",
        tflite_model_path: "Optional[Union[str, os.PathLike[str]]]" = None,
        log: Optional[logging.Logger] = _log,
        artefact: bool = True,
        optimize: bool = False,
    ) -> str:
        """See :meth:`ServingModel.tflite`; ``optimize`` changes nothing, as there are no weights."""
        return super().tflite(model_name, tflite_model_path, log, artefact, optimize)
