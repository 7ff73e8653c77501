"""The package's log, and how things long-winded show how far they are."""

from __future__ import annotations

import logging
import sys
import time
from typing import Callable

#: What went wrong without stopping the work; ``logging`` decides where it goes.
log = logging.getLogger("whisper_s4y")


def warn(message: str) -> None:
    """Logs a sentence of the library's about what went wrong without stopping the work."""
    log.warning("%s", message)


def progress_bar(title: str) -> Callable[[float, float], None]:
    """A callback that draws a bar on the standard error, several times a second at most."""
    last = 0.0
    over = False

    def show(done: float, total: float) -> None:
        nonlocal last, over
        now = time.monotonic()
        is_end = total > 0 and done >= total
        if over or (now - last < 0.1 and not is_end):
            return
        last, over = now, is_end
        share = min(1.0, done / total) if total > 0 else 0.0
        bar = "#" * int(30 * share)
        sys.stderr.write(f"\r{title} [{bar:<30}] {share:4.0%}" + ("\n" if is_end else ""))
        sys.stderr.flush()

    return show


def shows_progress() -> bool:
    """Whether somebody sees a bar: at a terminal, or in a notebook."""
    return sys.stderr.isatty() or "ipykernel" in sys.modules
