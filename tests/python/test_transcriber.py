"""Transcriber and TranscriptStream."""

from __future__ import annotations

import asyncio
import concurrent.futures
import copy
import dataclasses
import io
import json
import math
import multiprocessing
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


def test_a_transcript_is_plain_data(transcriber: Transcriber, jfk: str) -> None:
    transcript = transcriber.transcribe(jfk, word_timestamps=True)
    for one in (
        pickle.loads(pickle.dumps(transcript)),
        copy.copy(transcript),
        copy.deepcopy(transcript),
        dataclasses.replace(transcript),
    ):
        assert one == transcript
        for format in ("txt", "srt", "vtt", "tsv", "json", "lrc", "csv"):
            assert one.format(format) == transcript.format(format)
    fields = dataclasses.asdict(transcript)
    assert fields["segments"][0]["words"][0]["word"] == transcript.segments[0].words[0].word
    found = json.loads(transcript.format("json"))
    assert found["segments"] == [
        {key: value for key, value in segment.items() if key != "channel"}
        for segment in fields["segments"]
    ]


def test_a_changed_transcript_is_written_as_it_is(
    transcriber: Transcriber, jfk: str, tmp_path: pathlib.Path
) -> None:
    transcript = transcriber.transcribe(jfk)
    transcript.segments[0].text = " Something else"
    transcript.segments[0].avg_logprob = math.nan
    transcript.write(tmp_path / "talk.srt", "srt")
    assert "Something else" in (tmp_path / "talk.srt").read_text()
    assert json.loads(transcript.format("json"))["segments"][0]["avg_logprob"] is None
    transcript.segments[0].tokens = [2**40]
    with pytest.raises(ValueError, match="32-bit"):
        transcript.format("json")


def _text(path: str, model: str) -> whisper_s4y.Transcript:
    return Transcriber(model).transcribe(path)


def test_a_process_pool_gives_transcripts(transcriber: Transcriber, tiny_en: str, jfk: str) -> None:
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, context) as pool:
        assert pool.submit(_text, jfk, tiny_en).result() == transcriber.transcribe(jfk)


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


@pytest.mark.parametrize("what", ["live", "stream", "transcribe"])
def test_a_cancelled_task_leaves_its_transcriber_free(
    what: str, tiny_model: Model, jfk_samples: np.ndarray
) -> None:
    transcriber = Transcriber(tiny_model)
    sound = np.tile(jfk_samples, 20)

    async def work() -> None:
        if what == "live":
            async for _ in transcriber.live().listen_async([sound] * 20):
                pass
        elif what == "stream":
            async for _ in transcriber.stream(sound):
                pass
        else:
            await transcriber.transcribe_async(sound)

    async def main() -> None:
        for wait in (0, 0.001, 0.2):
            task = asyncio.ensure_future(work())
            await asyncio.sleep(wait)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert transcriber.transcribe(jfk_samples[:32000], temperatures=[0]) is not None

    asyncio.run(asyncio.wait_for(main(), 60))


def test_the_loop_goes_on_while_a_microphone_lets_wait(tiny_model: Model) -> None:
    ticks = []

    def microphone():
        for _ in range(5):
            time.sleep(0.1)
            yield np.zeros(1600, np.float32)

    async def tick() -> None:
        while True:
            ticks.append(time.perf_counter())
            await asyncio.sleep(0.01)

    async def main() -> None:
        ticking = asyncio.ensure_future(tick())
        async for _ in Transcriber(tiny_model).live().listen_async(microphone()):
            pass
        ticking.cancel()

    asyncio.run(main())
    assert len(ticks) > 20, "the event loop stood still"


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers_are_refused(transcriber: Transcriber, bad: float) -> None:
    sound = np.zeros(16000, np.float32)
    sound[7] = bad
    for use in (
        transcriber.transcribe,
        transcriber.stream,
        transcriber.detect_language,
        lambda samples: transcriber.live().push(samples),
        whisper_s4y.speech_timestamps,
        transcriber.model.encode,
    ):
        with pytest.raises(ValueError, match="finite numbers; the one at 7"):
            use(sound)
    assert whisper_s4y.audio.as_samples(np.full(2, 3e38, np.float32)).size == 2


def test_files_where_samples_are_needed_are_refused(transcriber: Transcriber, jfk: str) -> None:
    for use in (transcriber.detect_language, whisper_s4y.speech_timestamps, transcriber.model.encode):
        for file in (jfk, pathlib.Path(jfk), b"RIFF"):
            with pytest.raises(ValueError, match="load_audio"):
                use(file)


def test_samples_in_the_other_order_of_bytes(jfk_samples: np.ndarray) -> None:
    numbers = (jfk_samples * 32768).astype(np.int16)
    expected = whisper_s4y.audio.as_samples(numbers)
    np.testing.assert_array_equal(whisper_s4y.audio.as_samples(numbers.astype(">i2")), expected)
    np.testing.assert_array_equal(
        whisper_s4y.audio.as_samples(jfk_samples.astype(">f4")), jfk_samples
    )


def test_lists_may_be_texts_with_commas(transcriber: Transcriber, jfk: str) -> None:
    """As openai/whisper and the program take them."""
    expected = transcriber.transcribe(jfk, clip_timestamps=[0, 5], suppress_tokens=[-1])
    found = transcriber.transcribe(jfk, clip_timestamps="0,5", suppress_tokens="-1")
    assert found == expected
    assert found.segments[-1].end <= 5


@pytest.mark.parametrize(
    "options, says",
    [
        (dict(temperatures=[math.nan]), "temperatures=nan"),
        (dict(no_speech_threshold=-math.inf), "no_speech_threshold=-inf"),
        (dict(initial_prompt="\ud800"), "initial_prompt holds half of a surrogate"),
        (dict(initial_prompt="a\0b"), "initial_prompt holds a NUL"),
        (dict(language=object()), "language=<object"),
    ],
)
def test_values_that_no_option_has(
    transcriber: Transcriber, jfk: str, options: dict, says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        transcriber.transcribe(jfk, **options)


@pytest.mark.parametrize(
    "call, says",
    [
        (lambda t, m: t.format("a\0"), "format holds a NUL"),
        (lambda t, m: t.format(None), "format is a text"),
        (lambda t, m: m.tokenize("a\0b"), "text holds a NUL"),
        (lambda t, m: m.tokenize("\ud800"), "surrogate"),
        (lambda t, m: whisper_s4y.normalize("a\0b"), "text holds a NUL"),
        (lambda t, m: whisper_s4y.word_errors("a", "a\0b"), "hypothesis holds a NUL"),
        (lambda t, m: whisper_s4y.word_errors(None, "a"), "reference is a text"),
        (lambda t, m: whisper_s4y.pull("a\0b", "x"), "name holds a NUL"),
        (lambda t, m: whisper_s4y.pull(None, "x"), "name is a text"),
        (lambda t, m: whisper_s4y.export("x", "y", None), "format is a text"),
        (lambda t, m: Transcriber(m, "2"), "threads is a whole number"),
        (lambda t, m: m.session(1.5), "threads is a whole number"),
    ],
)
def test_what_the_library_does_not_take_is_refused_in_a_sentence(
    transcriber: Transcriber, jfk: str, call, says: str
) -> None:
    transcript = whisper_s4y.Transcript("", "en", 1.0, 0.0, 0.0, [], [], False)
    with pytest.raises(whisper_s4y.InvalidArgumentError, match=says):
        call(transcript, transcriber.model)


def test_pickling_is_by_path(transcriber: Transcriber, jfk: str, tiny_en: str) -> None:
    again = pickle.loads(pickle.dumps(transcriber))
    assert again.model.path == tiny_en
    assert again.transcribe(jfk).segments == transcriber.transcribe(jfk).segments
    with pytest.raises(TypeError, match="memory"):
        pickle.dumps(Model(pathlib.Path(tiny_en).read_bytes()))


def test_what_works_with_a_model_is_not_pickled(tiny_model: Model, jfk: str) -> None:
    for one in (
        tiny_model.session(),
        tiny_model.signature("step"),
        Transcriber(tiny_model).stream(jfk),
        Transcriber(tiny_model).live(),
        whisper_s4y.Decoder(tiny_model, np.zeros((1, 1500, 384), np.float32)),
    ):
        with pytest.raises(TypeError, match=r"^A .* cannot be pickled; .*\.$"):
            pickle.dumps(one)


@pytest.mark.parametrize("kind", [Model, Transcriber])
def test_what_is_no_path_is_refused_in_a_sentence(kind: type) -> None:
    with pytest.raises(whisper_s4y.InvalidArgumentError, match="not None"):
        kind(None)


def test_a_closed_live_transcriber_says_so(tiny_model: Model) -> None:
    live = Transcriber(tiny_model).live()
    live.close()
    with pytest.raises(ValueError, match=r"^The live transcriber is closed\.$"):
        live.push(np.zeros(1600, np.float32))


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
