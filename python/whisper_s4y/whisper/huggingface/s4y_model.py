"""The parts of a checkpoint: each runs here, and is written as a ``.tflite`` file of its own."""

from __future__ import annotations

import functools
import logging
import os
from typing import Any, Dict, List, Optional, Union, cast

from ..._cache import is_tflite
from ..._log import log as _log
from ..._native import language_code, whole_number
from ...audio import as_samples
from ...convert import convert, describe
from ...decoding import prompt_tokens
from ...errors import InvalidArgumentError
from ...model import Model
from ...tflite import Array, ServingModel
from ._model import Checkpoint, Tokens, encode, greedy, open_model, trimmed
from ._output import ModelOutput

_Path = Optional[Union[str, "os.PathLike[str]"]]


class _Part(ServingModel):
    """A part of a checkpoint: ``convert()`` writes it by its name."""

    _part = ""

    def __init__(self, huggingface_model_id: Checkpoint) -> None:
        self._checkpoint = huggingface_model_id

    @functools.cached_property
    def _model(self) -> Model:
        """What runs here; writing a file needs none."""
        return open_model(self._checkpoint)

    def _options(self) -> Dict[str, Any]:
        return {}

    def check(self) -> None:
        """Refuses what is no checkpoint, and a language that it does not know."""
        if is_tflite(self._checkpoint):
            raise InvalidArgumentError(
                f"{os.fspath(self._checkpoint)} is converted already; parts are made of checkpoints."
            )

    def write(self, path: str, quantize: str) -> None:
        """Writes the ``.tflite`` file; see :func:`whisper_s4y.convert` for errors."""
        self.check()
        convert(
            self._checkpoint,
            path,
            part=cast(Any, self._part),
            quantize=cast(Any, quantize),
            **self._options(),
        )


class _EncoderPart(_Part):
    """A part that gives what the decoder listens to, by one signature with one input."""

    _signature = ""
    _input = ""

    def serving(self, *inputs: Array) -> Dict[str, Array]:
        """``last_hidden_state`` of the one input."""
        (values,) = inputs
        return {"last_hidden_state": encode(self._model, self._signature, {self._input: values})}


class S4yEncoder(_EncoderPart):
    """Log-mel spectrogram to what the decoder listens to.

    Args:
        huggingface_model_id: a name on the hub, or a checkpoint's path.
    """

    _part = "encoder"
    _signature = "encode"
    _input = "input_features"

    def __call__(self, input_features: Array) -> ModelOutput:
        """``last_hidden_state`` float32 [1, 1500, d_model] of ``input_features`` float32
        [1, num_mel_bins, 3000]."""
        return ModelOutput(self.serving(input_features))

    call = __call__

    def tflite(
        self,
        model_name: str = "encoder",
        tflite_model_path: _Path = None,
        log: Optional[logging.Logger] = _log,
        artefact: bool = True,
        optimize: bool = True,
    ) -> str:
        """See :meth:`ServingModel.tflite`."""
        return super().tflite(model_name, tflite_model_path, log, artefact, optimize)


class S4yPcmEncoder(_EncoderPart):
    """Sound to what the decoder listens to.

    Args:
        huggingface_model_id: a name on the hub, or a checkpoint's path.
    """

    _part = "pcm-encoder"
    _signature = "pcm_encode"
    _input = "normalized_audio"

    def __call__(self, normalized_audio: Array) -> ModelOutput:
        """``last_hidden_state`` float32 [1, 1500, d_model] of ``normalized_audio`` [480000]: floats
        in [-1, 1], or int16."""
        return ModelOutput(self.serving(normalized_audio))

    def serving(self, *inputs: Array) -> Dict[str, Array]:
        """``last_hidden_state`` of the one input."""
        return super().serving(*map(as_samples, inputs))

    call = __call__

    def tflite(
        self,
        model_name: str = "pcm-encoder",
        tflite_model_path: _Path = None,
        log: Optional[logging.Logger] = _log,
        artefact: bool = True,
        optimize: bool = True,
    ) -> str:
        """See :meth:`ServingModel.tflite`."""
        return super().tflite(model_name, tflite_model_path, log, artefact, optimize)


class _TokenPart(_Part):
    """A part that gives tokens: language and number of them are in the file."""

    _output = "tokens"

    def __init__(
        self, huggingface_model_id: Checkpoint, lang: str = "en", max_length: int = 56
    ) -> None:
        if not 1 <= whole_number(max_length, "max_length") <= 448:
            raise InvalidArgumentError(f"max_length is 1 to 448, not {max_length}.")
        super().__init__(huggingface_model_id)
        self.lang = language_code(lang)
        self.max_length = max_length

    @functools.cached_property
    def _prompt(self) -> List[int]:
        if not self._model.is_multilingual and self.lang != "en":
            raise self._english_only(self._model.name)
        return prompt_tokens(self._model, self.lang)

    def check(self) -> None:
        super().check()
        if self.lang == "en" or not os.path.exists(self._checkpoint):
            return  # one on the hub is looked at when it is here
        if not describe(self._checkpoint)["languages"]:
            raise self._english_only(os.path.basename(os.path.abspath(self._checkpoint)))

    def _english_only(self, name: str) -> InvalidArgumentError:
        return InvalidArgumentError(f"{name} knows English only, not {self.lang!r}.")

    def _options(self) -> Dict[str, Any]:
        return {"language": self.lang, "max_length": self.max_length}

    def _hidden(self, inputs: Array) -> Array:
        return encode(self._model, "encode", {"input_features": inputs})

    def serving(self, *inputs: Array) -> Dict[str, Array]:
        """The tokens int32 [1, 448] of the one input, <|endoftext|> behind them."""
        (states,) = inputs
        row = greedy(self._model, self._hidden(states), self._prompt, self.max_length)
        return {self._output: row}

    def _tokens(self, states: Array) -> Tokens:
        row = cast(Tokens, self.serving(states)[self._output])
        return trimmed(self._model, row, len(self._prompt), self.max_length)


class S4yDecoder(_TokenPart):
    """What the encoder gives to tokens.

    Args:
        huggingface_model_id: a name on the hub, or a checkpoint's path.
        lang: code of the language that is spoken.
        max_length: tokens at most, those of the prompt included; 448 or fewer.
    """

    _part = "decoder"

    def __call__(self, encoder_hidden_states: Union[Array, ModelOutput]) -> Tokens:
        """Tokens int32 [1, n], prompt and <|endoftext|> included, of what the encoder gives:
        float32 [1, 1500, d_model], or its output as it is."""
        states: Any = getattr(encoder_hidden_states, "last_hidden_state", encoder_hidden_states)
        return self._tokens(states)

    call = __call__

    def _hidden(self, inputs: Array) -> Array:
        return inputs

    def tflite(
        self,
        model_name: str = "decoder",
        tflite_model_path: _Path = None,
        log: Optional[logging.Logger] = _log,
        artefact: bool = True,
        optimize: bool = True,
    ) -> str:
        """See :meth:`ServingModel.tflite`."""
        return super().tflite(model_name, tflite_model_path, log, artefact, optimize)


class S4yEncoderDecoder(_TokenPart):
    """Log-mel spectrogram to tokens.

    Args:
        huggingface_model_id: a name on the hub, or a checkpoint's path.
        lang: code of the language that is spoken.
        max_length: tokens at most, those of the prompt included; 448 or fewer.
    """

    _part = "encoder-decoder"

    def __call__(self, input_features: Array) -> Tokens:
        """Tokens int32 [1, n], prompt and <|endoftext|> included, of ``input_features`` float32
        [1, num_mel_bins, 3000]."""
        return self._tokens(input_features)

    call = __call__

    def tflite(
        self,
        model_name: str = "encoder-decoder",
        tflite_model_path: _Path = None,
        log: Optional[logging.Logger] = _log,
        artefact: bool = True,
        optimize: bool = True,
    ) -> str:
        """See :meth:`ServingModel.tflite`."""
        return super().tflite(model_name, tflite_model_path, log, artefact, optimize)


class S4yGenerator(_TokenPart):
    """Log-mel spectrogram to tokens, which are named ``sequences``.

    Args:
        huggingface_model_id: a name on the hub, or a checkpoint's path.
        lang: code of the language that is spoken.
        max_length: tokens at most, those of the prompt included; 448 or fewer.
    """

    _part = "generator"
    _output = "sequences"

    def __call__(self, input_features: Array) -> ModelOutput:
        """``sequences`` int32 [1, n], prompt and <|endoftext|> included, of ``input_features``
        float32 [1, num_mel_bins, 3000]."""
        return ModelOutput(sequences=self._tokens(input_features))

    call = __call__

    def tflite(
        self,
        model_name: str = "generator",
        tflite_model_path: _Path = None,
        log: Optional[logging.Logger] = _log,
        artefact: bool = True,
        optimize: bool = False,
    ) -> str:
        """See :meth:`ServingModel.tflite`."""
        return super().tflite(model_name, tflite_model_path, log, artefact, optimize)
