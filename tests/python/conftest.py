"""What the tests of the Python package share."""

from __future__ import annotations

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


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A folder for converted models."""
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="session")
def tiny_en(models: pathlib.Path) -> str:
    """tiny.en with int8 weights."""
    return whisper_s4y.convert(checkpoint("tiny.en"), models / "tiny.en.tflite", quantize="int8")


@pytest.fixture(scope="session")
def base(models: pathlib.Path) -> str:
    """base, which knows languages, with int8 weights."""
    return whisper_s4y.convert(checkpoint("base"), models / "base.tflite", quantize="int8")


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
