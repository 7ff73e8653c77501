"""Speech to text for recordings of any length."""

from __future__ import annotations

import contextlib
import ctypes
import json
import math
import os
import threading
import weakref
from dataclasses import asdict, dataclass
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    Generator,
    List,
    Mapping,
    Optional,
    Tuple,
    Union,
)

import numpy as np
import numpy.typing as npt

from . import _native, _options
from ._asyncio import in_thread
from ._log import log, warn
from .audio import AudioSource, as_samples, file_bytes, is_samples
from .errors import InvalidArgumentError
from .model import Model

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .live import LiveTranscriber
    from .options import AudioOptions, LiveOptions, OutputOptions, TranscribeOptions

# How long one wait for a segment takes: Ctrl-C is heard between two.
_WAIT_MS = 50
_WAITING, _SEGMENT, _END = 0, 1, 2


@dataclass
class Word:
    """A spoken word."""

    #: Seconds from the beginning of the recording.
    start: float
    end: float
    #: With its leading space.
    word: str
    #: Mean over its tokens.
    probability: float


@dataclass
class Segment:
    """A phrase or sentence."""

    #: From 0, consecutive in a transcript.
    id: int
    #: Mel frame (10 ms) at which its 30 s window begins.
    seek: int
    #: Seconds from the beginning of the recording.
    start: float
    end: float
    #: With its leading space.
    text: str
    #: Of the text, and the timestamps around it.
    tokens: List[int]
    #: Of its window: mean log-probability of the tokens.
    avg_logprob: float
    #: Of its window: above 2.4 it repeats itself.
    compression_ratio: float
    #: Of its window.
    no_speech_prob: float
    #: None unless word timestamps were asked for.
    words: Optional[List[Word]]
    #: At which its window was decoded.
    temperature: float
    #: Code of what is spoken in it, "en".
    language: str = ""
    #: "left", "right" or a number, where channels are told apart.
    channel: str = ""


def _number(value: float) -> float:
    """A float32 as the shortest decimal that stands for it."""
    return float(str(np.float32(value)))


def _word(native: _native.Word) -> Word:
    return Word(native.start, native.end, native.word.decode(), _number(native.probability))


def words_of(function: Any, owner: Any, count: int) -> List[Word]:
    library = _native.library()
    words: List[Word] = []
    native = _native.Word(struct_size=ctypes.sizeof(_native.Word))
    for index in range(count):
        library.check(function(ctypes.byref(owner), index, ctypes.byref(native)))
        words.append(_word(native))
    return words


def _segment(native: _native.Segment, with_words: bool) -> Segment:
    words: Optional[List[Word]] = None
    if with_words:
        words = words_of(_native.library().segment_word, native, native.word_count)
    return Segment(
        id=native.id,
        seek=native.seek,
        start=native.start,
        end=native.end,
        text=native.text.decode(),
        tokens=native.tokens[: native.token_count],
        avg_logprob=_number(native.avg_logprob),
        compression_ratio=_number(native.compression_ratio),
        no_speech_prob=_number(native.no_speech_prob),
        words=words,
        temperature=_number(native.temperature),
        language=native.language.decode(),
        channel=native.channel.decode(),
    )


@dataclass
class Transcript:
    """The text of a recording: plain data, to be copied, pickled and changed. What is written are
    the fields as they are then."""

    #: Of all segments.
    text: str
    #: Code of the spoken language, of several the one spoken longest; "" when VAD found no speech.
    language: str
    #: 1 when the language was given.
    language_probability: float
    #: Seconds of the recording, as far as it was read.
    duration: float
    #: Seconds of speech in it, where VAD looked for it, else of all; 0 when ``is_cut``.
    duration_after_vad: float
    segments: List[Segment]
    #: What was lost on the way, a sentence each.
    warnings: List[str]
    #: Whether it was stopped: the end of the recording is missing.
    is_cut: bool

    def format(self, format: str, **options: Unpack[OutputOptions]) -> str:
        """The transcript as txt, vtt, srt, tsv, json, lrc or csv.

        Args:
            format: one of these.
            options: see :class:`whisper_s4y.options.OutputOptions`.
        """
        library = _native.library()
        name = _native.text_bytes(format, "format")
        made = _options.make(_options.Kind.OUTPUT, options)
        return _native.interruptible(
            lambda: library.text_of(library.transcript_format, self._made(), name, made)
        )

    def write(
        self, path: Union[str, "os.PathLike[str]"], format: str, **options: Unpack[OutputOptions]
    ) -> None:
        """The same to a file, which appears when it is complete."""
        library = _native.library()
        name, target = _native.text_bytes(format, "format"), _native.path_bytes(path)
        made = _options.make(_options.Kind.OUTPUT, options)
        _native.interruptible(
            lambda: library.check(library.transcript_write(self._made(), name, made, target))
        )

    def _made(self) -> _native.Handle:
        """The library's own form of what the fields hold now."""
        library = _native.library()
        text = json.dumps(_without_nan(asdict(self))).encode()
        return _native.make(library.transcript_create, library.transcript_destroy, text)


def _without_nan(value: Any) -> Any:
    """The same with None for numbers that JSON has no word for."""
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}  # pyright: ignore
    if isinstance(value, list):
        return [_without_nan(item) for item in value]  # pyright: ignore
    return None if isinstance(value, float) and not math.isfinite(value) else value


class TranscriptStream:
    """A transcription that is taken segment by segment, in a loop or in an ``async for``.

    A thread of the library's transcribes from the first segment on that is asked for, and is never
    more than some segments ahead. Dropping the stream, or :meth:`close`, stops it.
    """

    def __init__(
        self,
        transcriber: "Transcriber",
        handle: _native.Handle,
        keep: Any,
        with_words: bool,
        on_close: Optional[Callable[[], None]] = None,
    ) -> None:
        self._transcriber = transcriber
        self._keep = keep  # what the library reads from
        self._with_words = with_words
        self._on_close = on_close
        self.handle = handle
        self._native = _native.Segment(struct_size=ctypes.sizeof(_native.Segment))
        self._state = ctypes.c_int()
        self._transcript: Optional[Transcript] = None
        self._is_over = False
        self._is_stopped = False
        self._early: Optional[Segment] = None  # came with start()
        self._using = threading.RLock()  # who uses the handle
        self._ending = threading.Lock()  # who stops or destroys it
        _native.close_at_exit(handle)

    def __reduce__(self) -> Tuple[Any, ...]:
        raise TypeError("A stream cannot be pickled; its transcript() can.")

    def __iter__(self) -> "TranscriptStream":
        return self

    def __next__(self) -> Segment:
        segment = self._next()
        if segment is None:
            raise StopIteration
        return segment

    def __aiter__(self) -> "TranscriptStream":
        return self

    async def __anext__(self) -> Segment:
        try:
            segment = await in_thread(self._next, self.stop)
        except BaseException:
            self.close()  # also when the task was cancelled: its transcriber is free
            raise
        if segment is None:
            raise StopAsyncIteration
        return segment

    def start(self) -> None:
        """Transcribes from now on, before a segment is asked for: several streams then go on side by
        side."""
        if self._early is None:
            self._early = self._next(0)

    def _next(self, wait_ms: Optional[int] = None) -> Optional[Segment]:
        """The next segment; None at the end, or when there is none within ``wait_ms``."""
        library = _native.library()
        try:
            while True:
                with self._using:
                    early, self._early = self._early, None
                    if early is not None or self._is_over:
                        return early
                    status = library.stream_next(
                        self.handle,
                        _WAIT_MS if wait_ms is None else wait_ms,
                        ctypes.byref(self._native),
                        ctypes.byref(self._state),
                    )
                    self._tell_warnings()
                    library.check(status)
                    if self._state.value == _SEGMENT:
                        return _segment(self._native, self._with_words)
                    if self._state.value == _END:
                        self._finish()
                        return None
                if wait_ms is not None:
                    return None
        except BaseException:
            self.close()
            raise

    def _tell_warnings(self) -> None:
        library = _native.library()
        while True:
            message = library.text_of(library.stream_warning, self.handle)
            if not message:
                return
            if not self._is_stopped:  # what that leaves out who stopped it knows
                log.warning("%s", message)

    def _finish(self) -> None:
        library = _native.library()
        handle = _native.make(library.stream_transcript, library.transcript_destroy, self.handle)
        self._transcript = _transcript(handle, self._with_words)
        self.close()

    def languages(self) -> List[Tuple[str, float]]:
        """Waits for the languages: code and probability, likeliest first; of a language that was
        given that one alone. Empty when there is no speech."""
        library = _native.library()
        try:
            while True:
                with self._using:
                    text = library.text_of(library.stream_languages, self.handle, _WAIT_MS)
                if text:
                    return _languages(text)
        except BaseException:
            self.close()
            raise

    @property
    def progress(self) -> Tuple[float, float]:
        """Seconds of the recording that are done, and in all: 0 when that is not known."""
        library = _native.library()
        done, total = ctypes.c_double(), ctypes.c_double()
        with self._using:
            library.check(
                library.stream_progress(self.handle, ctypes.byref(done), ctypes.byref(total))
            )
        return done.value, total.value

    def transcript(self) -> Transcript:
        """Waits for the end, and gives all of it, segments that were taken before included."""
        while self._transcript is None:
            if self._next() is None and self._transcript is None:
                raise ValueError("The stream was closed before its end: there is no transcript.")
        return self._transcript

    def stop(self) -> None:
        """Stops soon: what there is by then is the transcript. From any thread."""
        self._is_stopped = True
        with self._ending:
            if not self._is_over:
                _native.library().stream_stop(self.handle)

    def close(self) -> None:
        """Stops, and frees what the stream has. From any thread."""
        if self.handle.is_forked:
            return  # another process has its thread, and maybe its locks
        self.stop()  # so that who waits for a segment goes on
        with self._using, self._ending:
            if self._is_over:
                return
            self._is_over = True
            self.handle.close()
            self._keep = None
        if self._on_close is not None:
            self._on_close()

    def __del__(self) -> None:
        if hasattr(self, "_ending"):  # it was made to the end
            self.close()


def _languages(text: str) -> List[Tuple[str, float]]:
    return [(code, probability) for code, probability in json.loads(text)]


def _transcript(handle: _native.Handle, with_words: bool) -> Transcript:
    library = _native.library()
    info = library.json_of(library.transcript_info, handle)
    native = _native.Segment(struct_size=ctypes.sizeof(_native.Segment))
    segments: List[Segment] = []
    for index in range(library.transcript_segments(handle)):
        library.check(library.transcript_segment(handle, index, ctypes.byref(native)))
        segments.append(_segment(native, with_words))
    return Transcript(
        text=library.transcript_text(handle).decode(),
        language=info["language"],
        language_probability=info["language_probability"],
        duration=info["duration"],
        duration_after_vad=info["duration_after_vad"],
        segments=segments,
        warnings=info["warnings"],
        is_cut=info["is_cut"],
    )


class Transcriber:
    """Transcribes recordings with a model, one at a time; for several at a time make several of one
    :class:`Model`, which share its weights. One that is at work refuses more.

    Args:
        model: a :class:`Model`, or the path of a file.
        threads: of one run; 0: as the model has it.
    """

    def __init__(self, model: Union[Model, str, "os.PathLike[str]"], threads: int = 0) -> None:
        library = _native.library()
        self.model = model if isinstance(model, Model) else Model(model)
        self._threads = threads
        self._at_work = threading.Lock()
        self._stream: Optional["weakref.ref[TranscriptStream]"] = None
        # Those that hear with it.
        self._lives: "weakref.WeakSet[LiveTranscriber]" = weakref.WeakSet()
        self.handle = _native.make(
            library.transcriber_open,
            library.transcriber_destroy,
            self.model.handle,
            _native.whole_number(threads, "number of threads"),
        )

    def __reduce__(self) -> Tuple[Any, ...]:
        return Transcriber, (self.model, self._threads)

    def close(self) -> None:
        """Ends the stream and the live transcribers that are open, and frees its tensors."""
        stream = self._stream() if self._stream is not None else None
        if stream is not None:
            stream.close()
        for live in list(self._lives):
            live.close()
        with self._working():
            self.handle.close()

    @contextlib.contextmanager
    def _working(self) -> Generator[None, None, None]:
        """While the library uses it.

        Raises:
            InvalidArgumentError: it does already.
        """
        self._begin()
        try:
            yield
        finally:
            self._at_work.release()

    def _begin(self) -> None:
        if not self._at_work.acquire(blocking=False):
            raise InvalidArgumentError(
                "The transcriber is at work: one transcribes one recording at a time. Take its "
                "stream to the end or close it first, or make another Transcriber of the same "
                "Model."
            )

    def stream(
        self,
        audio: AudioSource,
        *,
        audio_options: Optional["AudioOptions"] = None,
        **options: Unpack[TranscribeOptions],
    ) -> TranscriptStream:
        """Transcribes while the segments are taken::

            for segment in transcriber.stream("talk.mp3", language="en"):
                print(segment.text)

        Args:
            audio: a path; the bytes of a file or a file open in binary mode; or samples, float32
                [n] at 16 kHz in [-1, 1], which are used where they lie.
            audio_options: how to read a file.
            options: see :class:`whisper_s4y.options.TranscribeOptions`.

        Raises:
            InvalidArgumentError: an option is impossible, or does not fit the model.
            FileAccessError: the file cannot be read.
            InvalidFileError: it holds no sound that can be decoded.
        """
        return self._stream_of(audio, audio_options, options, None)

    def _stream_of(
        self,
        audio: AudioSource,
        audio_options: Optional["AudioOptions"],
        options: Mapping[str, Any],
        on_close: Optional[Callable[[], None]],
    ) -> TranscriptStream:
        """The same, with what is called when the stream is closed."""
        library = _native.library()
        made = _options.make(_options.Kind.TRANSCRIBE, options)
        sound = _options.make(_options.Kind.AUDIO, audio_options or {})
        keep: Any = None
        if is_samples(audio):
            keep = samples = as_samples(audio)
            call = (library.stream_samples, samples.ctypes.data, samples.size, made)
        elif isinstance(audio, (str, os.PathLike)):
            call = (library.stream_file, _native.path_bytes(audio), sound, made)
        else:
            keep = data = file_bytes(audio)
            call = (library.stream_memory, data, len(data), sound, made)
        self._begin()
        try:
            handle = _native.interruptible(
                lambda: _native.make(
                    call[0], library.stream_destroy, self.handle, *call[1:], owner=self.handle
                )
            )
        except BaseException:
            self._at_work.release()
            raise

        def over() -> None:
            self._at_work.release()
            if on_close is not None:
                on_close()

        with_words = bool(options.get("word_timestamps", False))
        stream = TranscriptStream(self, handle, keep, with_words, over)
        self._stream = weakref.ref(stream)
        return stream

    def transcribe(
        self,
        audio: AudioSource,
        *,
        on_segment: Optional[Callable[[Segment], None]] = None,
        on_progress: Optional[Callable[[float, float], None]] = None,
        audio_options: Optional["AudioOptions"] = None,
        **options: Unpack[TranscribeOptions],
    ) -> Transcript:
        """Transcribes a recording. Ctrl-C stops it at once.

        Args:
            audio: see :meth:`stream`.
            on_segment: is given each segment as soon as it is final; in this thread.
            on_progress: seconds done and in all, with each segment.
            audio_options: how to read a file.
            options: see :class:`whisper_s4y.options.TranscribeOptions`.

        Raises:
            Error: see :meth:`stream`.
        """
        stream = self.stream(audio, audio_options=audio_options, **options)
        try:
            for segment in stream:
                if on_segment is not None:
                    on_segment(segment)
                if on_progress is not None:
                    on_progress(*stream.progress)
            return stream.transcript()
        finally:
            stream.close()

    async def transcribe_async(
        self,
        audio: AudioSource,
        *,
        audio_options: Optional["AudioOptions"] = None,
        **options: Unpack[TranscribeOptions],
    ) -> Transcript:
        """The same in an event loop, which goes on meanwhile. Cancelling the task stops it."""
        stream = self.stream(audio, audio_options=audio_options, **options)
        try:
            async for _ in stream:
                pass
            return stream.transcript()
        finally:
            stream.close()

    def detect_language(
        self, audio: npt.NDArray[Any], **options: Unpack[TranscribeOptions]
    ) -> List[Tuple[str, float]]:
        """Code and probability of the languages, likeliest first, in the first windows with speech.

        Args:
            audio: samples [n] at 16 kHz.
            options: ``languages`` and those that begin with ``language_detection`` count.

        Raises:
            UnsupportedError: the model is English only.
        """
        library = _native.library()
        samples = as_samples(audio)
        made = _options.make(_options.Kind.TRANSCRIBE, options)
        call = _native.Call(on_warning=warn)

        def detect() -> List[Tuple[str, float]]:
            with self._working():
                return _languages(
                    library.text_of(
                        library.find_languages,
                        self.handle,
                        samples.ctypes.data,
                        samples.size,
                        made,
                        ctypes.byref(call.struct),
                    )
                )

        return call.run(detect)

    def live(self, **options: Unpack[LiveOptions]) -> "LiveTranscriber":
        """Speech to text while it is spoken: see :class:`whisper_s4y.LiveTranscriber`. The
        transcriber must not be used otherwise meanwhile."""
        from .live import LiveTranscriber

        return LiveTranscriber(self, **options)
