"""The notebooks, run from their first cell on, with the wheel of ``make wheel``."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys
import sysconfig
from typing import Any

import pytest

from conftest import ROOT, SHARED, built_wheel, checkpoint
from test_package import program

nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")
nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A kernel in an environment of its own, which sees the packages of this one; what notebooks
    install stays in it."""
    folder = tmp_path_factory.mktemp("kernel")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    (packages,) = (folder / "venv").glob("lib/python*/site-packages")
    (packages / "tests.pth").write_text(sysconfig.get_path("purelib") + "\n")
    python = str(folder / "venv" / "bin" / "python")
    specification = folder / "kernels" / "notebooks"
    specification.mkdir(parents=True)
    arguments = [python, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (specification / "kernel.json").write_text(
        json.dumps({"argv": arguments, "display_name": "notebooks", "language": "python"})
    )
    return str(folder)


@pytest.fixture()
def environment(
    kernel: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> "pathlib.Path | None":
    """What notebooks find: a checkpoint, some recordings, and the wheel if there is one."""
    monkeypatch.setenv("JUPYTER_PATH", kernel)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("WHISPER_S4Y_CHECKPOINT", str(checkpoint("tiny.en")))
    manifest = SHARED / "speech" / "manifest.tsv"
    if manifest.exists():
        rows = manifest.read_text().splitlines()
        chosen = [row for row in rows if "test-other_1688-142285-000" in row][:2]
        assert len(chosen) == 2
        for row in chosen:
            file = row.split("\t")[rows[0].split("\t").index("file")]
            (tmp_path / file).symlink_to(SHARED / "speech" / file)
        (tmp_path / "recordings.tsv").write_text("\n".join([rows[0], *chosen]) + "\n")
        monkeypatch.setenv("WHISPER_S4Y_RECORDINGS", str(tmp_path / "recordings.tsv"))
    wheel = built_wheel()
    monkeypatch.delenv("PYTHONPATH", raising=False)
    if not wheel:
        path = os.pathsep.join([str(pathlib.Path(program()).parent), os.environ["PATH"]])
        monkeypatch.setenv("PATH", path)
        monkeypatch.setenv("PYTHONPATH", str(ROOT / "python"))
        return None
    monkeypatch.delenv("WHISPER_S4Y_LIBRARY", raising=False)
    monkeypatch.setenv("WHISPER_S4Y_WHEEL", str(wheel))
    return wheel


def without_install(notebook: Any) -> None:
    """Leaves out the installation, which needs a wheel: the sources are used instead."""
    (cell,) = (cell for cell in notebook.cells if "%pip" in cell.source)
    cell.source = "import os"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(
    path: pathlib.Path, environment: "pathlib.Path | None", tmp_path: pathlib.Path
) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    if environment is None:
        without_install(notebook)
    folder = tmp_path / "notebooks"  # beside which the examples are, as in a checkout
    folder.mkdir()
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    nbclient.NotebookClient(
        notebook,
        timeout=600,
        startup_timeout=300,
        kernel_name="notebooks",
        resources={"metadata": {"path": str(folder)}},
    ).execute()
    shown = "\n".join(
        str(output.get("text", output.get("data", {}).get("text/plain", "")))
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
    )
    pictures = sum(
        "image/png" in output.get("data", {})
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
    )
    text = "what your country can do for you"
    if path.stem == "pipeline":
        assert shown.count(text) >= 3
        assert pictures == 4
    elif path.stem == "features_extractor":
        assert "serving_default" in shown
        assert pictures == 2
    elif path.stem == "quantization":
        assert all(name in shown for name in ("none", "fp16", "int8", "mixed", "int4"))
        assert pictures == 1
    else:
        assert path.stem == "fine_tune_to_phone"
        assert text in shown
        assert "logits" in shown and "signature align runs" in shown


def test_there_are_notebooks_without_outputs() -> None:
    if not (ROOT / "notebooks").exists():
        pytest.skip("this is no checkout")
    assert len(NOTEBOOKS) == 4
    for path in NOTEBOOKS:
        notebook = json.loads(path.read_text())
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code":
                assert cell["outputs"] == [] and cell["execution_count"] is None, path
        assert any("%pip install" in "".join(cell["source"]) for cell in notebook["cells"])
