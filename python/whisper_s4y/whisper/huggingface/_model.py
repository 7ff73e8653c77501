"""Checkpoints as transformers names their parts, run by LiteRT."""

from __future__ import annotations

import os
import threading
import weakref
from types import SimpleNamespace
from typing import Any, Dict, List, Optional, Sequence, Tuple, Union, cast

import numpy as np
import numpy.typing as npt

from ..._cache import converted_model
from ...decoding import Decoder as StepDecoder
from ...decoding import prompt_tokens
from ...errors import InvalidArgumentError
from ...model import Model
from ._output import ModelOutput

#: A name on the hub, the path of a checkpoint in any format, or a ``.tflite`` file.
Checkpoint = Union[str, "os.PathLike[str]"]
Array = npt.NDArray[Any]
Tokens = npt.NDArray[np.int32]

_opened: "weakref.WeakValueDictionary[str, Model]" = weakref.WeakValueDictionary()
_opening = threading.Lock()


def open_model(checkpoint: Checkpoint) -> Model:
    """The bundle of a checkpoint in float32: converted once into the cache, opened once."""
    with _opening:
        path = converted_model(checkpoint, "none")
        model = _opened.get(path)
        if model is None:
            model = _opened[path] = Model(path)
        return model


def encode(model: Model, signature: str, inputs: Dict[str, Array]) -> Array:
    """What the encoder gives, float32 [1, 1500, d_model]."""
    return model.signature(signature)(**inputs)["last_hidden_state"].copy()


def greedy(
    model: Model, encoder_hidden_states: Array, prompt: Sequence[int], max_length: int
) -> Tokens:
    """The greedy loop in the model: int32 [1, 448], the prompt included, <|endoftext|> behind."""
    decode = model.signature("decode")
    row = np.zeros(decode.inputs["prompt_tokens"].shape, np.int32)
    row[0, : len(prompt)] = prompt
    outputs = decode(
        encoder_hidden_states=encoder_hidden_states,
        prompt_tokens=row,
        prompt_length=len(prompt),
        max_length=max_length,
    )
    return cast(Tokens, outputs["tokens"].copy())


def trimmed(model: Model, tokens: Tokens, prompt_length: int, max_length: int) -> Tokens:
    """Rows without what is behind the first <|endoftext|>: int32 [1, n], n <= max_length."""
    (ends,) = np.nonzero(tokens[0, prompt_length:] == model.config["eos_token_id"])
    size = prompt_length + int(ends[0]) + 1 if ends.size else tokens.shape[1]
    return tokens[:, : min(size, max_length)]


def _as_row(tokens: Array) -> List[int]:
    array = np.asarray(tokens)
    if array.ndim == 2 and array.shape[0] == 1:
        array = array[0]
    if array.ndim != 1 or array.dtype.kind not in "iu" or array.size == 0:
        raise InvalidArgumentError(
            f"Tokens are integers [1, n], n at least 1; these are {array.dtype} "
            f"{list(array.shape)}."
        )
    return array.tolist()


class WhisperEncoder:
    """The encoder of a checkpoint."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def __call__(self, input_features: Array) -> ModelOutput:
        """Encodes a window.

        Args:
            input_features: log-mel spectrogram, float32 [1, num_mel_bins, 3000].

        Returns:
            ``last_hidden_state`` float32 [1, 1500, d_model].

        Raises:
            InvalidArgumentError: the array has another shape or another kind of numbers.
        """
        hidden = encode(self._model, "encode", {"input_features": input_features})
        return ModelOutput(last_hidden_state=hidden)


class WhisperDecoder:
    """The decoder of a checkpoint with its output matrix."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def __call__(self, input_ids: Array, encoder_hidden_states: Array) -> ModelOutput:
        """Feeds tokens.

        Args:
            input_ids: integers [1, n].
            encoder_hidden_states: float32 [1, 1500, d_model].

        Returns:
            ``logits`` float32 [1, n, vocab_size], of the token after each. Hidden states are not
            among what a converted model gives.

        Raises:
            InvalidArgumentError: an array has another shape or another kind of numbers, or n is
                more than 448.
        """
        decoder = StepDecoder(self._model, encoder_hidden_states)
        logits = [decoder.step(token).copy() for token in _as_row(input_ids)]
        return ModelOutput(logits=np.stack(logits)[None])


class WhisperMainLayer:
    """Encoder and decoder."""

    def __init__(self, model: Model) -> None:
        self.encoder = WhisperEncoder(model)
        self.decoder = WhisperDecoder(model)

    def __call__(
        self,
        input_features: Optional[Array] = None,
        decoder_input_ids: Optional[Array] = None,
        encoder_outputs: Optional[Any] = None,
    ) -> ModelOutput:
        """Encodes a window and feeds tokens.

        Args:
            input_features: log-mel spectrogram, float32 [1, num_mel_bins, 3000]; or
            encoder_outputs: what the encoder has given.
            decoder_input_ids: integers [1, n].

        Returns:
            ``logits`` float32 [1, n, vocab_size] and ``encoder_last_hidden_state`` float32
            [1, 1500, d_model].
        """
        if decoder_input_ids is None:
            raise InvalidArgumentError("Give decoder_input_ids: the tokens so far, integers [1, n].")
        hidden: Any = getattr(encoder_outputs, "last_hidden_state", encoder_outputs)
        if (input_features is None) == (hidden is None):
            raise InvalidArgumentError("Give either input_features or encoder_outputs.")
        if input_features is not None:
            hidden = self.encoder(input_features).last_hidden_state
        logits = self.decoder(decoder_input_ids, hidden).logits
        return ModelOutput(logits=logits, encoder_last_hidden_state=hidden)


class WhisperForConditionalGeneration:
    """A checkpoint, ready to transcribe windows of 30 s.

    Args:
        model_id: a name on the hub, or a checkpoint's path; it is converted on first use into the
            cache, in float32.
    """

    def __init__(self, model_id: Checkpoint) -> None:
        self._model = open_model(model_id)
        self.model = WhisperMainLayer(self._model)
        #: Dimensions and special tokens, by transformers' names: ``config.d_model`` ...
        self.config = SimpleNamespace(**self._model.config)

    def get_encoder(self) -> WhisperEncoder:
        """The encoder."""
        return self.model.encoder

    def get_decoder(self) -> WhisperDecoder:
        """The decoder."""
        return self.model.decoder

    def __call__(
        self,
        input_features: Optional[Array] = None,
        decoder_input_ids: Optional[Array] = None,
        encoder_outputs: Optional[Any] = None,
    ) -> ModelOutput:
        """See :meth:`WhisperMainLayer.__call__`."""
        return self.model(input_features, decoder_input_ids, encoder_outputs)

    def generate(
        self,
        input_features: Array,
        *,
        forced_decoder_ids: Optional[Sequence[Tuple[int, int]]] = None,
        language: Optional[str] = None,
        task: str = "transcribe",
        return_timestamps: bool = False,
        max_length: int = 448,
    ) -> Tokens:
        """Transcribes a window greedily.

        Args:
            input_features: log-mel spectrogram, float32 [1, num_mel_bins, 3000].
            forced_decoder_ids: what ``tokenizer.get_decoder_prompt_ids()`` gives; it says language,
                task and timestamps instead of what follows.
            language: a code; None: the model detects it.
            task: or "translate".
            return_timestamps: whether they are among the tokens.
            max_length: tokens at most, those of the prompt included.

        Returns:
            int32 [1, n]: the prompt, the text, <|endoftext|> if it came.
        """
        model = self._model
        config = model.config
        if forced_decoder_ids is not None:
            prompt = [config["decoder_start_token_id"], *(token for _, token in forced_decoder_ids)]
        elif language is None and model.is_multilingual:
            prompt = [config["decoder_start_token_id"], -1, config[f"{task}_token_id"]]
            prompt += [] if return_timestamps else [config["no_timestamps_token_id"]]
        else:
            prompt = prompt_tokens(model, language, task, return_timestamps)
        hidden = self.model.encoder(input_features).last_hidden_state
        tokens = greedy(model, hidden, prompt, max_length)
        return trimmed(model, tokens, len(prompt), max_length)
