"""A model as faster-whisper has it."""

from __future__ import annotations

import os
import threading
from typing import Any, BinaryIO, Dict, Iterable, Iterator, List, Optional, Tuple, Union

import numpy as np
import numpy.typing as npt

from .. import _cache
from .._log import log
from ..audio import SAMPLE_RATE, Samples, as_samples, speech_timestamps
from ..decoding import language_probabilities, log_mel
from ..errors import InvalidArgumentError
from ..model import Model
from ..transcriber import Transcriber, TranscriptStream
from ._streams import (
    check_suppressed,
    info_of,
    known_options,
    prompt_text,
    samples_of,
    segments_of,
)
from .keywords import (
    QUANTIZATION,
    WINDOW_SECONDS,
    check_chunk_length,
    check_format,
    clip_seconds,
    hub_options,
    native_options,
    temperatures_of,
    vad_options_of,
    vad_values,
)
from .results import Segment, TranscriptionInfo, TranscriptionOptions, VadOptions


class FeatureExtractor:
    """The model's own front end under the name that faster-whisper gives it."""

    sampling_rate = SAMPLE_RATE
    n_fft = 400
    hop_length = 160
    chunk_length = WINDOW_SECONDS
    n_samples = WINDOW_SECONDS * SAMPLE_RATE
    nb_max_frames = n_samples // hop_length
    time_per_frame = hop_length / SAMPLE_RATE

    def __init__(self, model: Model) -> None:
        self._model = model

    def __call__(self, waveform: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """Log-mel spectrogram float32 [num_mel_bins, 3000] of up to 30 s at 16 kHz, the rest
        silence.

        Raises:
            ValueError: there are more than 480000 samples.
        """
        return log_mel(self._model, waveform)[0]


class WhisperModel:
    """A model with faster-whisper's interface. Any number of threads may use it at once.

    Args:
        model_size_or_path: a ``.tflite`` file; or a checkpoint in any format, or a name on the hub,
            which is converted on first use and kept in the cache.
        device: "cpu" or "auto".
        device_index: 0.
        compute_type: number format of the weights: "int8" (which "auto", "int8_float32",
            "int8_float16" and "int8_bfloat16" are too), "float32" (which "default" and "none" are
            too), "float16" (which "fp16" is too); or "mixed", "int4". Of a ``.tflite`` file it must be the
            one it has, or "default" or "auto".
        cpu_threads: of one transcription; 0: all physical cores, shared out among the workers.
        num_workers: transcriptions that compute at the same time with ``cpu_threads`` each; further
            ones wait. With ``cpu_threads`` 0 no more than there are cores.
        download_root: the cache of converted models; None: $XDG_CACHE_HOME/whisper-s4y/models.
        local_files_only: make no connection.
        files: a checkpoint's files in memory by their names, as bytes or open files.
        revision: branch, tag or commit.
        use_auth_token: a token of the hub; True and None for HF_TOKEN.

    Raises:
        ValueError: a value cannot be honoured.
        NotFoundError: there is no such checkpoint.
        NetworkError: the hub cannot be reached.
    """

    def __init__(
        self,
        model_size_or_path: str,
        device: str = "auto",
        device_index: Union[int, List[int]] = 0,
        compute_type: str = "default",
        cpu_threads: int = 0,
        num_workers: int = 1,
        download_root: Optional[str] = None,
        local_files_only: bool = False,
        files: Optional[Dict[str, Any]] = None,
        revision: Optional[str] = None,
        use_auth_token: Optional[Union[str, bool]] = None,
        **model_kwargs: Any,
    ) -> None:
        if not isinstance(model_size_or_path, (str, os.PathLike)):  # pyright: ignore
            raise InvalidArgumentError(
                f"The model is a size, a name on the hub or a path, not {model_size_or_path!r}."
            )
        if model_kwargs:
            raise InvalidArgumentError(
                f"{', '.join(model_kwargs)}: whisper-s4y has no such option of CTranslate2's."
            )
        if device not in ("cpu", "auto"):
            raise InvalidArgumentError(f"device={device!r}: whisper-s4y runs on the CPU.")
        if device_index not in (0, [0]):
            raise InvalidArgumentError(f"device_index={device_index!r}: there is one CPU, 0.")
        if num_workers < 1:
            raise InvalidArgumentError(f"num_workers={num_workers}: at least one must work.")
        quantize = QUANTIZATION.get(compute_type)
        if quantize is None:
            raise InvalidArgumentError(
                f"compute_type={compute_type!r}: expected one of {', '.join(QUANTIZATION)}."
            )
        self.logger = log
        hub = hub_options(local_files_only, revision, use_auth_token)
        if files:
            path = _cache.converted_files(files, model_size_or_path, quantize, download_root)
        else:
            path = _cache.converted_model(model_size_or_path, quantize, folder=download_root, **hub)
            if path == os.fspath(model_size_or_path) and compute_type not in ("default", "auto"):
                check_format(path, compute_type, quantize)
        self._asked = (cpu_threads, num_workers)
        self.model = Model(path, threads=cpu_threads * num_workers)
        #: Of one transcription.
        self.threads = cpu_threads or max(1, self.model.info["threads"] // num_workers)
        self.feature_extractor = FeatureExtractor(self.model)
        self._idle: Dict[int, List[Transcriber]] = {}  # by their threads
        self._lock = threading.Lock()
        self.input_stride = 2
        self.num_samples_per_token = FeatureExtractor.hop_length * self.input_stride
        self.frames_per_second = SAMPLE_RATE // FeatureExtractor.hop_length
        self.tokens_per_second = SAMPLE_RATE // self.num_samples_per_token
        self.time_precision = 0.02
        self.max_length = 448

    def __reduce__(self) -> Tuple[Any, ...]:
        return _open_by_path, (self.model.path, *self._asked)

    @property
    def supported_languages(self) -> List[str]:
        """Codes of the languages that the model knows."""
        return self.model.languages

    def transcribe(
        self,
        audio: Union[str, BinaryIO, npt.NDArray[Any]],
        language: Optional[str] = None,
        task: str = "transcribe",
        log_progress: bool = False,
        beam_size: int = 5,
        best_of: int = 5,
        patience: float = 1,
        length_penalty: float = 1,
        repetition_penalty: float = 1,
        no_repeat_ngram_size: int = 0,
        temperature: Union[float, List[float], Tuple[float, ...]] = [
            0.0,
            0.2,
            0.4,
            0.6,
            0.8,
            1.0,
        ],
        compression_ratio_threshold: Optional[float] = 2.4,
        log_prob_threshold: Optional[float] = -1.0,
        no_speech_threshold: Optional[float] = 0.6,
        condition_on_previous_text: bool = True,
        prompt_reset_on_temperature: float = 0.5,
        initial_prompt: Optional[Union[str, Iterable[int]]] = None,
        prefix: Optional[str] = None,
        suppress_blank: bool = True,
        suppress_tokens: Optional[List[int]] = [-1],
        without_timestamps: bool = False,
        max_initial_timestamp: float = 1.0,
        word_timestamps: bool = False,
        prepend_punctuations: str = "\"'“¿([{-",
        append_punctuations: str = "\"'.。,，!！?？:：”)]}、",
        multilingual: bool = False,
        vad_filter: bool = False,
        vad_parameters: Optional[Union[Dict[str, Any], VadOptions]] = None,
        max_new_tokens: Optional[int] = None,
        chunk_length: Optional[int] = None,
        clip_timestamps: Union[str, List[float]] = "0",
        hallucination_silence_threshold: Optional[float] = None,
        hotwords: Optional[str] = None,
        language_detection_threshold: Optional[float] = 0.5,
        language_detection_segments: int = 1,
    ) -> Tuple[Iterable[Segment], TranscriptionInfo]:
        """Transcribes a recording.

        Args:
            audio: a path, a file open in binary mode, or samples float32 [n] at 16 kHz.
            log_progress: show a bar.
            temperature: one, or several that are tried until one passes.
            initial_prompt: text before the first window, or its tokens.
            chunk_length: 30 or None: windows are 30 s long.
            clip_timestamps: "start,end,start,end" in seconds, or a list of them.

        The other keywords are those of :class:`whisper_s4y.options.TranscribeOptions` under the
        names that faster-whisper gives them.

        Returns:
            An iterator over the segments, which transcribes while it is asked, and what is known
            before. Dropping the iterator stops the transcription.

        Raises:
            ValueError: a value is impossible, or cannot be honoured.
            OSError: the file cannot be read.
        """
        check_chunk_length(chunk_length)
        samples = samples_of(audio)
        multilingual, language, task = known_options(self.model, multilingual, language, task)
        check_suppressed(self.model, suppress_tokens)
        clips = clip_seconds(clip_timestamps)
        # "vad_filter will be ignored if clip_timestamps is used", says faster-whisper.
        vad_filter = vad_filter and not clips
        vad_options = vad_options_of(vad_parameters, vad_filter)
        options = TranscriptionOptions(
            beam_size=beam_size,
            best_of=best_of,
            patience=patience,
            length_penalty=length_penalty,
            repetition_penalty=repetition_penalty,
            no_repeat_ngram_size=no_repeat_ngram_size,
            log_prob_threshold=log_prob_threshold,
            no_speech_threshold=no_speech_threshold,
            compression_ratio_threshold=compression_ratio_threshold,
            condition_on_previous_text=condition_on_previous_text,
            prompt_reset_on_temperature=prompt_reset_on_temperature,
            temperatures=temperatures_of(temperature),
            initial_prompt=prompt_text(self.model, initial_prompt),
            prefix=prefix,
            suppress_blank=suppress_blank,
            suppress_tokens=suppress_tokens,
            without_timestamps=without_timestamps,
            max_initial_timestamp=max_initial_timestamp,
            word_timestamps=word_timestamps,
            prepend_punctuations=prepend_punctuations,
            append_punctuations=append_punctuations,
            multilingual=multilingual,
            max_new_tokens=max_new_tokens,
            clip_timestamps=clip_timestamps,
            hallucination_silence_threshold=hallucination_silence_threshold,
            hotwords=hotwords,
        )
        native = {
            **native_options(options),
            "language": language,
            "task": task,
            "clip_timestamps": clips,
            "language_detection_segments": language_detection_segments,
            "language_detection_threshold": language_detection_threshold,
            "vad_filter": vad_filter,
        }
        if vad_filter:
            native["vad_options"] = vad_values(vad_options)
        stream = self._open_stream(samples, native)
        info = info_of(stream, samples, language, options, vad_options, vad_filter)
        return segments_of(stream, log_progress, info), info

    def detect_language(
        self,
        audio: Optional[npt.NDArray[Any]] = None,
        features: Optional[npt.NDArray[Any]] = None,
        vad_filter: bool = False,
        vad_parameters: Optional[Union[Dict[str, Any], VadOptions]] = None,
        language_detection_segments: int = 1,
        language_detection_threshold: float = 0.5,
    ) -> Tuple[str, float, List[Tuple[str, float]]]:
        """The language of a recording.

        Args:
            audio: samples [n] at 16 kHz.
            features: log-mel spectrogram [num_mel_bins, frames]; not looked at when there is audio.
            vad_filter: look at speech only.
            language_detection_segments: windows of 30 s to look at until one is sure.
            language_detection_threshold: probability above which one is sure.

        Returns:
            Code, probability, and those of all languages, likeliest first.

        Raises:
            ValueError: neither is given.
            UnsupportedError: the model is English only.
        """
        if audio is not None:
            samples = as_samples(audio)
            if vad_filter:
                speech = speech_timestamps(samples, **vad_values(vad_parameters))
                samples = np.concatenate(
                    [samples[one.start : one.end] for one in speech] or [samples[:0]]
                )
            if samples.size == 0:
                samples = np.zeros(SAMPLE_RATE, np.float32)
            windows = range(0, samples.size, FeatureExtractor.n_samples)
            mels = (
                log_mel(self.model, samples[begin : begin + FeatureExtractor.n_samples], self.threads)
                for begin in windows
            )
        elif features is not None:
            mels = _windows_of_features(np.asarray(features, np.float32))
        else:
            raise InvalidArgumentError("Either `audio` or `features` must be provided.")
        return self._vote(mels, language_detection_segments, language_detection_threshold)

    def _vote(
        self, mels: Iterable[npt.NDArray[np.float32]], segments: int, threshold: float
    ) -> Tuple[str, float, List[Tuple[str, float]]]:
        if segments < 1:
            raise InvalidArgumentError(
                f"language_detection_segments={segments}: at least one window is looked at."
            )
        votes: Dict[str, List[float]] = {}
        probabilities: List[Tuple[str, float]] = []
        for index, mel in enumerate(mels):
            if index == segments:
                break
            probabilities = language_probabilities(self.model, mel, self.threads)
            language, probability = probabilities[0]
            if probability > threshold:
                return language, probability, probabilities
            votes.setdefault(language, []).append(probability)
        if not votes:
            raise InvalidArgumentError("The features are empty: there is no sound to look at.")
        language = max(votes, key=lambda one: len(votes[one]))
        return language, max(votes[language]), probabilities

    def _open_stream(
        self, samples: Samples, options: Dict[str, Any], threads: Optional[int] = None
    ) -> TranscriptStream:
        """A transcription with the library's own options, by a transcriber that is free."""
        threads = threads or self.threads
        with self._lock:
            idle = self._idle.setdefault(threads, [])
            transcriber = idle.pop() if idle else None
        if transcriber is None:
            transcriber = Transcriber(self.model, threads)
        user = transcriber

        def give_back() -> None:
            with self._lock:
                idle.append(user)

        try:
            return transcriber._stream_of(  # pyright: ignore[reportPrivateUsage]
                samples, None, options, give_back
            )
        except BaseException:
            give_back()
            raise


def _open_by_path(path: str, threads: int, workers: int) -> WhisperModel:
    return WhisperModel(path, cpu_threads=threads, num_workers=workers)


def _windows_of_features(
    features: npt.NDArray[np.float32],
) -> Iterator[npt.NDArray[np.float32]]:
    frames = FeatureExtractor.nb_max_frames
    for begin in range(0, features.shape[-1], frames):
        window = features[:, begin : begin + frames]
        yield np.pad(window, ((0, 0), (0, frames - window.shape[-1])))[None]
