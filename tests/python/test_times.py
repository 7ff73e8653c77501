"""How long things take: importing, Ctrl-C, what Python adds. Run while nothing else runs."""

from __future__ import annotations

import threading
import time

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
import numpy as np
import whisper_s4y
sound = np.tile(whisper_s4y.load_audio({jfk!r}), 200)
model = whisper_s4y.Model({model!r})
whisper_s4y.Transcriber(model).transcribe(sound[:160000])  # all is packed
def interrupt():
    global sent
    sent = time.perf_counter()
    os.kill(os.getpid(), signal.SIGINT)
threading.Timer({after}, interrupt).start()
try:
    {call}
except KeyboardInterrupt:
    print(time.perf_counter() - sent)
"""


@pytest.mark.parametrize(
    "call",
    [
        "whisper_s4y.Transcriber(model).transcribe(sound)",
        "for segment in whisper_s4y.Transcriber(model).stream(sound): pass",
        "list(whisper_s4y.WhisperModel({model!r}).transcribe(sound)[0])",
        "whisper_s4y.Transcriber(model).live().push(sound)",
        "while True: model.signature('encode')()",
        "while True: whisper_s4y.convert({checkpoint!r}, '/dev/shm/x.tflite')",
    ],
)
def test_ctrl_c_is_heard_at_once(call: str, tiny_en: str, jfk: str) -> None:
    call = call.format(model=tiny_en, checkpoint=str(checkpoint("tiny.en")))
    times = []
    for after in (0.3, 0.7):
        code = INTERRUPTED.format(jfk=jfk, model=tiny_en, call=call, after=after)
        found = run_python(code)
        assert found.returncode == 0, found.stderr
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
