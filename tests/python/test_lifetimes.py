"""What was closed, collected or left open: nothing of it crashes, whatever the order."""

from __future__ import annotations

import gc
import itertools
from typing import Any, Callable, Dict

import numpy as np
import pytest

import whisper_s4y
from conftest import run_python
from whisper_s4y import LiveTranscriber, Model, Transcriber


def chain(tiny_en: str, sound: np.ndarray) -> Dict[str, Any]:
    """All objects that have something of the library's, each made from one before it."""
    model = Model(tiny_en)
    transcriber = Transcriber(model)
    hearing = Transcriber(model)
    session = model.session()
    return {
        "model": model,
        "transcriber": transcriber,
        "stream": transcriber.stream(sound, temperatures=[0]),
        "hearing": hearing,
        "live": hearing.live(),
        "session": session,
        "signature": session.signature("features"),
        "decoder": whisper_s4y.Decoder(model, np.zeros((1, 1500, 384), np.float32)),
    }


USES: Dict[str, Callable[[Any, np.ndarray], Any]] = {
    "stream": lambda one, sound: (next(one, None), one.progress, one.transcript()),
    "model": lambda one, sound: (one.tokenize("x"), one.session(), one.signature("step").run()),
    "transcriber": lambda one, sound: one.transcribe(sound[:1600]),
    "hearing": lambda one, sound: one.live(),
    "live": lambda one, sound: (one.push(sound[:16000]), one.finish()),
    "session": lambda one, sound: one.signature("features"),
    "signature": lambda one, sound: (one.run(), one(), one.outputs["logmel"].sum()),
    "decoder": lambda one, sound: one.step(1),
}
CLOSED = ("model", "transcriber", "stream", "hearing", "live", "session")


@pytest.mark.parametrize("closed", CLOSED)
def test_what_is_used_after_something_was_closed_works_or_says_so(
    closed: str, tiny_en: str, jfk_samples: np.ndarray
) -> None:
    objects = chain(tiny_en, jfk_samples)
    objects[closed].close()
    objects[closed].close()
    said = []
    for name, use in USES.items():
        try:
            use(objects[name], jfk_samples)
        except ValueError as error:
            said.append(name)
            assert "closed" in str(error), (name, error)
    assert closed in said
    for child in {"transcriber": ["stream"], "hearing": ["live"]}.get(closed, []):
        assert child in said, "it hears with what was closed"


def test_every_order_of_closing_is_good(tiny_en: str, jfk_samples: np.ndarray) -> None:
    for order in itertools.permutations(("model", "transcriber", "stream")):
        objects = chain(tiny_en, jfk_samples)
        for name in order:
            objects[name].close()
    for order in itertools.permutations(("hearing", "live", "model")):
        objects = chain(tiny_en, jfk_samples)
        for name in order:
            objects[name].close()


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_cycles_of_garbage_are_destroyed_in_a_good_order(
    order: tuple, tiny_en: str, jfk_samples: np.ndarray
) -> None:
    transcriber = Transcriber(tiny_en)
    parts = [transcriber, transcriber.stream(jfk_samples), transcriber.model]
    handles = [parts[index].handle for index in order]  # collected in this order, or any other
    cycle: list = [*handles, *parts]
    cycle.append(cycle)
    del transcriber, parts, handles, cycle
    gc.collect()


def test_a_handle_outlives_what_it_was_made_over() -> None:
    destroyed = []
    owner = whisper_s4y._native.Handle(1, destroyed.append)
    child = whisper_s4y._native.Handle(2, destroyed.append, owner)
    owner.close()
    assert destroyed == []
    assert owner.pointer is None
    child.close()
    child.close()
    assert destroyed == [2, 1]


FORKED = """
import os, sys
import numpy as np
import whisper_s4y
from whisper_s4y import Transcriber, WhisperModel
sound = np.tile(whisper_s4y.load_audio({jfk!r}), 20)
def stream():
    made = Transcriber({model!r}).stream(sound, temperatures=[0])
    next(made)
    return made
def used():
    model = WhisperModel({model!r})
    list(model.transcribe(sound[:160000])[0])
    return model
def live():
    made = Transcriber({model!r}).live()
    made.push(sound[:160000])
    return made
kept = {what}()
child = os.fork()
if not child:
    sys.exit(7)  # with all that Python and the library do at the end
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
"""


@pytest.mark.parametrize("what", ["stream", "used", "live"])
def test_a_forked_process_ends_as_it_should(what: str, tiny_en: str, jfk: str) -> None:
    if not hasattr(whisper_s4y._native.os, "waitstatus_to_exitcode"):
        pytest.skip("this Python tells no exit code")
    found = run_python(FORKED.format(jfk=jfk, model=tiny_en, what=what))
    assert (found.returncode, found.stderr) == (0, "")
