"""Speech to text while it is spoken."""

from __future__ import annotations

import ctypes
import os
import threading
from dataclasses import dataclass
from functools import partial
from typing import (
    TYPE_CHECKING,
    Any,
    AsyncIterable,
    AsyncIterator,
    Callable,
    Iterable,
    Iterator,
    List,
    Tuple,
    Union,
)

import numpy.typing as npt

from . import _native, _options
from ._asyncio import in_thread
from ._log import warn
from .audio import as_samples
from .model import Model
from .transcriber import Transcriber, Word, words_of

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .options import LiveOptions


@dataclass
class LiveText:
    """What is known of an utterance."""

    #: The beginning, which never changes again, only grows.
    confirmed: str
    #: What follows it so far.
    tentative: str
    #: Of the utterance, seconds from the beginning of the sound.
    start: float
    #: Of what was heard of it.
    end: float
    #: The utterance is over, and ``confirmed`` is all of it, if anything.
    is_final: bool
    #: Code of what is spoken, "en"; what it is taken for so far.
    language: str
    #: Of the last hypothesis; empty unless word timestamps are asked for.
    words: List[Word]

    @property
    def text(self) -> str:
        """All of it."""
        return self.confirmed + self.tentative


class LiveTranscriber:
    """Cuts sound into utterances by voice activity. While somebody speaks, the utterance so far is
    transcribed again and again; what two hypotheses begin with is confirmed.

        live = transcriber.live(transcribe={"language": "en"})
        for text in live.listen(chunks):  # arrays as they come from a microphone
            print(text.confirmed, text.tentative, end="\\n" if text.is_final else "\\r")

    Args:
        transcriber: or a model or its path, of which one is made. It must not be used otherwise
            meanwhile.
        options: see :class:`whisper_s4y.options.LiveOptions`.
    """

    def __init__(
        self,
        transcriber: Union[Transcriber, Model, str, "os.PathLike[str]"],
        **options: Unpack[LiveOptions],
    ) -> None:
        library = _native.library()
        if not isinstance(transcriber, Transcriber):
            transcriber = Transcriber(transcriber)
        self._transcriber = transcriber
        self._texts: List[LiveText] = []
        self._hearing = threading.Lock()  # who uses the handle
        self._call = _native.Call(on_warning=warn)
        self._on_text = _native.OnLiveText(self._hear)
        made = _options.make(_options.Kind.LIVE, options)
        self.handle = _native.make(
            library.live_open,
            library.live_destroy,
            transcriber.handle,
            made,
            self._on_text,
            ctypes.byref(self._call.struct),
            owner=transcriber.handle,
        )
        transcriber._lives.add(self)  # pyright: ignore[reportPrivateUsage]

    def __reduce__(self) -> Tuple[Any, ...]:
        raise TypeError(
            "A live transcriber cannot be pickled; pickle its transcriber, and make another one of it."
        )

    def _hear(self, _: Any, pointer: Any) -> None:
        native = pointer.contents
        words = words_of(_native.library().live_text_word, native, native.word_count)
        self._texts.append(
            LiveText(
                confirmed=native.confirmed.decode(),
                tentative=native.tentative.decode(),
                start=native.start,
                end=native.end,
                is_final=bool(native.is_final),
                language=native.language.decode(),
                words=words,
            )
        )

    def _take(self) -> List[LiveText]:
        texts, self._texts = self._texts, []
        return texts

    def push(self, samples: npt.NDArray[Any]) -> List[LiveText]:
        """Hears any number of samples, [n] at 16 kHz, and gives what they made known, in order.

        Transcribes what there is to transcribe before it returns. Ctrl-C ends it at once.
        """
        array = as_samples(samples)
        return self._hear_more(
            lambda library: library.live_push(self.handle, array.ctypes.data, array.size)
        )

    def finish(self) -> List[LiveText]:
        """The sound is over: ends the utterance."""
        return self._hear_more(lambda library: library.live_finish(self.handle))

    def _hear_more(self, hear: Callable[[_native.Library], int]) -> List[LiveText]:
        library = _native.library()

        def work() -> List[LiveText]:
            working = self._transcriber._working()  # pyright: ignore[reportPrivateUsage]
            with working, self._hearing:
                self._call.begin()
                library.check(hear(library))
                return self._take()

        return self._call.run(work)

    def listen(self, chunks: Iterable[npt.NDArray[Any]]) -> Iterator[LiveText]:
        """What is said in chunks of samples, while they come."""
        for chunk in chunks:
            yield from self.push(chunk)
        yield from self.finish()

    async def listen_async(
        self, chunks: Union[AsyncIterable[npt.NDArray[Any]], Iterable[npt.NDArray[Any]]]
    ) -> AsyncIterator[LiveText]:
        """The same in an event loop, which goes on meanwhile. Cancelling the task stops it."""
        async for chunk in _async_chunks(chunks):
            for text in await in_thread(partial(self.push, chunk), self._call.stop):
                yield text
        for text in await in_thread(self.finish, self._call.stop):
            yield text

    def close(self) -> None:
        """Stops, and frees what it has. From any thread."""
        self._call.stop()
        with self._hearing:
            self.handle.close()


async def _async_chunks(
    chunks: Union[AsyncIterable[npt.NDArray[Any]], Iterable[npt.NDArray[Any]]],
) -> AsyncIterator[npt.NDArray[Any]]:
    if isinstance(chunks, AsyncIterable):
        async for chunk in chunks:
            yield chunk
        return
    import asyncio  # here, for it takes long to load

    # In another thread: a microphone lets wait for its sound.
    loop, sound = asyncio.get_running_loop(), iter(chunks)
    while True:
        following: Any = await loop.run_in_executor(None, next, sound, None)
        if following is None:
            return
        yield following
