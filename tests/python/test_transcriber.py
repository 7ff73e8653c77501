"""Transcriber and TranscriptStream."""

from __future__ import annotations

import asyncio
import io
import pathlib
import pickle
import threading
import time

import numpy as np
import pytest

import whisper_s4y
from whisper_s4y import Model, Transcriber


@pytest.fixture(scope="module")
def transcriber(tiny_model: Model) -> Transcriber:
    return Transcriber(tiny_model)


def test_all_kinds_of_audio_give_the_same_text(
    transcriber: Transcriber, jfk: str, jfk_samples: np.ndarray
) -> None:
    expected = transcriber.transcribe(jfk)
    assert "country" in expected.text
    assert expected.duration == 11.0
    data = pathlib.Path(jfk).read_bytes()
    in_memory = (data, bytearray(data), memoryview(data), io.BytesIO(data))
    for audio in (pathlib.Path(jfk), *in_memory, jfk_samples):
        assert transcriber.transcribe(audio).segments == expected.segments
    with open(jfk, "rb") as file:
        assert transcriber.transcribe(file).segments == expected.segments


def test_int16_and_float64_are_samples_too(
    transcriber: Transcriber, jfk_samples: np.ndarray
) -> None:
    expected = transcriber.transcribe(jfk_samples).text
    assert transcriber.transcribe(jfk_samples.astype(np.float64)).text == expected
    assert transcriber.transcribe((jfk_samples * 32768).astype(np.int16)).text == expected


def test_samples_of_another_form_are_refused(transcriber: Transcriber) -> None:
    with pytest.raises(ValueError, match="one dimension"):
        transcriber.transcribe(np.zeros((2, 16000), np.float32))
    with pytest.raises(ValueError, match="int16"):
        transcriber.transcribe(np.zeros(16000, np.int32))
    with pytest.raises(ValueError, match="binary mode"):
        transcriber.transcribe(io.StringIO("text"))  # type: ignore[arg-type]


def test_options_are_checked_by_the_library(transcriber: Transcriber, jfk: str) -> None:
    with pytest.raises(whisper_s4y.InvalidArgumentError, match="beam_sise"):
        transcriber.transcribe(jfk, beam_sise=5)  # type: ignore[call-arg]
    with pytest.raises(whisper_s4y.Error, match="60"):
        transcriber.transcribe(jfk, beam_size=60)
    with pytest.raises(OSError, match="no/such"):
        transcriber.transcribe("/no/such/file.wav")
    for path in ("", "a\0b.wav"):
        with pytest.raises(ValueError, match="is no path"):
            transcriber.transcribe(path)


def test_words_are_there_when_asked_for(transcriber: Transcriber, jfk: str) -> None:
    segment = next(transcriber.stream(jfk, word_timestamps=True))
    assert segment.words is not None
    assert "".join(word.word for word in segment.words) == segment.text
    assert segment.start == segment.words[0].start
    assert next(transcriber.stream(jfk)).words is None


def test_stream_and_transcript_have_the_same_segments(transcriber: Transcriber, jfk: str) -> None:
    stream = transcriber.stream(jfk)
    assert stream.languages() == [("en", 1.0)]
    segments = list(stream)
    transcript = stream.transcript()
    assert transcript.segments == segments
    assert transcript.text == "".join(segment.text for segment in segments)
    assert "-->" in transcript.format("srt")
    assert list(stream) == []


def test_a_dropped_stream_stops(tiny_model: Model, jfk_samples: np.ndarray) -> None:
    transcriber = Transcriber(tiny_model)
    stream = transcriber.stream(np.tile(jfk_samples, 100), temperatures=[0])
    next(stream)
    del stream
    assert transcriber.transcribe(jfk_samples).text


def test_a_stopped_stream_is_cut(tiny_model: Model, jfk_samples: np.ndarray) -> None:
    stream = Transcriber(tiny_model).stream(np.tile(jfk_samples, 100), temperatures=[0])
    first = next(stream)
    stream.stop()
    transcript = stream.transcript()
    assert transcript.is_cut
    assert transcript.segments[0] == first


def test_one_that_is_at_work_refuses_more(tiny_model: Model, jfk_samples: np.ndarray) -> None:
    transcriber = Transcriber(tiny_model)
    sound = np.tile(jfk_samples, 100)
    stream = transcriber.stream(sound, temperatures=[0])
    next(stream)
    for more in (
        lambda: transcriber.stream(jfk_samples),
        lambda: transcriber.detect_language(jfk_samples),
        lambda: transcriber.live().push(jfk_samples),
    ):
        with pytest.raises(ValueError, match="at work"):
            more()
    stream.close()
    assert transcriber.transcribe(jfk_samples).text
    stream = transcriber.stream(sound, temperatures=[0])
    next(stream)
    transcriber.close()  # ends the stream first
    assert list(stream) == []
    with pytest.raises(ValueError, match="closed"):
        transcriber.transcribe(jfk_samples)


def test_a_stream_is_closed_from_another_thread(
    tiny_model: Model, jfk_samples: np.ndarray, caplog: pytest.LogCaptureFixture
) -> None:
    stream = Transcriber(tiny_model).stream(np.tile(jfk_samples, 100), temperatures=[0])
    next(stream)
    threading.Timer(0.1, stream.close).start()
    assert len(list(stream)) < 200
    assert not caplog.records  # who stops it need not be told what is missing


def test_streams_that_were_started_go_on_side_by_side(
    tiny_model: Model, jfk_samples: np.ndarray
) -> None:
    expected = Transcriber(tiny_model).transcribe(jfk_samples).segments
    streams = [Transcriber(tiny_model).stream(jfk_samples) for _ in range(2)]
    for stream in streams:
        stream.start()
        stream.start()
    for stream in streams:
        while stream.progress[0] < 11:  # which only goes on in one that was started
            time.sleep(0.01)
    assert [list(stream) for stream in streams] == [expected] * 2


def test_a_closed_stream_has_no_transcript(transcriber: Transcriber, jfk: str) -> None:
    stream = transcriber.stream(jfk)
    stream.close()
    with pytest.raises(ValueError, match="closed"):
        stream.transcript()


def test_async_for(transcriber: Transcriber, jfk: str) -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0.005)

    async def main() -> list:
        ticking = asyncio.ensure_future(tick())
        segments = [segment async for segment in transcriber.stream(jfk)]
        ticking.cancel()
        return segments

    assert asyncio.run(main()) == transcriber.transcribe(jfk).segments
    assert ticks > 3, "the event loop stood still"


def test_async_transcribe(tiny_model: Model, jfk: str) -> None:
    async def main() -> list:
        both = (Transcriber(tiny_model).transcribe_async(jfk) for _ in range(2))
        return await asyncio.gather(*both)

    one, other = asyncio.run(main())
    assert one.segments == other.segments


def test_a_cancelled_task_stops(tiny_model: Model, jfk_samples: np.ndarray) -> None:
    async def main() -> None:
        task = asyncio.ensure_future(
            Transcriber(tiny_model).transcribe_async(np.tile(jfk_samples, 100))
        )
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(asyncio.wait_for(main(), 10))


def test_a_cancelled_live_task_stops(tiny_model: Model, jfk_samples: np.ndarray) -> None:
    live = Transcriber(tiny_model).live()

    async def listen() -> None:
        async for _ in live.listen_async([np.tile(jfk_samples, 20)] * 20):
            pass

    async def main() -> None:
        task = asyncio.ensure_future(listen())
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        live.close()  # while the thread that heard ends

    asyncio.run(asyncio.wait_for(main(), 10))
    with pytest.raises(ValueError, match="closed"):
        live.push(jfk_samples)


def test_pickling_is_by_path(transcriber: Transcriber, jfk: str, tiny_en: str) -> None:
    again = pickle.loads(pickle.dumps(transcriber))
    assert again.model.path == tiny_en
    assert again.transcribe(jfk).segments == transcriber.transcribe(jfk).segments
    with pytest.raises(TypeError, match="memory"):
        pickle.dumps(Model(pathlib.Path(tiny_en).read_bytes()))


def test_detect_language(base: str, jfk_samples: np.ndarray, tiny_model: Model) -> None:
    languages = Transcriber(base).detect_language(jfk_samples)
    assert languages[0][0] == "en"
    assert languages[0][1] > 0.9
    assert len(languages) == 99
    with pytest.raises(whisper_s4y.Error):
        Transcriber(tiny_model).detect_language(jfk_samples)


def test_live(tiny_model: Model, jfk_samples: np.ndarray) -> None:
    live = Transcriber(tiny_model).live()
    chunks = np.array_split(jfk_samples, 11)
    texts = list(live.listen(chunks))
    assert texts[-1].is_final
    assert "country" in "".join(text.confirmed for text in texts if text.is_final)
    assert any(not text.is_final for text in texts)

    async def main() -> list:
        other = Transcriber(tiny_model).live()
        return [text async for text in other.listen_async(chunks)]

    assert asyncio.run(main()) == texts
