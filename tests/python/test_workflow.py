"""The workflow that converts a named model, run here step by step."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess

import pytest

import whisper_s4y
from conftest import ROOT, built_wheel, checkpoint
from test_package import program

yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
from github_actions import OWN, Runner  # noqa: E402

WORKFLOW = ".github/workflows/convert.yml"

if not (ROOT / WORKFLOW).exists():
    pytest.skip("this is no checkout", allow_module_level=True)


def runner(folder: pathlib.Path, installs: bool = False) -> "tuple[Runner, dict]":
    """A machine, and what its inputs must say of the package. What is installed is the wheel of
    `make wheel`; where that is not there, or nothing is to be installed, the program that was built
    is on the path."""
    wheel = built_wheel()
    if installs and wheel:
        return Runner(ROOT, folder, os.environ), {"package": str(wheel)}
    path = os.pathsep.join([str(pathlib.Path(program()).parent), os.environ["PATH"]])
    return Runner(ROOT, folder, {**os.environ, "PATH": path}, without=("Install",)), {}


def test_workflow_and_action_are_sound(tmp_path: pathlib.Path) -> None:
    found = shutil.which("actionlint") or str(ROOT / "build" / "tools" / "actionlint")
    if not os.path.exists(found):
        pytest.skip("actionlint is not installed (scripts/python-env makes it with Go)")
    done = subprocess.run([found, WORKFLOW], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    # actionlint looks into actions that are named by their path only.
    shutil.copytree(ROOT / ".github", tmp_path / ".github")
    workflow = tmp_path / WORKFLOW
    text = workflow.read_text().replace(f"{OWN}.github/actions/convert@main", "./.github/actions/convert")
    workflow.write_text(text)
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    done = subprocess.run([found], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    workflow.write_text(text.replace("hf-token:", "token:"))
    done = subprocess.run([found], cwd=tmp_path, capture_output=True, text=True)
    assert 'input "token" is not defined' in done.stdout


@pytest.mark.parametrize(
    "language, quantize, part, signatures",
    [
        ("", "int8", "bundle", 11),
        ("en", "none", "generator", 1),
        ("", "int8", "features-extractor", 1),
    ],
)
def test_convert_runs(
    language: str, quantize: str, part: str, signatures: int, tmp_path: pathlib.Path
) -> None:
    machine, package = runner(tmp_path, installs=part == "features-extractor")
    inputs = {"model": str(checkpoint("tiny.en")), "language": language, "quantize": quantize}
    outputs = machine.job(WORKFLOW, "convert", {**inputs, "part": part, **package})
    assert machine.ran[-2:] == ["Convert", "Verify"]
    ((name, (file,)),) = machine.uploaded.items()
    assert outputs == {"artefact": name}
    assert name == f"hf{'-en' if language else ''}-{part}-{quantize}"
    described = whisper_s4y.describe(file)
    assert len(described["signatures"]) == signatures
    assert (part == "generator") == (os.path.getsize(file) > 100e6)


def test_what_is_wrong_ends_the_job(tmp_path: pathlib.Path) -> None:
    machine, package = runner(tmp_path)
    inputs = {"model": str(tmp_path / "no-such"), **package}
    with pytest.raises(RuntimeError, match="Convert: .*no-such"):
        machine.job(WORKFLOW, "convert", inputs)
    assert "Verify" not in machine.ran
    assert not machine.uploaded


def test_inputs_are_those_of_the_action() -> None:
    parsed = yaml.safe_load((ROOT / WORKFLOW).read_text())
    action = yaml.safe_load((ROOT / ".github/actions/convert/action.yml").read_text())
    called = parsed[True]["workflow_call"]["inputs"]
    by_hand = parsed[True]["workflow_dispatch"]["inputs"]
    assert set(by_hand) == {"model", "language", "quantize", "part"}
    assert set(called) == set(by_hand) | {"package"}
    assert set(action["inputs"]) == set(called) | {"hf-token"}
    (step,) = parsed["jobs"]["convert"]["steps"]
    assert set(step["with"]) == set(action["inputs"])
    for one in (called, action["inputs"]):
        assert one["quantize"]["default"] == by_hand["quantize"]["default"]
        assert one["part"]["default"] == by_hand["part"]["default"]
