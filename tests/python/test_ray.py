"""Many recordings on many machines: manifests, results, and a cluster that loses a machine."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys
import time
from typing import Any, Dict, Iterator, List

import pytest

ray = pytest.importorskip("ray", reason="Ray is not installed here")

import pyarrow.parquet  # noqa: E402

from conftest import ENVIRONMENT  # noqa: E402
from whisper_s4y.ray import (  # noqa: E402
    ClusterError,
    ManifestError,
    Progress,
    Recording,
    ResultsError,
    Worker,
    read_manifest,
    transcribe,
)
from whisper_s4y.ray.__main__ import main  # noqa: E402
from whisper_s4y.ray.manifest import look_at  # noqa: E402
from whisper_s4y.ray.pipeline import _count, check_options  # noqa: E402
from whisper_s4y.ray.results import Results  # noqa: E402


def rows_of(out: pathlib.Path) -> List[Dict[str, Any]]:
    return pyarrow.parquet.read_table(out / "transcripts.parquet").to_pylist()


# Manifests


@pytest.mark.parametrize(
    "name, text",
    [
        ("list.txt", "a/x.mp3\n\nb/x.mp3\r\n"),
        ("list.csv", "seconds,path\n1,a/x.mp3\n2,b/x.mp3\n"),
        ("list.tsv", "file\tlang\na/x.mp3\t\nb/x.mp3\t\n"),
        ("list.jsonl", '{"audio": "a/x.mp3"}\n{"audio": "b/x.mp3"}\n'),
    ],
)
def test_a_manifest_is_text_csv_tsv_or_json(tmp_path: pathlib.Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    recordings, _ = read_manifest(tmp_path / name)
    assert [one.path for one in recordings] == [f"{tmp_path}/a/x.mp3", f"{tmp_path}/b/x.mp3"]
    assert len({Results("out").subtitle_path(one, "srt") for one in recordings}) == 2


def test_a_manifest_is_parquet(tmp_path: pathlib.Path) -> None:
    table = pyarrow.table({"path": ["x.mp3", "file:///b/y.mp3"], "language": ["de", None]})
    pyarrow.parquet.write_table(table, tmp_path / "list.parquet")
    (one, other), _ = read_manifest(tmp_path / "list.parquet")
    assert (one.path, one.language) == (f"{tmp_path}/x.mp3", "de")
    assert (other.path, other.language) == ("file:///b/y.mp3", "")


def test_a_folder_is_a_manifest_of_its_sound(tmp_path: pathlib.Path) -> None:
    (tmp_path / "a=1").mkdir()
    (tmp_path / "a=1" / "x %20?.MP3").write_bytes(b"123")
    (tmp_path / "notes.txt").touch()
    for place in (str(tmp_path), f"file://{tmp_path}"):
        ((one,), _) = read_manifest(place)
        assert one.path.endswith(f"{tmp_path}/a=1/x %20?.MP3")
        assert one.size == 3 and look_at(one.path) == (3, one.modified)


def test_one_that_is_named_again_is_one(tmp_path: pathlib.Path) -> None:
    (tmp_path / "list.txt").write_text("x.mp3\n./x.mp3\na/../x.mp3\n")
    recordings, duplicates = read_manifest(tmp_path / "list.txt")
    assert (len(recordings), duplicates) == (1, 2)


def test_names_need_not_be_text(tmp_path: pathlib.Path) -> None:
    (tmp_path / "list.txt").write_bytes(b"\xff \xc3\xa4'\"%*.wav\n")
    ((one,), _) = read_manifest(tmp_path / "list.txt")
    assert os.fsencode(one.path) == os.fsencode(tmp_path) + b"/\xff \xc3\xa4'\"%*.wav"
    name = Results(tmp_path).subtitle_path(one, "srt").name
    assert name == f"_xff_ä____-{one.id}.srt" or name.endswith(f"-{one.id}.srt")
    long = Recording("/" + "ä" * 120 + ".wav")
    assert len(os.fsencode(Results(tmp_path).subtitle_path(long, "srt").name)) < 200


@pytest.mark.parametrize(
    "name, text, expected",
    [
        ("list.txt", "\n", "names no recordings"),
        ("list.csv", "path\n", "names no recordings"),
        ("list.csv", "name\nx.mp3\n", "no column path"),
        ("list.csv", 'path\n""\n', "'' for a path"),
        ("list.jsonl", "x.mp3\n", "Line 1 of .* is not JSON"),
        ("list.jsonl", "[1]\n", "Line 1 of .* is no object"),
        ("list.parquet", "PAR0", "is damaged"),
        ("list.csv", "path,lang\nx.mp3,de\nx.mp3,en\n", "two languages: de and en"),
    ],
)
def test_what_is_wrong_with_a_manifest(
    tmp_path: pathlib.Path, name: str, text: str, expected: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ManifestError, match=expected):
        read_manifest(tmp_path / name)
    with pytest.raises(ManifestError, match="cannot be read"):
        read_manifest(tmp_path / "none.txt")
    with pytest.raises(ManifestError, match="names no place|cannot be listed"):
        read_manifest("nowhere://bucket/")


# The folder of results, without Ray


class Folder:
    """A folder of results whose worker is called as Ray would."""

    def __init__(self, out: pathlib.Path, model: str, run: str = "") -> None:
        self.results = Results(out)
        self.model = model
        self.run = run

    def worker(self, **changes: Any) -> Worker:
        import whisper_s4y

        keywords: Dict[str, Any] = dict(
            model=self.model,
            model_hash=check_options(self.model, {})[1],
            version=whisper_s4y.__version__,
            out=str(self.results.folder),
            run=self.run,
            options={},
            formats=["srt", "json"],
            threads=1,
        )
        return Worker(**{**keywords, **changes})

    def do(self, path: str, worker: Any = None) -> Dict[str, Any]:
        batch = {"path": [os.fsencode(path)], "language": [""]}
        found = (worker or self.worker())(batch)
        return {key: value[0] for key, value in found.items()}


@pytest.fixture
def folder(tmp_path: pathlib.Path, tiny_en: str) -> Iterator[Folder]:
    one = Folder(tmp_path / "out", tiny_en)
    with one.results.owned() as run:
        one.run = run
        yield one


def test_a_finished_recording_has_subtitles_and_a_row(folder: Folder, jfk: str) -> None:
    assert folder.do(jfk)["status"] == "done"
    recording = Recording(jfk)
    assert folder.results.collect([recording]) == 1
    (row,) = rows_of(folder.results.folder)
    assert "ask not what your country" in row["text"].lower()
    assert (row["status"], row["error"], row["attempts"]) == ("done", "", 1)
    assert row["duration"] == pytest.approx(11.0, abs=0.1)
    assert row["segments"][0]["end"] > row["segments"][0]["start"]
    assert "-->" in folder.results.subtitle_path(recording, "srt").read_text()
    assert json.loads(folder.results.subtitle_path(recording, "json").read_text())["text"]
    assert not list(folder.results.folder.glob("*/**/.*")) and not list(
        (folder.results.folder / "attempts").iterdir()
    )


def test_what_a_run_has_finished_it_does_not_again(folder: Folder, jfk: str) -> None:
    worker = folder.worker()
    first = folder.do(jfk, worker)
    row = folder.results.row_path(Recording(jfk).id)
    written = row.stat().st_mtime_ns
    assert folder.do(jfk, worker) == first
    assert row.stat().st_mtime_ns == written


def test_a_bad_file_is_a_row_with_its_error(folder: Folder, tmp_path: pathlib.Path) -> None:
    (tmp_path / "text.wav").write_text("no sound")
    os.mkfifo(tmp_path / "pipe.wav")
    worker = folder.worker()
    for name, expected in [
        ("text.wav", "not an audio"),
        ("none.wav", "No such file"),
        ("pipe.wav", "is no file"),
        (".", "is no file"),
    ]:
        row = folder.do(str(tmp_path / name), worker)
        assert row["status"] == "failed" and expected in row["error"]
    assert "nowhere" in folder.do("nowhere://x/y.wav", worker)["error"]
    assert folder.do(f"file://{tmp_path}/none.wav", worker)["status"] == "failed"


def test_a_recording_of_a_bucket_is_fetched(folder: Folder, jfk: str) -> None:
    assert folder.do(f"file://{jfk}")["status"] == "done"


def test_who_kills_three_workers_is_taken_for_the_cause(folder: Folder, jfk: str) -> None:
    for _ in range(3):
        folder.results.begin(Recording(jfk).id)
    found = folder.do(jfk)
    assert found["status"] == "failed" and "3 workers have died" in found["error"]
    assert folder.do(jfk)["status"] == "failed"


def test_a_worker_of_a_run_that_is_over_commits_nothing(folder: Folder, jfk: str) -> None:
    worker = folder.worker()
    (folder.results.folder / ".run").write_text("another")
    with pytest.raises(RuntimeError, match="another run's"):
        folder.do(jfk, worker)
    assert not folder.results.row_path(Recording(jfk).id).exists()


def test_a_machine_that_cannot_work_says_why(folder: Folder, jfk: str) -> None:
    for changes, expected in [
        ({"run": "another"}, "does not see the folder of results"),
        ({"model": "/nowhere.tflite"}, "/nowhere.tflite"),
        ({"model_hash": "0"}, "another model"),
        ({"version": "0.1"}, "the driver 0.1"),
    ]:
        found = folder.do(jfk, folder.worker(**changes))
        assert found["status"] == "unusable" and expected in found["error"]


def test_such_a_machine_ends_the_run() -> None:
    batch = {"id": ["0"], "status": ["unusable"], "error": ["b2 cannot work: …"], "duration": [0]}
    with pytest.raises(ClusterError, match="The machine b2 cannot work"):
        _count(batch, Progress(total=1), {})


def test_a_folder_is_of_one_driver(folder: Folder, tmp_path: pathlib.Path) -> None:
    with pytest.raises(ResultsError, match=f"Another run works in .*process {os.getpid()}"):
        with Results(folder.results.folder).owned():
            pass
    (tmp_path / "file").touch()
    with pytest.raises(ResultsError, match="cannot be written to"):
        with Results(tmp_path / "file" / "out").owned():
            pass


def test_a_new_run_sweeps_up(tmp_path: pathlib.Path) -> None:
    results = Results(tmp_path)
    (tmp_path / "recordings" / "3f").mkdir(parents=True)
    half = tmp_path / "recordings" / "3f" / ".x.unfinished"
    half.touch()
    assert [results.begin("3f"), results.begin("3f")] == [1, 2]
    with results.owned():
        assert not half.exists() and results.begin("3f") == 1


def test_a_folder_is_of_one_recipe(folder: Folder) -> None:
    folder.results.hold_to({"model": "tiny", "options": {}})
    folder.results.hold_to({"model": "tiny", "options": {}})
    with pytest.raises(ResultsError, match="model was tiny, now base"):
        folder.results.hold_to({"model": "base", "options": {}})


def test_the_command_line_refuses(
    tmp_path: pathlib.Path, tiny_en: str, jfk: str, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = tmp_path / "list.txt"
    listed.write_text(f"{jfk}\n")
    out = ["--out", str(tmp_path / "out"), "--model", tiny_en]
    assert main([str(tmp_path / "none.txt"), *out]) == 2
    assert "cannot be read" in capsys.readouterr().err
    assert main([str(listed), *out, "--option", "beam_sise=5"]) == 2
    assert "beam_sise" in capsys.readouterr().err
    assert main([str(listed), *out, "--language", "klingon"]) == 2
    assert main([str(listed), *out[:3], "/nowhere.tflite"]) == 1
    assert main([str(listed), *out, "--format", "none", "--format", "srt"]) == 2
    assert main([str(listed), "--out", "/proc/out", "--model", tiny_en]) == 1
    assert "cannot be written to" in capsys.readouterr().err
    with pytest.raises(SystemExit) as raised:
        main([str(listed), *out, "--workers", "0"])
    assert raised.value.code == 2
    with pytest.raises(SystemExit) as raised:
        main(["--help"])
    assert raised.value.code == 0 and "examples:" in capsys.readouterr().out
    assert not (tmp_path / "out").exists()


# On a cluster


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two machines of one core each. All their processes end with it."""
    from ray.cluster_utils import Cluster

    memory = 80 << 20
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", ENVIRONMENT["PYTHONPATH"])
        patch.setenv("RAY_BACKEND_LOG_LEVEL", "fatal")
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        # Ray's workers are nice, 15, and get nothing on a machine that is busy with other tests.
        patch.setenv("RAY_worker_niceness", "0")
        one = Cluster(
            initialize_head=True,
            head_node_args={
                "num_cpus": 1,
                "object_store_memory": memory,
                "include_dashboard": False,
            },
        )
        try:
            one.second = one.add_node(num_cpus=1, object_store_memory=memory)
            yield one
        finally:
            ray.shutdown()
            one.shutdown()


def test_on_cluster_the_command_line_goes_on_where_it_was_killed(
    cluster: Any, tmp_path: pathlib.Path, tiny_en: str, jfk: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    listed = tmp_path / "list.txt"
    for number in range(6):
        shutil.copy(jfk, tmp_path / f"{number}.flac")
    listed.write_text("".join(f"{number}.flac\n" for number in range(6)))
    command = [sys.executable, "-m", "whisper_s4y.ray", str(listed), "--out", str(out)]
    command += ["--model", tiny_en, "--address", cluster.address]
    driver = subprocess.Popen(command, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 200
    while not list(out.glob("recordings/??/*.parquet")):
        if driver.poll() is not None or time.monotonic() > until:
            driver.kill()
            pytest.fail(f"nothing was transcribed: {driver.communicate()[1]}")
        time.sleep(0.02)
    assert main([*command[3:], "--quiet"]) == 1
    assert "Another run works in" in capsys.readouterr().err
    driver.kill()
    driver.communicate()
    finished = {path: path.stat().st_mtime_ns for path in out.glob("recordings/??/*.parquet")}
    again = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=200)
    assert again.returncode == 0, again.stderr
    assert len(rows_of(out)) == 6 and all(row["status"] == "done" for row in rows_of(out))
    assert {path: path.stat().st_mtime_ns for path in finished} == finished


def test_on_cluster_a_machine_is_lost_and_no_recording(
    cluster: Any, tmp_path: pathlib.Path, tiny_en: str, jfk: str
) -> None:
    out = tmp_path / "out"
    folder = tmp_path / "sound"
    folder.mkdir()
    names = [f"{number:02} ä=&.flac" for number in range(9)] + ["again/00 ä=&.flac"]
    (folder / "again").mkdir()
    for name in names:
        shutil.copy(jfk, folder / name)
    (folder / "bad.wav").write_text("no sound")
    listed = tmp_path / "list.txt"
    listed.write_text("".join(f"sound/{name}\n" for name in [*names, "bad.wav", names[0]]))

    killed: Dict[str, Any] = {}

    def kill_second_machine_midway(progress: Progress) -> None:
        if killed or progress.done < 2:
            return
        second = f"{cluster.second.node_id[:8]}"
        rows = [
            pyarrow.parquet.read_table(path.open("rb")).to_pylist()[0]
            for path in (out / "recordings").glob("??/*.parquet")
        ]
        if not any(row["node"].endswith(second) for row in rows):
            return  # it has not begun
        until = time.monotonic() + 5
        while len(list((out / "attempts").iterdir())) < 2 and time.monotonic() < until:
            time.sleep(0.01)
        cluster.remove_node(cluster.second, allow_graceful=False)
        time.sleep(0.5)
        killed["finished"] = {
            path: path.stat().st_mtime_ns for path in (out / "recordings").glob("??/*.parquet")
        }
        killed["second"] = second

    keywords: Dict[str, Any] = {"model": tiny_en, "address": cluster.address}
    summary = transcribe(listed, out, **keywords, on_progress=kill_second_machine_midway)
    assert killed, "the second machine has finished nothing before the first was through"
    assert (summary.recordings, summary.duplicates) == (11, 1)
    assert (summary.done, summary.failed, summary.kept) == (10, 1, 0)
    rows = rows_of(out)
    assert [row["path"] for row in rows] == [str(folder / name) for name in [*names, "bad.wav"]]
    assert [row["status"] for row in rows] == ["done"] * 10 + ["failed"]
    assert len({row["text"] for row in rows[:10]}) == 1
    # What was finished was not done again, and one recording at most was begun twice.
    assert {path: path.stat().st_mtime_ns for path in killed["finished"]} == killed["finished"]
    assert sum(row["attempts"] for row in rows) <= len(rows) + 1
    assert len({row["node"] for row in rows}) == 2
    assert len(list((out / "subtitles").glob("??/*.srt"))) == 10
    assert not list((out / "attempts").iterdir())

    # The same again has nothing to do; a changed recording has.
    again = transcribe(listed, out, **keywords)
    assert (again.done, again.kept, again.failed) == (0, 11, 1)
    os.utime(folder / names[3], ns=(1, 1))
    (folder / names[4]).unlink()
    shutil.copy(jfk, folder / "bad.wav")
    changed = transcribe(listed, out, **keywords)
    assert (changed.done, changed.kept, changed.failed) == (2, 9, 0)
