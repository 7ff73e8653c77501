"""Windows of speech side by side, as faster-whisper has it."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import Any, BinaryIO, Deque, Dict, Iterable, Iterator, List, Optional, Tuple, Union

import numpy as np
import numpy.typing as npt

from .._log import progress_bar
from .._native import whole
from ..audio import SAMPLE_RATE, Samples
from ..errors import InvalidArgumentError
from ..transcriber import TranscriptStream
from ._streams import (
    check_suppressed,
    info_of,
    known_options,
    prompt_text,
    samples_of,
    segments_of,
)
from .keywords import (
    ALL_OF_IT,
    WINDOW_SECONDS,
    batched_vad_options,
    check_chunk_length,
    clip_pairs,
    native_options,
    temperatures_of,
    vad_values,
)
from .results import Segment, TranscriptionInfo, TranscriptionOptions, VadOptions
from .whisper_model import WhisperModel


class BatchedInferencePipeline:
    """Windows of speech decoded independently, ``batch_size`` at once.

    Args:
        model: a :class:`WhisperModel`.
    """

    def __init__(self, model: WhisperModel) -> None:
        if not isinstance(model, WhisperModel):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidArgumentError(f"The model is a WhisperModel, not {model!r}.")
        self.model = model

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
        without_timestamps: bool = True,
        max_initial_timestamp: float = 1.0,
        word_timestamps: bool = False,
        prepend_punctuations: str = "\"'“¿([{-",
        append_punctuations: str = "\"'.。,，!！?？:：”)]}、",
        multilingual: bool = False,
        vad_filter: bool = True,
        vad_parameters: Optional[Union[Dict[str, Any], VadOptions]] = None,
        max_new_tokens: Optional[int] = None,
        chunk_length: Optional[int] = None,
        clip_timestamps: Optional[List[Dict[str, float]]] = None,
        hallucination_silence_threshold: Optional[float] = None,
        batch_size: int = 8,
        hotwords: Optional[str] = None,
        language_detection_threshold: Optional[float] = 0.5,
        language_detection_segments: int = 1,
    ) -> Tuple[Iterable[Segment], TranscriptionInfo]:
        """Transcribes a recording: see :meth:`WhisperModel.transcribe`.

        Of several temperatures the first is used; windows know nothing of the text before them,
        whatever ``condition_on_previous_text`` says.

        Args:
            clip_timestamps: dicts with "start" and "end" in seconds, of 30 s at most: each is a
                window of its own. Without them VAD finds the windows.

        Raises:
            ValueError: see there; also when a clip is longer than 30 s.
            RuntimeError: there is neither ``vad_filter`` nor clips, and the recording is longer
                than a window.
        """
        check_chunk_length(chunk_length)
        if whole(batch_size, "batch size") < 1:
            raise InvalidArgumentError(f"batch_size={batch_size}: at least one is decoded at once.")
        if hallucination_silence_threshold is not None:
            raise InvalidArgumentError(
                "hallucination_silence_threshold: windows of a batch know nothing of the silence "
                "around them; use WhisperModel.transcribe."
            )
        model = self.model
        samples = samples_of(audio)
        multilingual, language, task = known_options(model.model, multilingual, language, task)
        check_suppressed(model.model, suppress_tokens)
        duration = samples.size / SAMPLE_RATE
        clips = clip_pairs(clip_timestamps)
        if not clips and not vad_filter:
            if duration >= WINDOW_SECONDS:
                raise RuntimeError(
                    "No clip timestamps found. "
                    "Set 'vad_filter' to True or provide 'clip_timestamps'."
                )
            clips = [(0.0, duration)]
        is_by_speech = not clips
        vad_options = batched_vad_options(vad_parameters) if is_by_speech else None
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
            condition_on_previous_text=False,
            prompt_reset_on_temperature=0.5,
            temperatures=temperatures_of(temperature)[:1],
            initial_prompt=prompt_text(model.model, initial_prompt),
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
            hallucination_silence_threshold=None,
            hotwords=hotwords,
        )
        native = {
            **native_options(options),
            "language": language,
            "task": task,
            "language_detection_segments": language_detection_segments,
            "language_detection_threshold": language_detection_threshold,
        }
        if is_by_speech:
            native.update(batch_size=batch_size, vad_options=vad_values(vad_options))
            stream = model._open_stream(samples, native)  # pyright: ignore[reportPrivateUsage]
            info = info_of(stream, samples, language, options, vad_options, True)
            return segments_of(stream, log_progress, info), info
        info = self._info_of_clips(samples, clips, native, options, vad_options)
        native["language"] = None if multilingual else info.language
        return self._clips(samples, clips, native, batch_size, log_progress), info

    def _info_of_clips(
        self,
        samples: Samples,
        clips: List[Tuple[float, float]],
        native: Dict[str, Any],
        options: TranscriptionOptions,
        vad_options: Optional[VadOptions],
    ) -> TranscriptionInfo:
        code, probability, found = native["language"] or "en", 1.0, None
        if native["language"] is None:
            code, probability, found = self.model.detect_language(
                np.concatenate([clip_samples(samples, clip) for clip in clips]),
                language_detection_segments=native["language_detection_segments"],
                language_detection_threshold=native["language_detection_threshold"],
            )
        return TranscriptionInfo(
            language=code,
            language_probability=probability,
            duration=samples.size / SAMPLE_RATE,
            duration_after_vad=sum(end - start for start, end in clips),
            all_language_probs=found,
            transcription_options=options,
            vad_options=vad_options,
        )

    def _clips(
        self,
        samples: Samples,
        clips: List[Tuple[float, float]],
        native: Dict[str, Any],
        batch_size: int,
        log_progress: bool,
    ) -> Iterator[Segment]:
        """Clips side by side, as many as there are threads for, in their order."""
        bar = progress_bar("transcribing") if log_progress else None
        side_by_side = min(batch_size, len(clips), self.model.threads)
        threads = self.model.threads // side_by_side
        left = iter(clips)
        at_work: Deque[Tuple[Tuple[float, float], TranscriptStream]] = deque()
        count = 0

        def begin(clip: Tuple[float, float]) -> None:
            options = {**native, **ALL_OF_IT}
            stream = self.model._open_stream(  # pyright: ignore[reportPrivateUsage]
                clip_samples(samples, clip), options, threads
            )
            at_work.append((clip, stream))
            stream.start()

        try:
            for clip in islice(left, side_by_side):
                begin(clip)
            for done in range(1, len(clips) + 1):
                clip, stream = at_work[0]
                for segment in segments_of(stream, False):
                    count += 1
                    segment.id = count
                    moved(segment, clip)
                    if native["without_timestamps"] and not native["word_timestamps"]:
                        segment.start, segment.end = clip  # the window itself, as there
                    yield segment
                at_work.popleft()
                for following in islice(left, 1):
                    begin(following)
                if bar is not None:
                    bar(done, len(clips))
        finally:
            for _, stream in at_work:
                stream.close()


def clip_samples(samples: Samples, clip: Tuple[float, float]) -> Samples:
    return samples[int(clip[0] * SAMPLE_RATE) : int(clip[1] * SAMPLE_RATE)]


def moved(segment: Segment, clip: Tuple[float, float]) -> None:
    segment.seek += int(clip[0] * 100)
    for part in (segment, *(segment.words or ())):
        part.start = round(part.start + clip[0], 3)
        part.end = round(part.end + clip[0], 3)
