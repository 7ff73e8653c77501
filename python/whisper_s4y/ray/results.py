"""The folder of results: what is finished, and how it comes to be.

    out/recipe.json               model and options: the same for all that lies here
    out/recordings/3f/3f….parquet a finished recording, a row; it appears after all else of it
    out/subtitles/3f/talk-3f….srt in each format that was asked for
    out/attempts/3f…              while it is worked at: a byte for each worker that began
    out/transcripts.parquet       all rows of the manifest, when a run ends
    out/.lock, out/.run           whose folder it is

Files are written beside their place, stored on the disk and renamed. One driver at a time has the
folder, by a lock of the system, which dies with it. Workers hold themselves to its number in
``.run``: those that a dead driver left behind commit nothing any more.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pathlib
import re
import socket
import tempfile
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Dict, Generator, Iterable, Mapping, Optional, Sequence

from ._packages import load
from .manifest import Recording

DONE, FAILED = "done", "failed"
_READS_AT_A_TIME = 16
_ROWS_AT_A_TIME = 1000
_FACTS = "status error duration seconds source_size source_modified asked_language run".split()


class ResultsError(OSError):
    """The folder of results cannot be used: it is another run's, of other options, or read-only."""


def schema() -> Any:
    """Of the rows (pyarrow.Schema)."""
    pa = load("pyarrow")
    word = pa.struct(
        [
            ("start", pa.float64()),
            ("end", pa.float64()),
            ("word", pa.string()),
            ("probability", pa.float64()),
        ]
    )
    segment = pa.struct(
        [
            ("start", pa.float64()),
            ("end", pa.float64()),
            ("text", pa.string()),
            ("language", pa.string()),
            ("channel", pa.string()),
            ("avg_logprob", pa.float64()),
            ("no_speech_prob", pa.float64()),
            ("compression_ratio", pa.float64()),
            ("temperature", pa.float64()),
            ("words", pa.list_(word)),
        ]
    )
    return pa.schema(
        [
            ("id", pa.string()),
            ("path", pa.string()),
            ("status", pa.string()),
            ("error", pa.string()),
            ("error_kind", pa.string()),
            ("text", pa.string()),
            ("language", pa.string()),
            ("language_probability", pa.float64()),
            ("duration", pa.float64()),
            ("segments", pa.list_(segment)),
            ("warnings", pa.list_(pa.string())),
            ("asked_language", pa.string()),
            ("source_size", pa.int64()),
            ("source_modified", pa.int64()),
            ("seconds", pa.float64()),
            ("attempts", pa.int64()),
            ("node", pa.string()),
            ("version", pa.string()),
            ("run", pa.string()),
        ]
    )


def _table(path: pathlib.Path) -> Any:
    with open(path, "rb") as file:
        return load("pyarrow.parquet").read_table(file)


def shown(path: str) -> str:
    """A path as text: bytes that are no UTF-8 as ``\\xff``."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _write_new(path: pathlib.Path, content: bytes) -> None:
    """A file that appears when it is complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".unfinished")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


@dataclass(frozen=True)
class Finished:
    """What there is of a recording."""

    status: str
    size: Optional[int]
    modified: Optional[int]
    language: str

    def is_of(self, recording: Recording) -> bool:
        """Whether the recording is what it was then. One that is gone is taken as unchanged when
        its text is there."""
        if self.language != recording.language:
            return False
        if recording.size is None:
            return self.status == DONE
        return (self.size, self.modified) == (recording.size, recording.modified)


class Results:
    """The folder, as driver and workers see it."""

    def __init__(self, folder: "str | os.PathLike[str]") -> None:
        self.folder = pathlib.Path(os.path.abspath(folder))

    def row_path(self, id: str) -> pathlib.Path:
        """Of a recording's row."""
        return self.folder / "recordings" / id[:2] / f"{id}.parquet"

    def subtitle_path(self, recording: Recording, format: str) -> pathlib.Path:
        """Of a recording's text in a format: what can be read of its name, and its id."""
        stem = re.sub(r"[^\w.-]", "_", pathlib.PurePosixPath(shown(recording.path)).stem)
        while len(stem.encode()) > 150:
            stem = stem[:-1]
        return self.folder / "subtitles" / recording.id[:2] / f"{stem}-{recording.id}.{format}"

    # The driver's.

    @contextlib.contextmanager
    def owned(self) -> Generator[str, None, None]:
        """Has the folder for this driver alone; gives the number of the run."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = open(self.folder / ".lock", "a+")
        except OSError as error:
            raise ResultsError(
                f"The folder {self.folder} cannot be written to: {error}."
            ) from error
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                lock.seek(0)
                raise ResultsError(
                    f"Another run works in {self.folder} ({lock.read().strip()}): wait for it, or "
                    "give another folder."
                ) from error
            except OSError as error:
                raise ResultsError(
                    f"The file system of {self.folder} has no locks, which keep two runs apart: "
                    f"{error}."
                ) from error
            lock.truncate(0)
            lock.write(f"process {os.getpid()} on {socket.gethostname()}")
            lock.flush()
            run = uuid.uuid4().hex
            try:
                _write_new(self.folder / ".run", run.encode())
            except OSError as error:
                raise ResultsError(
                    f"The folder {self.folder} cannot be written to: {error}."
                ) from error
            self._sweep()
            yield run

    def _sweep(self) -> None:
        """Removes what workers of runs before have left: files half written, and their attempts,
        which say nothing of a recording when it was the run that was killed."""
        for pattern in ("*/??/.*.unfinished", "attempts/*"):
            for path in self.folder.glob(pattern):
                path.unlink()

    def hold_to(self, recipe: Mapping[str, Any]) -> None:
        """Takes model and options for the folder, or refuses others than it has."""
        path = self.folder / "recipe.json"
        text = json.dumps(recipe, indent=2, sort_keys=True)
        if not path.exists():
            _write_new(path, text.encode() + b"\n")
            return
        known: Dict[str, Any] = json.loads(path.read_text())
        new: Dict[str, Any] = json.loads(text)
        different = [key for key in sorted({*known, *new}) if known.get(key) != new.get(key)]
        if different:
            raise ResultsError(
                f"The results in {self.folder} were made otherwise: "
                + "; ".join(f"{key} was {known.get(key)}, now {new.get(key)}" for key in different)
                + ". Give another folder."
            )

    def _row(self, id: str) -> Optional[Dict[str, Any]]:
        """A finished recording, without its text."""
        # Not by its path: of a path with "=" in it PyArrow makes columns.
        try:
            with open(self.row_path(id), "rb") as file:
                (row,) = load("pyarrow.parquet").read_table(file, columns=_FACTS).to_pylist()
        except FileNotFoundError:
            return None
        return row

    def _finished(self, id: str) -> Optional[Finished]:
        row = self._row(id)
        if row is None:
            return None
        return Finished(
            row["status"], row["source_size"], row["source_modified"], row["asked_language"]
        )

    def finished(self, recordings: Iterable[Recording]) -> Dict[str, Finished]:
        """What there is, by id."""
        known = {path.stem for path in (self.folder / "recordings").glob("??/*.parquet")}
        ids = [one.id for one in recordings if one.id in known]
        with ThreadPoolExecutor(_READS_AT_A_TIME) as pool:
            rows = zip(ids, pool.map(self._finished, ids))
            return {id: row for id, row in rows if row is not None}

    def collect(self, recordings: Sequence[Recording]) -> int:
        """Writes ``transcripts.parquet``, all finished recordings in the order of the manifest,
        and gives their number."""
        pq = load("pyarrow.parquet")
        pa = load("pyarrow")
        path = self.folder / "transcripts.parquet"
        temporary = self.folder / ".transcripts.parquet.unfinished"
        count = 0
        with pq.ParquetWriter(temporary, schema(), compression="zstd") as writer:
            for begin in range(0, len(recordings), _ROWS_AT_A_TIME):
                some = [
                    self.row_path(one.id) for one in recordings[begin : begin + _ROWS_AT_A_TIME]
                ]
                tables = [_table(one) for one in some if one.exists()]
                if tables:
                    writer.write_table(pa.concat_tables(tables))
                    count += len(tables)
        os.replace(temporary, path)
        return count

    # The workers'.

    def finished_since(self, run: str, recording: Recording) -> Optional[Dict[str, Any]]:
        """What a run has already made of a recording as it is now."""
        row = self._row(recording.id)
        if row is None or row["run"] != run:
            return None
        is_same = (row["source_size"], row["source_modified"]) == (
            recording.size,
            recording.modified,
        )
        return row if is_same else None

    def is_of_run(self, run: str) -> bool:
        """Whether this machine sees the folder, and it is still that run's."""
        try:
            return (self.folder / ".run").read_text() == run
        except FileNotFoundError:
            return False

    def _attempts_path(self, id: str) -> pathlib.Path:
        return self.folder / "attempts" / id

    def begin(self, id: str) -> int:
        """Notes that a worker begins, and gives how many have by now, this one included."""
        path = self._attempts_path(id)
        path.parent.mkdir(exist_ok=True)
        with open(path, "ab") as file:
            file.write(b".")
            file.flush()
            os.fsync(file.fileno())
            return file.tell()

    def commit(self, row: Mapping[str, Any]) -> None:
        """Makes a recording finished: its row appears."""
        pa = load("pyarrow")
        sink = pa.BufferOutputStream()
        table = pa.Table.from_pylist([row], schema=schema())
        load("pyarrow.parquet").write_table(table, sink, compression="zstd")
        _write_new(self.row_path(row["id"]), sink.getvalue().to_pybytes())
        self._attempts_path(row["id"]).unlink(missing_ok=True)
