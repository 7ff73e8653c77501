#!/usr/bin/env python3
"""How much faster two workers of whisper_s4y.ray are than one, on this machine.

    PYTHONPATH=python build/venv-ray/bin/python bench/ray_workers.py MODEL RECORDINGS [--rounds 3]

One and two workers take turns, so that both meet whatever else runs. The time is from the first
result on: starting Ray and its workers is not in it, for it is paid once. Beside it stand processor
seconds for a second of sound, which hardly depend on what else runs: when two workers do not hinder one
another they are the same.
"""

import argparse
import pathlib
import statistics
import sys
import tempfile
import time

import pyarrow.parquet
import ray

from whisper_s4y.ray import Progress, transcribe


def processor_seconds() -> float:
    """Of all workers that live."""
    ticks = 0
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cmdline").read_bytes().startswith(b"ray::MapWorker"):
                ticks += sum(
                    map(int, (process / "stat").read_text().rsplit(")")[-1].split()[11:13])
                )
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has just ended
    return ticks / 100


class Watch:
    """When results came, and what they took."""

    def __init__(self) -> None:
        self.first = self.last = (0.0, 0.0, 0.0)

    def __call__(self, progress: Progress) -> None:
        now = (time.monotonic(), progress.audio_seconds, processor_seconds())
        if self.first == (0.0, 0.0, 0.0):
            self.first = now
        if progress.done < progress.total - 1:  # at the end one worker has nothing to do
            self.last = now


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("recordings")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    ray.init(num_cpus=2, include_dashboard=False, logging_level="error", log_to_driver=False)
    speeds = {1: [], 2: []}
    for _ in range(given.rounds):
        for workers in (1, 2):
            watch = Watch()
            with tempfile.TemporaryDirectory() as out:
                transcribe(
                    given.recordings, out, model=given.model, workers=workers, on_progress=watch
                )
                rows = pyarrow.parquet.read_metadata(f"{out}/transcripts.parquet").num_rows
            seconds, audio, processor = (b - a for a, b in zip(watch.first, watch.last))
            speeds[workers].append(audio / seconds)
            print(
                f"{workers} workers, {rows} recordings: {audio / seconds:.1f} times as fast as played, "
                f"{1000 * processor / audio:.0f} ms of processor for a second",
                flush=True,
            )
    one, two = (statistics.median(speeds[workers]) for workers in (1, 2))
    print(f"two are {two / one:.2f} times as fast as one (medians of {given.rounds})")
    ray.shutdown()


if __name__ == "__main__":
    sys.exit(main())
