"""The run: from a manifest over actors of Ray Data to the folder of results."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence

from .. import _native
from ._packages import load
from .manifest import Recording, read_manifest
from .results import DONE, FAILED, Results
from .worker import UNUSABLE, Worker, check_options

FORMATS = ("txt", "vtt", "srt", "tsv", "json", "lrc", "csv")
# Ray keeps a record of each block: so many are quick to make, and small enough to share out evenly.
_MOST_BLOCKS = 20_000


class ClusterError(RuntimeError):
    """A machine of the cluster cannot do the work, or Ray cannot."""


@dataclass
class Progress:
    """How far a run is."""

    #: Recordings of this run: in all, finished with a text, finished with an error.
    total: int
    done: int = 0
    failed: int = 0
    #: Seconds of sound that were transcribed, and since the first worker was asked for.
    audio_seconds: float = 0.0
    seconds: float = 0.0
    #: Of 1: by the size of the files where all are known, else by their number.
    share: float = 0.0
    #: The failed recordings that were new with this call, as (path, error).
    errors: Sequence[Any] = ()


@dataclass
class Summary:
    """What a run has done."""

    #: Recordings of the manifest, each once.
    recordings: int
    #: Rows of the manifest that named one again.
    duplicates: int
    #: Finished by runs before, and left alone.
    kept: int
    #: Of this run.
    done: int
    #: With an error, also of runs before.
    failed: int
    #: Of sound that this run transcribed, and that it took.
    audio_seconds: float
    seconds: float
    #: All rows, in the order of the manifest.
    table: str


def _largest_first(recordings: Sequence[Recording]) -> List[Recording]:
    """So that no long recording begins when all others are done."""
    return sorted(recordings, key=lambda one: one.size or 0, reverse=True)


def _connect(address: Optional[str]) -> bool:
    """Connects to a cluster, unless the caller has; whether it did."""
    ray = load("ray")
    if ray.is_initialized():
        return False
    try:
        ray.init(address=address, logging_level="error", log_to_driver=False)
    except (ConnectionError, ValueError) as error:
        raise ClusterError(f"There is no Ray cluster at {address or 'hand'}: {error}.") from error
    return True


def _workers(asked: Optional[int], threads: int) -> int:
    if asked is not None:  # also more than there are cores: Ray may bring machines
        return asked
    cores = int(load("ray").cluster_resources().get("CPU", 0)) // threads
    if cores < 1:
        raise ClusterError(f"The cluster has no machine with {threads} free cores.")
    return cores


def transcribe(
    manifest: "str | os.PathLike[str]",
    out: "str | os.PathLike[str]",
    *,
    model: "str | os.PathLike[str]",
    options: Optional[Mapping[str, Any]] = None,
    formats: Sequence[str] = ("srt",),
    workers: Optional[int] = None,
    threads: int = 1,
    address: Optional[str] = None,
    retry_failed: bool = False,
    on_progress: Optional[Callable[[Progress], None]] = None,
) -> Summary:
    """Transcribes what a manifest names, on all machines of a Ray cluster.

    Args:
        manifest: see :func:`read_manifest`.
        out: folder of the results, which all machines see under this path.
        model: path of a ``.tflite`` file, on each machine the same.
        options: see :class:`whisper_s4y.options.TranscribeOptions`.
        formats: of subtitles: txt, vtt, srt, tsv, json, lrc, csv.
        workers: actors; None for one on each core that there is now. More come into being as far as
            a cluster that grows brings machines for them.
        threads: cores of a worker. One is best, unless few recordings are long.
        address: of a cluster; None for RAY_ADDRESS, else one of this machine alone. Without effect
            when ``ray.init()`` was called before.
        retry_failed: whether recordings that have failed before are tried again.
        on_progress: is told after each recording.

    Raises:
        ManifestError: the list of recordings cannot be read.
        ResultsError: the folder cannot be used.
        Error: the model cannot be opened, or an option does not fit it.
        ClusterError: a machine cannot do the work.
    """
    chosen = dict(options or {})
    for format in formats:
        if format not in FORMATS:
            raise ValueError(f"{format!r} is no format of subtitles: {', '.join(FORMATS)}.")
    path = os.path.abspath(model)
    name, model_hash = check_options(path, chosen)
    recordings, duplicates = read_manifest(manifest)
    results = Results(out)
    with results.owned() as run:
        results.hold_to(
            {"model": name, "hash": model_hash, "options": chosen, "formats": sorted(formats)}
        )
        finished = results.finished(recordings)
        left = [
            one
            for one in recordings
            if one.id not in finished
            or not finished[one.id].is_of(one)
            or (retry_failed and finished[one.id].status == FAILED)
        ]
        ids = {one.id for one in left}
        failed_before = sum(row.status == FAILED for id, row in finished.items() if id not in ids)
        progress = Progress(total=len(left))
        if left:
            keywords = {
                "model": path,
                "model_hash": model_hash,
                "version": _native.library().version,
                "out": str(results.folder),
                "run": run,
                "options": chosen,
                "formats": list(formats),
                "threads": threads,
            }
            connected = _connect(address)
            try:
                _run(left, keywords, _workers(workers, threads), threads, progress, on_progress)
            finally:
                if connected:
                    load("ray").shutdown()
        results.collect(recordings)
    return Summary(
        recordings=len(recordings),
        duplicates=duplicates,
        kept=len(recordings) - len(left),
        done=progress.done,
        failed=failed_before + progress.failed,
        audio_seconds=progress.audio_seconds,
        seconds=progress.seconds,
        table=str(results.folder / "transcripts.parquet"),
    )


def _run(
    recordings: Sequence[Recording],
    keywords: Mapping[str, Any],
    workers: int,
    threads: int,
    progress: Progress,
    on_progress: Optional[Callable[[Progress], None]],
) -> None:
    data = load("ray.data")
    exceptions = load("ray.exceptions")
    context = data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    ordered = _largest_first(recordings)
    # Bytes, for names of files need not be text.
    rows = [{"path": os.fsencode(one.path), "language": one.language} for one in ordered]
    dataset = data.from_items(rows, override_num_blocks=min(len(rows), _MOST_BLOCKS)).map_batches(
        Worker,
        batch_size=1,
        # One recording at a time and none in waiting: another worker may be free earlier.
        compute=data.ActorPoolStrategy(
            size=min(workers, len(rows)), max_tasks_in_flight_per_actor=1
        ),
        num_cpus=threads,
        fn_constructor_kwargs=dict(keywords),
        # By Ray Data's defaults a worker that dies comes again where there is room, however often,
        # and is given again what it was at.
    )
    sizes = {one.id: one.size or 0 for one in recordings}
    if any(one.size is None for one in recordings):
        sizes = {one.id: 1 for one in recordings}
    of_all = max(1, sum(sizes.values()))
    paths = {one.id: one.path for one in recordings}
    began = time.monotonic()
    summed = 0
    try:
        for batch in dataset.iter_batches(batch_size=None, prefetch_batches=0):
            errors = _count(batch, progress, paths)
            summed += sum(sizes[str(id)] for id in batch["id"])
            progress.share = summed / of_all
            progress.seconds = time.monotonic() - began
            progress.errors = errors
            if on_progress is not None:
                on_progress(progress)
    except exceptions.RayError as error:
        raise ClusterError(_in_short(str(error))) from error


def _in_short(message: str) -> str:
    """What Ray says of a worker's exception, which is a traceback, as a sentence."""
    if "No module named 'whisper_s4y'" in message:
        return (
            "A machine of the cluster has no whisper_s4y: install it on all of them, where Ray's "
            "Python finds it."
        )
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    return f"Ray has given up: {lines[-1] if lines else 'it does not say why.'}"


def _count(batch: Mapping[str, Any], progress: Progress, paths: Dict[str, str]) -> List[Any]:
    errors: List[Any] = []
    for id, status, error, duration in zip(
        batch["id"], batch["status"], batch["error"], batch["duration"]
    ):
        if status == UNUSABLE:
            raise ClusterError(f"The machine {error}")
        progress.audio_seconds += float(duration)
        if status == DONE:
            progress.done += 1
        else:
            progress.failed += 1
            errors.append((paths[str(id)], str(error)))
    return errors
