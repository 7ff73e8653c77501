"""``python -m whisper_s4y.ray``."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import time
from typing import Any, Dict, List, Optional, Tuple

from ..errors import Error, InvalidArgumentError
from ._packages import load
from .manifest import ManifestError
from .pipeline import FORMATS, ClusterError, Progress, Summary, transcribe
from .results import ResultsError, shown

_EPILOG = """\
examples:
  Transcribe a list on the cores of this machine:
    python -m whisper_s4y.ray calls.csv --model whisper-base.tflite --out out
  All of a bucket, on a cluster, with times of words:
    python -m whisper_s4y.ray s3://calls/2026/ --model /mnt/base.tflite --out /mnt/out \\
      --address auto --option word_timestamps=true --format srt --format json
  Go on after an interruption, and try again what has failed:
    python -m whisper_s4y.ray calls.csv --model whisper-base.tflite --out out --retry-failed

MANIFEST is a text file with a path in each line; a .csv, .tsv, .jsonl or .parquet with a column
path (file, audio) and, if wanted, language (lang); or a folder or bucket. Relative paths begin at
its folder. Model, recordings and --out must be there for all machines, under the same paths.

--out holds transcripts.parquet with a row for each recording, subtitles/ and what is needed to go
on. A finished recording is not done again unless its file has changed.

exit codes:
  0  every recording is transcribed
  1  the run could not be made or finished; say it again to go on
  2  the command line or the manifest is wrong
  3  the run is finished, and some recordings have failed: their rows say why
  130  interrupted
"""


def _count(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is no number from 1 on")
    return number


def _option(text: str) -> Tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"{text} is not NAME=VALUE")
    try:
        return name.replace("-", "_"), json.loads(value)
    except json.JSONDecodeError:
        return name.replace("-", "_"), value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m whisper_s4y.ray",
        description="Transcribe many recordings with Ray, on one machine or many.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("manifest", metavar="MANIFEST", help="list, folder or bucket of recordings")
    parser.add_argument("--out", required=True, metavar="FOLDER", help="where results are kept")
    parser.add_argument("--model", required=True, metavar="FILE", help="the .tflite file")
    parser.add_argument(
        "--language", metavar="CODE", help="of recordings that have none of their own"
    )
    parser.add_argument(
        "--option",
        action="append",
        default=[],
        type=_option,
        metavar="NAME=VALUE",
        help="an option of transcribing, as docs/cli.md lists them; again for more",
    )
    parser.add_argument(
        "--format",
        action="append",
        choices=[*FORMATS, "none"],
        help="of subtitles: srt without this; again for more; none for the table alone",
    )
    parser.add_argument(
        "--workers",
        type=_count,
        metavar="N",
        help="how many at a time; one on each core without this",
    )
    parser.add_argument(
        "--threads", type=_count, default=1, metavar="N", help="cores of a worker (default: 1)"
    )
    parser.add_argument(
        "--address",
        help="of the Ray cluster, auto for this machine's; without: RAY_ADDRESS, or none",
    )
    parser.add_argument(
        "--retry-failed", action="store_true", help="try again what has failed before"
    )
    parser.add_argument("--quiet", action="store_true", help="no progress, only errors")
    return parser


def _time(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02} min" if minutes else f"{seconds:.0f} s"


class _Reporter:
    """Says on the standard error how far it is: often at a terminal, rarely in a log."""

    def __init__(self) -> None:
        self._is_terminal = sys.stderr.isatty()
        self._interval = 0.5 if self._is_terminal else 10.0
        self._last = 0.0

    def __call__(self, progress: Progress) -> None:
        end = "\x1b[K\n" if self._is_terminal else "\n"
        for path, error in progress.errors:
            sys.stderr.write(f"{shown(path)}: {error}{end}")
        finished = progress.done + progress.failed
        now = time.monotonic()
        is_last = finished == progress.total
        if now - self._last < self._interval and not is_last:
            return
        self._last = now
        line = f"{finished} of {progress.total} recordings"
        if progress.failed:
            line += f", {progress.failed} failed"
        if progress.seconds > 0:
            line += f", {progress.audio_seconds / progress.seconds:.1f} times as fast as played"
        if progress.share > 0 and not is_last:
            line += f", {_time(progress.seconds * (1 / progress.share - 1))} left"
        if self._is_terminal and not is_last:
            sys.stderr.write(f"\r{line}\x1b[K")
        else:
            sys.stderr.write(("\r" if self._is_terminal else "") + line + end)
        sys.stderr.flush()


def _tell(summary: Summary) -> None:
    parts = [f"{summary.recordings} recordings: {summary.done} transcribed"]
    if summary.kept:
        parts.append(f"{summary.kept} finished before")
    if summary.failed:
        parts.append(f"{summary.failed} failed")
    if summary.duplicates:
        parts.append(f"{summary.duplicates} rows named one again")
    sys.stderr.write(f"{', '.join(parts)}. {summary.table}\n")


def _silence_ray() -> None:
    """Its own lines would stand between ours; it keeps them in its session's folder."""
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    load("ray.data")  # which sets its loggers up
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)


def main(arguments: Optional[List[str]] = None) -> int:
    """The exit code."""
    given = _parser().parse_args(arguments)
    options: Dict[str, Any] = dict(given.option)
    if given.language:
        options["language"] = given.language
    formats = list(dict.fromkeys(given.format or ["srt"]))
    if "none" in formats:
        if len(formats) > 1:
            sys.stderr.write(
                "python -m whisper_s4y.ray: --format none goes with no other format.\n"
            )
            return 2
        formats = []
    try:
        _silence_ray()
        summary = transcribe(
            given.manifest,
            given.out,
            model=given.model,
            options=options,
            formats=formats,
            workers=given.workers,
            threads=given.threads,
            address=given.address,
            retry_failed=given.retry_failed,
            on_progress=None if given.quiet else _Reporter(),
        )
    except (ManifestError, InvalidArgumentError) as error:
        sys.stderr.write(f"python -m whisper_s4y.ray: {error}\n")
        return 2
    except (ResultsError, ClusterError, Error, ImportError) as error:
        sys.stderr.write(f"python -m whisper_s4y.ray: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nInterrupted: say it again to go on.\n")
        return 130
    if not given.quiet:
        _tell(summary)
    return 3 if summary.failed else 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.exit(code)
