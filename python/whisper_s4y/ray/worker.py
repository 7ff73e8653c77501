"""What transcribes: an actor, one for each core."""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import socket
import tempfile
import time
from dataclasses import asdict
from typing import Any, Dict, Generator, List, Mapping, Optional, Sequence, Tuple, cast

from .. import _native
from ..errors import CancelledError, Error, InvalidArgumentError
from ..model import Model
from ..transcriber import Transcriber, Transcript
from ._packages import load
from .manifest import ManifestError, Recording, is_uri, look_at, source_of, suffix_of
from .results import DONE, FAILED, Results, shown

#: How many workers of a run may die of a recording until it is taken for the cause.
MOST_ATTEMPTS = 3
#: What a worker says when it is not the recording: all others would go the same way.
UNUSABLE = "unusable"


@contextlib.contextmanager
def _local(path: str) -> Generator[str, None, None]:
    """A recording as a file of this machine; one from a bucket only for as long as it is needed."""
    if not is_uri(path):
        if os.path.exists(path) and not os.path.isfile(path):  # a pipe would be waited for
            raise IsADirectoryError(f"{path} is no file.")
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="whisper-s4y-") as folder:
        target = os.path.join(folder, "recording" + suffix_of(path))
        with source_of(path) as source, open(target, "wb") as file:
            shutil.copyfileobj(source, file, 1 << 20)
        yield target


def _node() -> str:
    """This machine: its name, and the beginning of Ray's number for it."""
    ray = load("ray")
    name = socket.gethostname()
    return f"{name} {ray.get_runtime_context().get_node_id()[:8]}" if ray.is_initialized() else name


class Worker:
    """Transcribes recordings and puts their results into the folder; for ``Dataset.map_batches``.

    Args:
        model: path of the ``.tflite`` file on this machine. All workers of a machine map the same
            file and the same packed weights, so that there is one model in its memory.
        model_hash: what the driver knows of it (``Model.info["hash"]``).
        version: of the driver's library.
        out: folder of the results, as this machine sees it.
        run: the run's number.
        options: of ``Transcriber.transcribe``.
        formats: of subtitles.
        threads: of a transcription.
    """

    def __init__(
        self,
        model: str,
        model_hash: str,
        version: str,
        out: str,
        run: str,
        options: Mapping[str, Any],
        formats: Sequence[str],
        threads: int,
    ) -> None:
        self._node = _node()
        self._results = Results(out)
        self._run = run
        self._options = dict(options)
        self._formats = list(formats)
        self._transcriber: Optional[Transcriber] = None
        self._problem = self._open(model, model_hash, version, threads)

    def _open(self, model: str, model_hash: str, version: str, threads: int) -> str:
        """Opens the model; a sentence when this machine cannot do the work."""
        if not self._results.is_of_run(self._run):
            return (
                f"it does not see the folder of results, {self._results.folder}: all machines "
                "must, under this path"
            )
        try:
            own = _native.library().version
            if own != version:
                return f"it has whisper-s4y {own}, the driver {version}"
            opened = Model(model, threads=threads)
            if opened.info["hash"] != model_hash:
                return f"{model} is another model there than on the driver"
            self._transcriber = Transcriber(opened)
        except (Error, ImportError) as error:
            return str(error).rstrip(".")
        return ""

    def __call__(self, batch: Mapping[str, Any]) -> Dict[str, List[Any]]:
        """Of recordings (path as bytes, language) what became of them, a summary each.

        Raises:
            RuntimeError: the folder has become another run's.
        """
        rows = [
            self._summary(Recording(os.fsdecode(bytes(path)), str(language)))
            for path, language in zip(batch["path"], batch["language"])
        ]
        return {key: [row[key] for row in rows] for key in rows[0]}

    def _summary(self, recording: Recording) -> Dict[str, Any]:
        if self._problem:
            problem = f"{self._node} cannot work: {self._problem}."
            return {"id": recording.id, "status": UNUSABLE, "error": problem, **_NO_TIME}
        size, modified = look_at(recording.path)
        recording = Recording(recording.path, recording.language, size, modified)
        # After a machine was lost others do again what it was given; some of it may be finished.
        known = self._results.finished_since(self._run, recording)
        row = known if known is not None else self._row(recording)
        return {
            "id": recording.id,
            "status": row["status"],
            "error": row["error"],
            "duration": row["duration"] or 0.0,
            "seconds": row["seconds"],
        }

    def _row(self, recording: Recording) -> Dict[str, Any]:
        began = time.monotonic()
        row: Dict[str, Any] = {
            "id": recording.id,
            "path": shown(recording.path),
            "asked_language": recording.language,
            "source_size": recording.size,
            "source_modified": recording.modified,
            "node": self._node,
            "version": _native.library().version,
            "run": self._run,
            "attempts": self._results.begin(recording.id),
        }
        subtitles = [self._results.subtitle_path(recording, format) for format in self._formats]
        if row["attempts"] > MOST_ATTEMPTS:
            found = _failed(
                "WorkerDied",
                f"{MOST_ATTEMPTS} workers have died while they transcribed it: it takes more "
                "memory than there is, or crashes the decoder.",
            )
        else:
            found = self._transcribed(recording, subtitles)
        row.update(found)
        if row["status"] == FAILED:
            for path in subtitles:  # of what the recording was before
                path.unlink(missing_ok=True)
        row["seconds"] = time.monotonic() - began
        self._check_run()
        self._results.commit(row)
        return row

    def _check_run(self) -> None:
        if not self._results.is_of_run(self._run):
            raise RuntimeError(f"The folder {self._results.folder} has become another run's.")

    def _transcribed(
        self, recording: Recording, subtitles: Sequence[pathlib.Path]
    ) -> Dict[str, Any]:
        options = dict(self._options)
        if recording.language:
            options["language"] = recording.language
        try:
            with _local(recording.path) as path:
                transcript = cast(Transcriber, self._transcriber).transcribe(path, **options)
        except CancelledError:
            raise
        except (Error, OSError, ManifestError) as error:
            return _failed(type(error).__name__, str(error))
        self._check_run()
        for format, path in zip(self._formats, subtitles):
            path.parent.mkdir(parents=True, exist_ok=True)
            transcript.write(path, format)
        return _done(transcript)


_NO_TIME: Dict[str, Any] = {"duration": 0.0, "seconds": 0.0}


def _failed(kind: str, error: str) -> Dict[str, Any]:
    return {"status": FAILED, "error": error, "error_kind": kind, "duration": None}


def _done(transcript: Transcript) -> Dict[str, Any]:
    return {
        "status": DONE,
        "error": "",
        "text": transcript.text,
        "language": transcript.language,
        "language_probability": transcript.language_probability,
        "duration": transcript.duration,
        "segments": [asdict(segment) for segment in transcript.segments],
        "warnings": transcript.warnings,
    }


def check_options(model: str, options: Mapping[str, Any]) -> Tuple[str, str]:
    """Name and hash of a model, once the options are sure to fit it.

    Raises:
        Error: they do not, or the file is no model.
    """
    import numpy as np

    with Model(model, threads=1) as opened:
        if not opened.info["can_transcribe"]:
            raise InvalidArgumentError(f"{model} cannot transcribe: it is no whole model.")
        Transcriber(opened).transcribe(np.zeros(0, np.float32), **options)  # nothing, and at once
        return opened.name, opened.info["hash"]
