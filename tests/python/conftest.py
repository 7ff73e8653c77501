"""What the tests of the Python package share."""

from __future__ import annotations

import fcntl
import os
import pathlib
import subprocess
import sys
from typing import List, Optional

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
if not os.environ.get("WHISPER_S4Y_INSTALLED"):  # the wheel's tests use what is installed
    sys.path.insert(0, str(ROOT / "python"))

import whisper_s4y  # noqa: E402

SHARED = pathlib.Path(os.environ.get("WHISPER_S4Y_SHARED_DIR", ROOT.parent / "shared"))


def checkpoint(name: str) -> pathlib.Path:
    """A genuine checkpoint; the test skips without."""
    folder = pathlib.Path(os.environ.get("WHISPER_S4Y_CHECKPOINTS", ROOT / "build" / "checkpoints"))
    if not (folder / name).is_dir():
        pytest.skip(f"there is no checkpoint {name} (scripts/test makes it with ../shared)")
    formats = sorted((folder / name).iterdir())
    for wanted in ("safetensors", "hf"):
        for one in formats:
            if one.name.startswith(wanted):
                return one
    return formats[0]


def converted(name: str, folder: pathlib.Path) -> str:
    """A checkpoint with int8 weights, made once of this library for all tests of a build."""
    shared = os.environ.get("WHISPER_S4Y_TEST_MODELS")
    if not shared:
        return whisper_s4y.convert(checkpoint(name), folder / f"{name}.tflite", quantize="int8")
    status = os.stat(whisper_s4y._native.library().path)
    folder = pathlib.Path(shared)
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{name}-{status.st_size}-{status.st_mtime_ns}.tflite"
    with open(folder / f".{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            for older in folder.glob(f"{name}-*.tflite"):
                older.unlink()
            whisper_s4y.convert(checkpoint(name), target, quantize="int8")
    return str(target)


@pytest.fixture(scope="session")
def tiny_en(tmp_path_factory: pytest.TempPathFactory) -> str:
    """tiny.en with int8 weights."""
    return converted("tiny.en", tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> str:
    """base, which knows languages, with int8 weights."""
    return converted("base", tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="session")
def tiny_model(tiny_en: str) -> whisper_s4y.Model:
    return whisper_s4y.Model(tiny_en)


@pytest.fixture(scope="session")
def jfk() -> str:
    """11 s of speech."""
    return str(ROOT / "examples" / "jfk.flac")


@pytest.fixture(scope="session")
def jfk_samples(jfk: str) -> np.ndarray:
    return whisper_s4y.load_audio(jfk)


def speech_files() -> List[pathlib.Path]:
    """The recordings of ../shared; none without it."""
    return sorted((SHARED / "speech").glob("*.*a*"))


def built_wheel() -> Optional[pathlib.Path]:
    """The wheel of ``make wheel``, unless sources have changed since."""
    wheels = sorted((ROOT / "build" / "wheel").glob("whisper_s4y-*.whl"))
    changed = max(path.stat().st_mtime for path in (ROOT / "python").rglob("*.py"))
    return wheels[-1] if wheels and wheels[-1].stat().st_mtime > changed else None


ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def run_python(code: str, **keywords) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", code],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=300,
        **keywords,
    )
