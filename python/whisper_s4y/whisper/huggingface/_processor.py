"""transformers' tokenizer, feature extractor and processor of a checkpoint, without transformers."""

from __future__ import annotations

import functools
from typing import Any, Dict, List, Optional, Sequence, Tuple, Union, cast

import numpy as np
import numpy.typing as npt

from ..._cache import is_tflite
from ..._native import language_code
from ...audio import SAMPLE_RATE, as_samples
from ...convert import convert_to_memory
from ...errors import InvalidArgumentError
from ...model import Model
from ._model import Checkpoint
from ._output import ModelOutput

_WINDOW = 480000  # samples


class WhisperTokenizer:
    """The vocabulary of a checkpoint.

    Args:
        model: any file that was converted from it.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        config = model.config
        self.eos_token_id: int = config["eos_token_id"]
        self.pad_token_id: int = config["eos_token_id"]
        self._prefix = self._prefix_tokens(None, None, True)

    def encode(self, text: str, add_special_tokens: bool = True) -> List[int]:
        """The tokens of a text.

        Args:
            text: "<|en|>" in it is text, never a special token.
            add_special_tokens: whether the prompt stands before and <|endoftext|> behind.
        """
        tokens = self._model.tokenize(text)
        return [*self._prefix, *tokens, self.eos_token_id] if add_special_tokens else tokens

    def __call__(
        self, text: Union[str, Sequence[str]], add_special_tokens: bool = True
    ) -> ModelOutput:
        """``input_ids``: the tokens of a text, or those of each of several."""
        if isinstance(text, str):
            return ModelOutput(input_ids=self.encode(text, add_special_tokens))
        return ModelOutput(input_ids=[self.encode(one, add_special_tokens) for one in text])

    def decode(
        self,
        token_ids: Any,
        skip_special_tokens: bool = False,
        decode_with_timestamps: bool = False,
    ) -> str:
        """The text of tokens.

        Args:
            token_ids: integers, [n] or one.
            skip_special_tokens: leave out <|startoftranscript|>, <|endoftext|> ...
            decode_with_timestamps: whether timestamps appear as <|0.00|>.

        Raises:
            InvalidArgumentError: an id is not in the vocabulary.
        """
        ids = np.atleast_1d(np.asarray(token_ids))
        if ids.ndim != 1:
            raise InvalidArgumentError(
                f"Tokens are integers [n]; these have the shape {list(ids.shape)}: "
                "batch_decode() takes several rows."
            )
        return self._model.detokenize(
            ids.tolist(), special_tokens=not skip_special_tokens, timestamps=decode_with_timestamps
        )

    def batch_decode(
        self,
        sequences: Any,
        skip_special_tokens: bool = False,
        decode_with_timestamps: bool = False,
    ) -> List[str]:
        """The text of each row of tokens."""
        return [
            self.decode(row, skip_special_tokens, decode_with_timestamps) for row in sequences
        ]

    def set_prefix_tokens(
        self,
        language: Optional[str] = None,
        task: Optional[str] = None,
        predict_timestamps: bool = False,
    ) -> None:
        """Which prompt ``encode()`` puts before a text."""
        self._prefix = self._prefix_tokens(language, task, not predict_timestamps)

    def get_decoder_prompt_ids(
        self,
        task: Optional[str] = None,
        language: Optional[str] = None,
        no_timestamps: bool = True,
    ) -> List[Tuple[int, int]]:
        """The prompt behind <|startoftranscript|>: position and token of each.

        Args:
            task: "transcribe" or "translate"; None says nothing of it.
            language: a code or a name; None says nothing of it.
            no_timestamps: whether the text is to come without timestamps.

        Raises:
            InvalidArgumentError: there is no such language or task.
        """
        prefix = self._prefix_tokens(language, task, no_timestamps)
        return [(position, token) for position, token in enumerate(prefix) if position > 0]

    def _prefix_tokens(
        self, language: Optional[str], task: Optional[str], no_timestamps: bool
    ) -> List[int]:
        config = self._model.config
        tokens: List[int] = [config["decoder_start_token_id"]]
        if language is not None:
            tokens.append(self._language_token(language))
        if task is not None:
            if task not in ("transcribe", "translate"):
                raise InvalidArgumentError(
                    f'The task is "transcribe" or "translate", not {task!r}.'
                )
            tokens.append(config[f"{task}_token_id"])
        if no_timestamps:
            tokens.append(config["no_timestamps_token_id"])
        return tokens

    def _language_token(self, language: str) -> int:
        found = self._languages.get(language_code(language))
        if found is None:
            raise InvalidArgumentError(
                f"There is no language {language!r} in the vocabulary; there are "
                f"{', '.join(self._languages)}."
            )
        return found

    @functools.cached_property
    def _languages(self) -> Dict[str, int]:
        """Tokens of languages by their codes, which English-only vocabularies have too: they stand
        between <|startoftranscript|> and <|translate|>."""
        config = self._model.config
        tokens = range(config["decoder_start_token_id"] + 1, config["translate_token_id"])
        return {
            self._model.detokenize([token], special_tokens=True).strip("<|>"): token
            for token in tokens
        }


class WhisperFeatureExtractor:
    """The front end of a checkpoint.

    Args:
        num_mel_bins: 80 or 128.
    """

    sampling_rate = SAMPLE_RATE
    n_samples = _WINDOW
    hop_length = 160
    n_fft = 400

    def __init__(self, num_mel_bins: int) -> None:
        self.feature_size = num_mel_bins
        self._model = Model.front_end(num_mel_bins)

    def __call__(
        self,
        raw_speech: Any,
        sampling_rate: Optional[int] = None,
        return_tensors: Optional[str] = None,
    ) -> ModelOutput:
        """Log-mel spectrograms of 30 s: what is shorter is filled with silence, what is longer cut.

        Args:
            raw_speech: samples at 16 kHz, float [samples] in [-1, 1] or int16, or a list of several.
            sampling_rate: None or 16000.
            return_tensors: None or "np", which give the same.

        Returns:
            ``input_features`` float32 [n, num_mel_bins, 3000].

        Raises:
            InvalidArgumentError: sampling_rate is another one, or other tensors are asked for.
        """
        if sampling_rate not in (None, SAMPLE_RATE):
            raise InvalidArgumentError(
                f"Whisper hears {SAMPLE_RATE} samples a second, not {sampling_rate}: "
                "whisper_s4y.load_audio() reads files at that rate."
            )
        if return_tensors not in (None, "np"):
            raise InvalidArgumentError(
                f'return_tensors={return_tensors!r} needs another library; "np" gives NumPy arrays.'
            )
        return ModelOutput(
            input_features=np.concatenate([self._log_mel(one) for one in _recordings(raw_speech)])
        )

    def _log_mel(self, speech: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        samples = as_samples(speech)[:_WINDOW]
        features = self._model.signature("features")
        audio = features.inputs["normalized_audio"]
        audio[: samples.size] = samples
        audio[samples.size :] = 0
        features.run()
        return features.outputs["logmel"].copy()


def _recordings(raw_speech: Any) -> List[npt.NDArray[Any]]:
    """One recording or several, as arrays [samples]."""
    if isinstance(raw_speech, (list, tuple)):
        several = cast(Sequence[Any], raw_speech)
        if len(several) and np.ndim(several[0]):
            return [np.asarray(one) for one in several]
    array: npt.NDArray[Any] = np.asarray(cast(Any, raw_speech))
    return list(array) if array.ndim == 2 else [array]


class WhisperProcessor:
    """Tokenizer and feature extractor of a checkpoint.

    Args:
        model_id: a name on the hub, or a checkpoint's path. Its weights are not read.
    """

    def __init__(self, model_id: Checkpoint) -> None:
        # The smallest part: its metadata is what matters.
        model = Model(
            str(model_id)
            if is_tflite(model_id)
            else convert_to_memory(model_id, part="features-extractor")
        )
        self.tokenizer = WhisperTokenizer(model)
        self.feature_extractor = WhisperFeatureExtractor(model.config["num_mel_bins"])

    def __call__(
        self,
        audio: Optional[Any] = None,
        text: Optional[Union[str, Sequence[str]]] = None,
        sampling_rate: Optional[int] = None,
        return_tensors: Optional[str] = None,
    ) -> ModelOutput:
        """What the feature extractor makes of ``audio``, what the tokenizer makes of ``text``; of
        both ``input_features`` and ``labels``."""
        if audio is None and text is None:
            raise InvalidArgumentError("Give audio or text.")
        if audio is None:
            return self.tokenizer(text or "")
        output = self.feature_extractor(audio, sampling_rate, return_tensors)
        if text is not None:
            output["labels"] = self.tokenizer(text)["input_ids"]
        return output

    def decode(self, token_ids: Any, skip_special_tokens: bool = False) -> str:
        """See :meth:`WhisperTokenizer.decode`."""
        return self.tokenizer.decode(token_ids, skip_special_tokens)

    def batch_decode(self, sequences: Any, skip_special_tokens: bool = False) -> List[str]:
        """See :meth:`WhisperTokenizer.batch_decode`."""
        return self.tokenizer.batch_decode(sequences, skip_special_tokens)

    def get_decoder_prompt_ids(
        self,
        task: Optional[str] = None,
        language: Optional[str] = None,
        no_timestamps: bool = True,
    ) -> List[Tuple[int, int]]:
        """See :meth:`WhisperTokenizer.get_decoder_prompt_ids`."""
        return self.tokenizer.get_decoder_prompt_ids(task, language, no_timestamps)
