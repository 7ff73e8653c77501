"""How long things take: importing, Ctrl-C, what Python adds. Run while nothing else runs."""

from __future__ import annotations

import threading
import time
import wave

import numpy as np
import pytest

import whisper_s4y
from conftest import checkpoint, run_python


def test_importing_takes_no_time_and_loads_no_library() -> None:
    code = (
        "import sys, time, whisper_s4y; print(time.process_time());"
        "from whisper_s4y import _native; assert _native._library is None;"
        "assert not {'asyncio', 'matplotlib', 'ray'} & set(sys.modules)"
    )
    # Of the processor, so that it does not matter what else runs; with the interpreter's own start.
    times = [float(run_python(code, check=True).stdout) for _ in range(3)]
    assert min(times) < 0.3


INTERRUPTED = """
import os, signal, sys, threading, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
import numpy as np
import whisper_s4y
from whisper_s4y import Transcriber, WhisperModel, faster_whisper
jfk, wav, tflite, base, checkpoint = {names!r}
sound = np.tile(whisper_s4y.load_audio(jfk), 200)
words = [" ".join(map(str, np.random.default_rng(i).integers(0, 1000, 20000))) for i in (1, 2)]
model = whisper_s4y.Model(tflite)
transcript = Transcriber(model).transcribe(sound[:160000])  # all is packed
def interrupt():
    global sent
    sent = time.perf_counter()
    os.kill(os.getpid(), signal.SIGINT)
{before}
threading.Timer({after}, interrupt).start()
try:
    while True:
        {call}
except KeyboardInterrupt:
    print(time.perf_counter() - sent)
"""
CALLS = {
    # What transcribes.
    "Transcriber(model).transcribe(sound)": "",
    "for segment in Transcriber(model).stream(sound): pass": "",
    "list(WhisperModel(tflite).transcribe(sound)[0])": "",
    "Transcriber(model).live().push(sound)": "",
    # What looks for something in sound.
    "whisper_s4y.speech_timestamps(sound)": "",
    "transcriber.detect_language(sound, language_detection_segments=60, "
    "language_detection_threshold=1)": "transcriber = Transcriber(base)",
    "whisper.detect_language(sound, language_detection_segments=60, "
    "language_detection_threshold=1)": "whisper = WhisperModel(base)",
    # What reads files.
    "whisper_s4y.load_audio(wav)": "",
    "whisper_s4y.load_audio(data)": "data = open(wav, 'rb').read()",
    "faster_whisper.decode_audio(wav)": "",
    # They are kept: what is thrown while Python drops an object is lost, and dropping a model
    # takes a while.
    "kept.append(whisper_s4y.Model(tflite, use_cache=False))": "kept = []",
    "kept.append(Transcriber(whisper_s4y.Model(tflite, use_cache=False)))": "kept = []",
    "whisper_s4y.describe(checkpoint)": "",
    # What computes.
    "model.encode(sound[:480000])": "",
    "kept.append(whisper_s4y.Model(tflite, use_cache=False));"
    "kept[-1].encode(sound[:480000])": "kept = []",
    "model.signature('encode')()": "",
    "model.signature('step')()": "",
    "model.tokenize(words[0])": "",
    "whisper_s4y.normalize(words[0])": "",
    "whisper_s4y.word_errors(*words)": "",
    # What writes.
    "whisper_s4y.convert(checkpoint, '/dev/shm/x.tflite')": "",
    "whisper_s4y.convert_to_memory(checkpoint, quantize='int8')": "",
    "transcript.format('srt')": "",
    "transcript.write('/dev/shm/x.srt', 'srt')": "",
}


@pytest.fixture(scope="module")
def long_wav(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Half an hour in stereo, which takes a second to read."""
    path = str(tmp_path_factory.mktemp("sound") / "long.wav")
    with wave.open(path, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(44100)
        second = np.random.default_rng(1).integers(-900, 900, 88200).astype("<i2").tobytes()
        for _ in range(1800):
            file.writeframesraw(second)
    return path


@pytest.mark.parametrize("call", CALLS)
def test_ctrl_c_is_heard_at_once(call: str, tiny_en: str, base: str, jfk: str, long_wav: str) -> None:
    """Of every call that may take long, and never in a destructor, where it would be lost."""
    names = (jfk, long_wav, tiny_en, base, str(checkpoint("tiny.en")))
    times = []
    for after in (0.3, 0.7):
        code = INTERRUPTED.format(names=names, call=call, before=CALLS[call], after=after)
        found = run_python(code)
        assert (found.returncode, found.stderr) == (0, "")
        times.append(float(found.stdout))
    assert min(times) < 0.2, times


def test_the_interpreter_goes_on_meanwhile(tiny_model: whisper_s4y.Model, jfk_samples) -> None:
    over = threading.Event()

    def transcribe() -> None:
        whisper_s4y.Transcriber(tiny_model).transcribe(np.tile(jfk_samples, 4), temperatures=[0])
        over.set()

    thread = threading.Thread(target=transcribe)
    thread.start()
    longest, last = 0.0, time.perf_counter()
    while not over.is_set():
        time.sleep(0.001)
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
    thread.join()
    assert longest < 0.5, "the interpreter stood still"


def fastest(function, repeats: int = 5, count: int = 500) -> float:
    """Seconds of a call, of the fastest of some rounds."""
    best = float("inf")
    for _ in range(repeats):
        begin = time.perf_counter()
        for _ in range(count):
            function()
        best = min(best, (time.perf_counter() - begin) / count)
    return best


def test_a_step_costs_python_little(tiny_model: whisper_s4y.Model, monkeypatch) -> None:
    step = tiny_model.session().signature("step")
    out = step(token=1, position=0)
    caches = {name[4:]: one for name, one in out.items() if name != "logits"}
    step(token=1, position=1, **caches)
    # What it costs to cross to the library and back, and then all that Python does around it.
    library = whisper_s4y._native.library()
    crossing = fastest(lambda: library.options_destroy(None))
    monkeypatch.setattr(step, "_run", lambda *_: 0)
    around = fastest(lambda: step(token=1, position=1, **caches))
    assert crossing + around < 60e-6


def test_transcribing_costs_python_little(tiny_en: str, jfk_samples: np.ndarray) -> None:
    """Of the time of a transcription Python's own threads use hardly any."""
    transcriber = whisper_s4y.Transcriber(tiny_en)
    sound = np.tile(jfk_samples, 10)
    transcriber.transcribe(sound[:160000])
    begin, own = time.perf_counter(), time.thread_time()
    transcriber.transcribe(sound, word_timestamps=True, temperatures=[0])
    took, used = time.perf_counter() - begin, time.thread_time() - own
    assert used < 0.02 * took, (used, took)
