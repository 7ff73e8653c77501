"""Checkpoints by transformers' names, without transformers: NumPy arrays in and out.

    from whisper_s4y.whisper import huggingface as hf

    features = hf.feature_extractor("openai/whisper-base")(samples, sampling_rate=16000)
    tokens = hf.for_conditional_generation("openai/whisper-base").generate(features["input_features"])
    text = hf.tokenizer("openai/whisper-base").decode(tokens[0])

An id is the name of a model on the hub, which is downloaded once, or the path of a checkpoint in any
format. What runs is converted on first use into the cache.
"""

from __future__ import annotations

from typing import Union

from ._model import Checkpoint as Checkpoint
from ._model import WhisperDecoder as WhisperDecoder
from ._model import WhisperEncoder as WhisperEncoder
from ._model import WhisperForConditionalGeneration as WhisperForConditionalGeneration
from ._model import WhisperMainLayer as WhisperMainLayer
from ._output import ModelOutput as ModelOutput
from ._processor import WhisperFeatureExtractor as WhisperFeatureExtractor
from ._processor import WhisperProcessor as WhisperProcessor
from ._processor import WhisperTokenizer as WhisperTokenizer


def for_conditional_generation(model_id: Checkpoint) -> WhisperForConditionalGeneration:
    """A checkpoint, ready to transcribe."""
    return WhisperForConditionalGeneration(model_id)


def main_layer(model: Union[WhisperForConditionalGeneration, Checkpoint]) -> WhisperMainLayer:
    """Encoder and decoder of a model or of a checkpoint."""
    if not isinstance(model, WhisperForConditionalGeneration):
        model = for_conditional_generation(model)
    return model.model


def encoder(model: Union[WhisperForConditionalGeneration, Checkpoint]) -> WhisperEncoder:
    """The encoder of a model or of a checkpoint."""
    return main_layer(model).encoder


def decoder(model: Union[WhisperForConditionalGeneration, Checkpoint]) -> WhisperDecoder:
    """The decoder of a model or of a checkpoint."""
    return main_layer(model).decoder


def processor(model_id: Checkpoint) -> WhisperProcessor:
    """Tokenizer and feature extractor of a checkpoint."""
    return WhisperProcessor(model_id)


def feature_extractor(processorOrId: Union[WhisperProcessor, Checkpoint]) -> WhisperFeatureExtractor:
    """The front end of a checkpoint."""
    if not isinstance(processorOrId, WhisperProcessor):
        processorOrId = processor(processorOrId)
    return processorOrId.feature_extractor


def tokenizer(processorOrId: Union[WhisperProcessor, Checkpoint]) -> WhisperTokenizer:
    """The vocabulary of a checkpoint."""
    if not isinstance(processorOrId, WhisperProcessor):
        processorOrId = processor(processorOrId)
    return processorOrId.tokenizer
