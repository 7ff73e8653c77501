"""The package as a whole: types, options, converting, the program's texts, README."""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import sys
import time

import numpy as np
import pytest

import whisper_s4y
from conftest import ENVIRONMENT, ROOT, checkpoint, run_python, speech_files
from whisper_s4y import _native, _options


def program() -> str:
    named = os.environ.get("WHISPER_S4Y_PROGRAM")
    found = pathlib.Path(named) if named else _native.program()
    if found is None or not found.exists():
        pytest.skip("there is no program whisper-s4y")
    return str(found)


# ---- Types and options ----


def test_types_are_complete() -> None:
    if not (ROOT / "pyproject.toml").exists():
        pytest.skip("this is no checkout")
    found = subprocess.run(
        [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, "-p", str(ROOT)],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    if "No module named pyright" in found.stderr:
        pytest.skip("pyright is not installed")
    assert found.returncode == 0, found.stdout


def test_the_types_of_options_are_the_librarys() -> None:
    if os.environ.get("WHISPER_S4Y_INSTALLED"):
        pytest.skip("it makes them of the sources")
    script = ROOT / "scripts" / "update-python-options"
    found = subprocess.run(
        [sys.executable, script, "--check"], capture_output=True, text=True, env=ENVIRONMENT
    )
    assert found.returncode == 0, found.stdout + found.stderr


def test_all_that_is_public_says_what_it_is() -> None:
    import inspect

    for name in dir(whisper_s4y):
        one = getattr(whisper_s4y, name)
        if name.startswith("_") or not callable(one):
            continue
        assert one.__doc__, name
        if inspect.isclass(one):
            for member, value in vars(one).items():
                if inspect.isfunction(value) and not member.startswith("_"):
                    assert value.__doc__, f"{name}.{member}"


def test_options_know_their_defaults() -> None:
    defaults = _options.defaults(_options.Kind.TRANSCRIBE)
    assert defaults["temperatures"] == [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    made = _options.make(_options.Kind.TRANSCRIBE, {"temperatures": np.array([0.5])})
    assert _options.as_dict(made) == {**defaults, "temperatures": [0.5]}
    with pytest.raises(ValueError, match="no_such"):
        _options.make(_options.Kind.VAD, {"no_such": 1})


def test_modules_that_the_guide_names_are_attributes() -> None:
    code = (
        "import sys, whisper_s4y as w; assert w.options.TranscribeOptions.__doc__;"
        "assert w.tflite.ServingModel and w.features_extractor.S4yFeaturesExtractor;"
        "assert w.assets and w.decoding.log_mel and w.faster_whisper.transcribe.WhisperModel;"
        "assert w.ray.transcribe and w.plot.waveform and w.whisper; print('matplotlib' in sys.modules)"
    )
    assert run_python(code, check=True).stdout == "False\n"
    with pytest.raises(AttributeError, match="no_such"):
        whisper_s4y.no_such


def test_version_is_that_of_the_library() -> None:
    header = ROOT / "include" / "whisper_s4y" / "version.h"
    if not header.exists():
        pytest.skip("this is no checkout")
    found = re.search(r'WHISPER_S4Y_VERSION "([^"]+)"', header.read_text())
    assert found and whisper_s4y.__version__ == found[1]


# ---- Converting ----


def test_convert_reports_and_stops(tmp_path: pathlib.Path) -> None:
    told = []
    path = whisper_s4y.convert(
        checkpoint("tiny.en"),
        tmp_path / "m.tflite",
        part="encoder",
        on_progress=lambda done, total: told.append((done, total)),
    )
    assert told[-1][0] == told[-1][1] > 0
    assert whisper_s4y.describe(path)["model"]["name"] == "tiny.en"

    class Enough(Exception):
        pass

    def stop(done: float, total: float) -> None:
        raise Enough

    with pytest.raises(Enough):
        whisper_s4y.convert(checkpoint("tiny.en"), tmp_path / "n.tflite", on_progress=stop)
    assert not (tmp_path / "n.tflite").exists()
    with pytest.raises(LookupError):
        whisper_s4y.convert("no such checkpoint", tmp_path / "n.tflite")
    with pytest.raises(ValueError, match="int5"):
        whisper_s4y.convert(checkpoint("tiny.en"), tmp_path / "n.tflite", quantize="int5")


def test_convert_refuses_a_folder_at_once(tmp_path: pathlib.Path) -> None:
    told = []
    with pytest.raises(OSError, match="it is a folder"):
        whisper_s4y.convert(checkpoint("tiny.en"), tmp_path, on_progress=lambda *one: told.append(one))
    assert not told
    assert not list(tmp_path.iterdir())


def test_convert_to_memory_and_export(tmp_path: pathlib.Path) -> None:
    data = whisper_s4y.convert_to_memory(checkpoint("tiny.en"), part="encoder", quantize="int8")
    assert whisper_s4y.Model(data).signatures.keys() == {"serving_default"}
    folder = whisper_s4y.export(checkpoint("tiny.en"), tmp_path / "ggml", "ggml")
    (file,) = pathlib.Path(folder).iterdir()
    assert whisper_s4y.describe(file)["format"] == "ggml"


def test_evaluation() -> None:
    assert whisper_s4y.normalize("Twenty colours!") == "20 colors"
    errors = whisper_s4y.word_errors("a b c", "a x c d")
    assert errors == (1, 0, 1, 3)
    assert errors.rate == pytest.approx(2 / 3)


# ---- The program's texts ----


def test_texts_are_the_programs(tiny_en: str, tmp_path: pathlib.Path) -> None:
    files = speech_files()[:6]
    if not files:
        pytest.skip("there is no ../shared/speech")
    transcriber = whisper_s4y.Transcriber(tiny_en)
    for file in files:
        found = subprocess.run(
            [program(), "transcribe", tiny_en, str(file), "-f", "json"],
            capture_output=True,
            text=True,
            check=True,
        )
        expected = json.loads(found.stdout)
        transcript = transcriber.transcribe(file)
        assert transcript.text == expected["text"], file
        assert json.loads(transcript.format("json")) == expected, file
        samples = whisper_s4y.load_audio(file)
        assert transcriber.transcribe(samples).text == expected["text"], file


def test_a_stream_that_is_left_open_does_not_hinder_the_end(tiny_en: str, jfk: str) -> None:
    code = f"""
import numpy as np, whisper_s4y
sound = np.tile(whisper_s4y.load_audio({jfk!r}), 200)
stream = whisper_s4y.Transcriber({tiny_en!r}).stream(sound, temperatures=[0])
print(next(stream).id)
"""
    begin = time.monotonic()
    found = run_python(code)
    assert (found.returncode, found.stdout, found.stderr) == (0, "0\n", "")
    assert time.monotonic() - begin < 20


# ---- README ----


def python_blocks(path: pathlib.Path) -> list:
    return re.findall(r"^```python\n(.*?)^```", path.read_text(encoding="utf-8"), re.M | re.S)


def test_the_readmes_example_works(
    tmp_path: pathlib.Path, jfk: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not (ROOT / "README.md").exists():
        pytest.skip("this is no checkout")
    (code,) = [block for block in python_blocks(ROOT / "README.md") if "whisper_s4y" in block]
    assert len([line for line in code.splitlines() if line.strip()]) <= 10
    # Its model and its recording are here: the name is found as huggingface_hub keeps it.
    hub = tmp_path / "hub" / "models--openai--whisper-tiny.en"
    (hub / "snapshots").mkdir(parents=True)
    (hub / "refs").mkdir()
    (hub / "refs" / "main").write_text("abc")
    (hub / "snapshots" / "abc").symlink_to(checkpoint("tiny.en"))
    (tmp_path / "talk.flac").symlink_to(jfk)
    environment = {
        **ENVIRONMENT,
        "HF_HUB_CACHE": str(tmp_path / "hub"),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "HF_HUB_OFFLINE": "1",
    }
    found = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, found.stderr
    assert "country" in found.stdout
