"""What faster-whisper's users type: its names, keywords and defaults, and the calls of its public
tests (v1.2.1: tests/test_transcribe.py, tests/test_utils.py) on our recordings."""

from __future__ import annotations

import dataclasses
import gc
import inspect
import io
import json
import multiprocessing
import os
import pathlib
import pickle
import re
import shutil
import threading
import wave

import numpy as np
import pytest

import whisper_s4y
from conftest import ROOT, SHARED, checkpoint
from whisper_s4y import BatchedInferencePipeline, WhisperModel, decode_audio
from whisper_s4y import faster_whisper as ours

REFERENCE = json.loads(
    (pathlib.Path(__file__).parent / "faster_whisper_1.2.1.json").read_text(encoding="utf-8")
)
COUNTRY = "ask what you can do for your country"


@pytest.fixture(scope="module")
def model(base: str) -> WhisperModel:
    return WhisperModel(base)


@pytest.fixture(scope="module")
def pipeline(model: WhisperModel) -> BatchedInferencePipeline:
    return BatchedInferencePipeline(model=model)


@pytest.fixture(scope="module")
def long_speech() -> str:
    path = SHARED / "speech" / "OSR_us_000_0030_16k.wav"
    if not path.exists():
        pytest.skip("there is no ../shared/speech")
    return str(path)


# ---- The same names, keywords, defaults, fields ----


@pytest.mark.parametrize("name", REFERENCE["functions"])
def test_keywords_and_defaults_are_the_same(name: str) -> None:
    function = ours
    for part in name.split("."):
        function = getattr(function, part)
    if inspect.isclass(function):
        function = function.__init__
    found = [
        [one.name, one.kind.name, repr(one.default) if one.default is not one.empty else None]
        for one in inspect.signature(function).parameters.values()
    ]
    assert found == REFERENCE["functions"][name]


@pytest.mark.parametrize("name", REFERENCE["fields"])
def test_fields_are_the_same(name: str) -> None:
    fields = [field.name for field in dataclasses.fields(getattr(ours, name))]
    assert fields == REFERENCE["fields"][name]


def test_names_are_there() -> None:
    for name in REFERENCE["names"]:
        assert getattr(whisper_s4y, name) is getattr(ours, name)
    assert set(REFERENCE["models"]) <= set(whisper_s4y.available_models())


def test_modules_are_there() -> None:
    from whisper_s4y.faster_whisper.audio import decode_audio as audio_of_module
    from whisper_s4y.faster_whisper.transcribe import Segment, TranscriptionInfo
    from whisper_s4y.faster_whisper.utils import download_model
    from whisper_s4y.faster_whisper.vad import VadOptions, get_speech_timestamps

    assert audio_of_module is decode_audio
    assert (Segment, TranscriptionInfo) == (ours.Segment, ours.TranscriptionInfo)
    assert download_model is whisper_s4y.download_model
    assert (VadOptions, get_speech_timestamps) == (ours.VadOptions, ours.get_speech_timestamps)


def test_speech_is_collected_in_pieces() -> None:
    from whisper_s4y.faster_whisper.vad import collect_chunks

    audio = np.arange(100, dtype=np.float32)
    chunks = [{"start": 10, "end": 20}, {"start": 30, "end": 50}, {"start": 60, "end": 65}]
    (all_of_it,), (facts,) = collect_chunks(audio, chunks, sampling_rate=10)
    assert all_of_it.tolist() == [*range(10, 20), *range(30, 50), *range(60, 65)]
    assert facts == {"offset": 0.0, "duration": 3.5, "segments": chunks}
    sounds, facts = collect_chunks(audio, chunks, sampling_rate=10, max_duration=2.5)
    assert [sound.size for sound in sounds] == [10, 25]
    assert facts[1] == {"offset": 1.0, "duration": 2.5, "segments": chunks[1:]}
    (nothing,), (facts,) = collect_chunks(audio, [])
    assert nothing.size == 0 and facts["segments"] == []


def test_times_without_silence_are_those_of_the_recording() -> None:
    from whisper_s4y.faster_whisper.vad import SpeechTimestampsMap

    chunks = [{"start": 16000, "end": 32000}, {"start": 64000, "end": 80000}]
    times = SpeechTimestampsMap(chunks, 16000)
    assert times.get_original_time(0.5) == 1.5
    assert times.get_original_time(1.0) == 4.0  # what begins there is in the second chunk
    assert times.get_original_time(1.0, is_end=True) == 2.0
    assert times.get_original_time(1.5) == 4.5
    assert times.get_original_time(9.0) == 12.0
    assert times.get_original_time(0.25, chunk_index=1) == 3.25
    assert times.get_chunk_index(1.5) == 1


def test_features_are_padded_or_cut_and_ends_found() -> None:
    from whisper_s4y.faster_whisper.audio import pad_or_trim
    from whisper_s4y.faster_whisper.utils import get_end

    assert pad_or_trim(np.ones((80, 10))).sum() == 800
    assert pad_or_trim(np.ones((80, 10))).shape == (80, 3000)
    assert pad_or_trim(np.ones((80, 4000))).shape == (80, 3000)
    assert pad_or_trim(np.ones((5, 2)), 3, axis=0).shape == (3, 2)
    words = [{"end": 1.0}, {"end": 2.0}]
    assert get_end([{"words": words, "end": 3.0}, {"words": [], "end": 4.0}]) == 2.0
    assert get_end([{"words": [], "end": 4.0}]) == 4.0
    assert get_end([]) is None


def test_what_is_no_model_or_no_sound_is_refused(model: WhisperModel) -> None:
    with pytest.raises(ValueError, match="WhisperModel"):
        BatchedInferencePipeline(None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no sound"):
        model.detect_language(features=np.zeros((80, 0), np.float32))
    with pytest.raises(ValueError, match="language_detection_segments=0"):
        model.detect_language(np.zeros(16000, np.float32), language_detection_segments=0)


def test_both_transcribe_take_the_same_keywords() -> None:
    keywords = set(inspect.signature(WhisperModel.transcribe).parameters)
    batched = set(inspect.signature(BatchedInferencePipeline.transcribe).parameters)
    assert batched - {"batch_size"} == keywords


# ---- The calls of its tests ----


def test_supported_languages(tiny_en: str, model: WhisperModel) -> None:
    assert WhisperModel(tiny_en).supported_languages == ["en"]
    assert len(model.supported_languages) == 99


def test_transcribe(model: WhisperModel, pipeline: BatchedInferencePipeline, jfk: str) -> None:
    segments, info = model.transcribe(jfk, word_timestamps=True)
    assert info.all_language_probs is not None
    assert info.language == "en"
    assert info.language_probability > 0.9
    assert info.duration == 11
    top_lang, top_lang_score = info.all_language_probs[0]
    assert info.language == top_lang
    assert abs(info.language_probability - top_lang_score) < 1e-16
    segments = list(segments)
    assert COUNTRY in "".join(segment.text for segment in segments)
    for segment in segments:
        assert segment.text == "".join(word.word for word in segment.words)
        assert segment.start == segment.words[0].start
        assert segment.end == segment.words[-1].end
    result, info = pipeline.transcribe(jfk, word_timestamps=True, vad_filter=False)
    assert info.language == "en"
    assert info.language_probability > 0.7
    segments = list(result)
    assert len(segments) == 1
    assert COUNTRY in segments[0].text


def test_batched_transcribe(pipeline: BatchedInferencePipeline, long_speech: str) -> None:
    result, info = pipeline.transcribe(long_speech, batch_size=16, beam_size=1)
    assert info.language == "en"
    assert info.language_probability > 0.7
    assert 0 < info.duration_after_vad < info.duration
    segments = list(result)
    assert len(segments) > 1
    result, info = pipeline.transcribe(
        long_speech,
        batch_size=16,
        beam_size=1,
        without_timestamps=False,
        word_timestamps=True,
    )
    assert all(segment.words is not None for segment in result)


@pytest.mark.parametrize("is_batched", [False, True])
def test_duration_after_vad_is_what_the_vad_filter_leaves(
    model: WhisperModel, pipeline: BatchedInferencePipeline, jfk_samples: np.ndarray, is_batched: bool
) -> None:
    audio = np.concatenate([jfk_samples, np.zeros(80000, np.float32)])
    one = pipeline if is_batched else model
    segments, asked = one.transcribe(audio, vad_filter=True, beam_size=1)
    options = dataclasses.asdict(asked.vad_options)
    speech = whisper_s4y.speech_timestamps(audio, **options)
    expected = sum(part.end - part.start for part in speech) / 16000
    assert 0 < expected < asked.duration == 16
    assert asked.duration_after_vad == expected
    segments, known = one.transcribe(audio, vad_filter=True, beam_size=1)
    list(segments)
    assert vars(known)["_duration_after_vad"] == expected  # without a second look
    _, copied = one.transcribe(audio, vad_filter=True, beam_size=1)
    assert pickle.loads(pickle.dumps(copied)).duration_after_vad == expected


def test_empty_audio(model: WhisperModel, pipeline: BatchedInferencePipeline) -> None:
    audio = np.asarray([], dtype="float32")
    assert list(model.transcribe(audio)[0]) == []
    assert list(pipeline.transcribe(audio)[0]) == []
    model.detect_language(audio)


def test_prefix_with_timestamps(model: WhisperModel, jfk: str) -> None:
    segments, _ = model.transcribe(jfk, prefix="And so my fellow Americans")
    segments = list(segments)
    assert segments[0].text.startswith(" And so my fellow Americans")
    assert segments[0].start == 0
    assert 10 < segments[-1].end <= 11


def test_vad(model: WhisperModel, jfk: str) -> None:
    segments, info = model.transcribe(
        jfk,
        vad_filter=True,
        vad_parameters=dict(min_silence_duration_ms=500, speech_pad_ms=200),
    )
    segments = list(segments)
    assert COUNTRY in segments[-1].text
    assert 0 < segments[0].start < 1
    assert 10 < segments[-1].end < 11
    assert info.vad_options.min_silence_duration_ms == 500
    assert info.vad_options.speech_pad_ms == 200
    assert model.transcribe(jfk)[1].vad_options is None


def write_wav(path: pathlib.Path, samples: np.ndarray) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(samples.ndim if samples.ndim == 1 else samples.shape[1])
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes((samples * 32767).astype(np.int16).tobytes())


def test_stereo(model: WhisperModel, jfk: str, tmp_path: pathlib.Path) -> None:
    left = whisper_s4y.load_audio(jfk)
    both = np.stack([left, np.roll(left, 16000) * 0.5], axis=1)
    write_wav(tmp_path / "stereo.wav", both)
    write_wav(tmp_path / "mono.wav", left)
    for source in (str(tmp_path / "stereo.wav"), open(tmp_path / "stereo.wav", "rb")):
        found = decode_audio(source, split_stereo=True)
        np.testing.assert_allclose(np.stack(found, axis=1), both, atol=1e-4)
    mono = decode_audio(str(tmp_path / "mono.wav"), split_stereo=True)
    np.testing.assert_array_equal(mono[0], mono[1])
    np.testing.assert_array_equal(decode_audio(jfk), left)
    with pytest.raises(ValueError, match="16000"):
        decode_audio(jfk, sampling_rate=8000)
    with pytest.raises(OSError):
        decode_audio("/no/such/file", split_stereo=True)


def test_multilingual(model: WhisperModel, jfk_samples: np.ndarray) -> None:
    german = SHARED / "speech" / "leopard_test_de.wav"
    if not german.exists():
        pytest.skip("there is no ../shared/speech")
    audio = np.concatenate([jfk_samples, decode_audio(str(german))])
    segments, info = model.transcribe(
        audio, multilingual=True, without_timestamps=True, condition_on_previous_text=False
    )
    segments = list(segments)
    assert "country" in segments[0].text
    assert "Raum" in segments[-1].text


def test_hotwords(model: WhisperModel, pipeline: BatchedInferencePipeline, jfk: str) -> None:
    segments, info = model.transcribe(jfk, hotwords="ComfyUI")
    assert info.transcription_options.hotwords == "ComfyUI"
    assert list(segments)
    segments, info = pipeline.transcribe(jfk, hotwords="ComfyUI")
    assert info.transcription_options.hotwords == "ComfyUI"
    assert list(segments)


def test_monotonic_timestamps(
    model: WhisperModel, pipeline: BatchedInferencePipeline, long_speech: str
) -> None:
    for one in (model, pipeline):
        segments, info = one.transcribe(long_speech, word_timestamps=True, beam_size=1)
        segments = list(segments)
        for segment, following in zip(segments, segments[1:]):
            assert segment.start <= segment.end <= following.start
        for segment in segments:
            for word in segment.words:
                assert word.start <= word.end <= segment.end
        assert segments[-1].end <= info.duration


def test_clip_timestamps_segments(
    pipeline: BatchedInferencePipeline, jfk_samples: np.ndarray
) -> None:
    audio = np.concatenate([jfk_samples, jfk_samples])
    clips = [{"start": 0.0, "end": 11.0}, {"start": 11.0, "end": 22.0}]
    segments, info = pipeline.transcribe(audio, clip_timestamps=clips)
    segments = list(segments)
    assert len(segments) == 2
    for segment, clip in zip(segments, clips):
        assert segment.start == clip["start"]
        assert segment.end == clip["end"]
        assert COUNTRY in segment.text
    assert [segment.id for segment in segments] == [1, 2]


def test_clips_side_by_side_are_those_one_after_the_other(base: str, jfk_samples: np.ndarray) -> None:
    audio = np.concatenate([jfk_samples, np.zeros(16000, np.float32), jfk_samples, jfk_samples])
    clips = [dict(start=one, end=one + 11.0) for one in (0.0, 12.0, 23.0, 6.0, 90.0)]
    pipeline = BatchedInferencePipeline(WhisperModel(base, cpu_threads=2))

    def found(batch_size: int) -> list:
        segments, _ = pipeline.transcribe(
            audio,
            language="en",
            clip_timestamps=clips,
            batch_size=batch_size,
            beam_size=1,
            word_timestamps=True,
        )
        return list(segments)

    alone = found(1)
    assert [segment.id for segment in alone] == list(range(1, len(alone) + 1))
    assert {segment.start // 11 for segment in alone} == {0, 1, 2}
    assert found(8) == alone
    with pytest.raises(ValueError, match="batch_size"):
        found(0)
    iterator = pipeline.transcribe(audio, language="en", clip_timestamps=clips, beam_size=1)[0]
    next(iter(iterator))
    del iterator  # stops those at work
    gc.collect()
    assert found(2) == alone


def test_available_models() -> None:
    models = whisper_s4y.available_models()
    assert isinstance(models, list)
    assert "tiny" in models


# ---- What there is to it besides ----


def test_text_is_the_transcribers(model: WhisperModel, base: str, jfk: str) -> None:
    expected = whisper_s4y.Transcriber(base).transcribe(
        jfk, beam_size=5, language_detection_segments=1
    )
    for audio in (jfk, open(jfk, "rb"), io.BytesIO(pathlib.Path(jfk).read_bytes())):
        segments, _ = model.transcribe(audio)
        assert "".join(segment.text for segment in segments) == expected.text


def test_segments_come_while_they_are_asked_for(
    model: WhisperModel, jfk_samples: np.ndarray
) -> None:
    segments, info = model.transcribe(np.tile(jfk_samples, 60), beam_size=1, temperature=0)
    assert info.duration == 660
    first = next(iter(segments))
    assert first.id == 1
    del segments  # stops it


def test_several_threads_and_interleaved_iterators(model: WhisperModel, jfk: str) -> None:
    def text() -> str:
        return "".join(segment.text for segment in model.transcribe(jfk, beam_size=1)[0])

    expected = text()
    found = []
    threads = [threading.Thread(target=lambda: found.append(text())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 3
    one, other = (model.transcribe(jfk, beam_size=1)[0] for _ in range(2))
    pairs = list(zip(one, other))
    assert "".join(first.text for first, _ in pairs) == expected
    assert "".join(second.text for _, second in pairs) == expected


def test_as_many_compute_at_the_same_time_as_there_are_workers(base: str) -> None:
    """What is lent of a model for `cpu_threads` each is as much as there are workers."""
    model = WhisperModel(base, cpu_threads=1, num_workers=3)
    assert (model.threads, model.model.info["threads"]) == (1, 3)
    again = pickle.loads(pickle.dumps(model))
    assert (again.threads, again.model.info["threads"]) == (1, 3)
    cores = WhisperModel(base).threads
    assert cores >= 1
    shared = WhisperModel(base, num_workers=2)
    assert shared.threads == max(1, cores // 2)


def test_transcribers_are_used_again(model: WhisperModel, jfk: str) -> None:
    for _ in range(3):
        list(model.transcribe(jfk, beam_size=1)[0])
        model.transcribe(jfk, beam_size=1)  # dropped before it began
        gc.collect()
    assert 1 <= len(model._idle[model.threads]) <= 4


def test_detect_language(model: WhisperModel, jfk_samples: np.ndarray) -> None:
    language, probability, everything = model.detect_language(jfk_samples)
    assert language == "en"
    assert everything[0] == (language, probability)
    assert abs(sum(one for _, one in everything) - 1) < 1e-3
    features = model.feature_extractor(jfk_samples)
    assert features.shape == (80, 3000)
    assert model.detect_language(features=features)[:2] == (language, probability)
    assert model.detect_language(jfk_samples, vad_filter=True)[0] == "en"
    with pytest.raises(ValueError):
        model.detect_language()


def test_prompt_as_tokens(model: WhisperModel, jfk: str) -> None:
    text = "A speech about countries."
    tokens = model.model.tokenize(text)
    one = [segment.text for segment in model.transcribe(jfk, initial_prompt=text)[0]]
    other = [segment.text for segment in model.transcribe(jfk, initial_prompt=tokens)[0]]
    assert one == other


@pytest.mark.parametrize(
    "keywords, says",
    [
        (dict(chunk_length=20), "30 s"),
        (dict(length_penalty=0.5), "length_penalty"),
        (dict(beam_size=99), "beam"),
        (dict(initial_prompt=[50257, 50362]), "initial_prompt"),
        (dict(language="xx"), "xx"),
        (dict(temperature=np.array([-1.0, 0.0])), "temperatures"),
        (dict(task="sing"), "sing"),
        (dict(vad_filter=True, vad_parameters=dict(threshold=7)), "threshold"),
        (dict(vad_parameters=dict(thresold=0.5)), 'no option "thresold"; the nearest is threshold'),
        (dict(vad_parameters=3), "vad_parameters is a dict"),
        (dict(vad_parameters=dict(min_silence_at_max_speech_ms=98)), "min_silence_at_max_speech_ms"),
        (dict(clip_timestamps="x"), "clip_timestamps"),
        (dict(clip_timestamps=[None]), "clip_timestamps"),
        (dict(temperature="a"), "temperature"),
        (dict(temperature=None), "temperature"),
        (dict(temperature=float("nan")), "temperature: "),
        (dict(initial_prompt=3), "initial_prompt"),
        (dict(language=3), "language"),
        (dict(language="yue"), "does not know the language 'yue'"),
        (dict(suppress_tokens=[10**9]), "1000000000 is not one of the 51865"),
        (dict(suppress_tokens=[-2]), "suppress_tokens"),
        (dict(suppress_tokens=[1.5]), "suppress_tokens"),
        (dict(suppress_tokens=3), "suppress_tokens"),
    ],
)
def test_what_cannot_be_honoured_is_an_error(
    model: WhisperModel, pipeline: BatchedInferencePipeline, jfk: str, keywords: dict, says: str
) -> None:
    for one in (model, pipeline):
        with pytest.raises(whisper_s4y.Error, match=says) as found:
            one.transcribe(jfk, **keywords)  # at once, not when segments are asked for
        assert isinstance(found.value, ValueError)


@pytest.mark.parametrize("language", ["French", "FR", "fr"])
def test_the_language_is_told_as_its_code(
    model: WhisperModel, pipeline: BatchedInferencePipeline, jfk: str, language: str
) -> None:
    assert model.transcribe(jfk, language=language)[1].language == "fr"
    assert pipeline.transcribe(jfk, language=language)[1].language == "fr"
    clips = [dict(start=0.0, end=5.0)]
    assert pipeline.transcribe(jfk, language=language, clip_timestamps=clips)[1].language == "fr"


def test_a_model_for_english_transcribes_whatever_the_task(
    tiny_en: str, jfk: str, caplog: pytest.LogCaptureFixture
) -> None:
    model = WhisperModel(tiny_en)
    for one in (model, BatchedInferencePipeline(model)):
        segments, info = one.transcribe(jfk, task="translate", language="German")
        assert COUNTRY in "".join(segment.text for segment in segments)
        assert info.language == "en"
    assert "the language 'German' is 'en'" in caplog.text
    assert "the task 'translate' is 'transcribe'" in caplog.text
    caplog.clear()
    model.transcribe(jfk, language="English")
    assert not caplog.text
    with pytest.raises(ValueError, match="sing"):
        model.transcribe(jfk, task="sing")
    with pytest.raises(ValueError, match="1000000000 is not one of the 51864"):
        model.transcribe(jfk, suppress_tokens=[10**9])


def test_batch_sizes_are_numbers(pipeline: BatchedInferencePipeline, jfk: str) -> None:
    with pytest.raises(ValueError, match="batch size"):
        pipeline.transcribe(jfk, batch_size=None)


def test_all_compute_types_are_in_the_guide() -> None:
    from whisper_s4y.faster_whisper.keywords import QUANTIZATION

    guide = ROOT / "docs" / "python.md"
    if not guide.exists():
        pytest.skip("this is no checkout")
    (row,) = re.findall(r"^\| `compute_type` \| (.*) \|$", guide.read_text(encoding="utf-8"), re.M)
    assert set(re.findall(r"`(\w+)`", row)) == set(QUANTIZATION)


def test_no_internals_are_among_the_public_names(model: WhisperModel) -> None:
    reference = set(dir(whisper_s4y.Model)) | set(dir(whisper_s4y.Transcriber)) | set(dir(model))
    internals = {"info_of", "known_language", "open_stream", "prompt_text", "at_work", "lives"}
    assert not reference & (internals | {"own_signature"})
    assert "_on_close" not in inspect.signature(whisper_s4y.Transcriber.stream).parameters


@pytest.mark.parametrize(
    "keywords, says",
    [
        (dict(device="cuda"), "CPU"),
        (dict(device_index=1), "device_index"),
        (dict(compute_type="int16"), "int16"),
        (dict(compute_type="float32"), "other weights"),
        (dict(num_workers=0), "num_workers"),
        (dict(max_queued_batches=3), "max_queued_batches"),
        (dict(use_auth_token=False), "HF_TOKEN"),
        (dict(model_size_or_path=None), "not None"),
        (dict(model_size_or_path=3), "not 3"),
    ],
)
def test_what_a_model_cannot_be_is_an_error(base: str, keywords: dict, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        WhisperModel(**{"model_size_or_path": base, **keywords})


def test_a_file_may_be_opened_by_the_format_it_has(base: str) -> None:
    assert WhisperModel(base, compute_type="int8").model.path == base


def test_format_timestamp() -> None:
    assert whisper_s4y.format_timestamp(61.5) == "01:01.500"
    assert whisper_s4y.format_timestamp(3661.0015) == "01:01:01.002"
    assert whisper_s4y.format_timestamp(1, True, ",") == "00:00:01,000"


def test_get_speech_timestamps(jfk_samples: np.ndarray) -> None:
    (only,) = ours.get_speech_timestamps(jfk_samples)
    assert set(only) == {"start", "end"}
    assert len(ours.get_speech_timestamps(jfk_samples, min_silence_duration_ms=200)) > 1


# ---- The cache ----


@pytest.fixture()
def cache(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return tmp_path / "whisper-s4y" / "models"


def test_checkpoints_are_converted_once(cache: pathlib.Path, jfk: str) -> None:
    folder = checkpoint("tiny.en")
    model = WhisperModel(str(folder), compute_type="int8")
    (made,) = cache.glob("*.tflite")
    time = made.stat().st_mtime_ns
    again = WhisperModel(str(folder), compute_type="int8")
    assert made.stat().st_mtime_ns == time
    assert again.model.path == model.model.path == str(made)
    assert "country" in "".join(segment.text for segment in again.transcribe(jfk)[0])
    assert pickle.loads(pickle.dumps(again)).model.path == str(made)


def test_files_in_memory(cache: pathlib.Path) -> None:
    files = {
        path.name: io.BytesIO(path.read_bytes())
        for path in checkpoint("tiny.en").iterdir()
        if path.is_file()
    }
    model = WhisperModel("mine", compute_type="int8", files=files)
    assert model.model.name == "tiny.en" or model.model.config["d_model"] == 384
    assert [path.name.startswith("mine-") for path in cache.glob("*.tflite")] == [True]


def test_a_cache_that_cannot_be_written_to_is_named(cache: pathlib.Path) -> None:
    cache.parent.mkdir()
    cache.write_text("no folder")
    with pytest.raises(OSError, match=f"cannot be kept in {cache}: .* XDG_CACHE_HOME"):
        WhisperModel(str(checkpoint("tiny.en")), compute_type="int8")


def test_names_that_are_not_there(cache: pathlib.Path) -> None:
    with pytest.raises(ConnectionError, match="HF_HUB_OFFLINE"):
        WhisperModel("tiny")
    with pytest.raises(LookupError):
        WhisperModel("no such model")
    with pytest.raises(ValueError, match="expected one of"):
        whisper_s4y.download_model("no such model")


def test_names_come_from_the_cache_of_huggingface_hub(
    cache: pathlib.Path, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    model = tmp_path / "hub" / "models--openai--whisper-tiny.en"
    shutil.copytree(checkpoint("tiny.en"), model / "snapshots" / "abc")
    (model / "refs").mkdir()
    (model / "refs" / "main").write_text("abc")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    assert whisper_s4y.download_model("tiny.en") == str(model / "snapshots" / "abc")
    WhisperModel("tiny.en", compute_type="int8", local_files_only=True)
    assert len(list(cache.glob("tiny.en-int8-*.tflite"))) == 1


def _open_in_process(folder: str) -> str:
    return WhisperModel(folder, compute_type="int8").model.path


def test_two_processes_convert_once(cache: pathlib.Path) -> None:
    context = multiprocessing.get_context("spawn")
    with context.Pool(2) as pool:
        paths = pool.map(_open_in_process, [str(checkpoint("tiny.en"))] * 2)
    assert len(set(paths)) == 1
    assert [path.name for path in cache.glob("*.tflite")] == [os.path.basename(paths[0])]
