"""The command ``whisper-s4y`` of the wheel: becomes the program that lies beside the library."""

from __future__ import annotations

import os
import sys

from . import _native


def main() -> int:
    """Never returns where there is a program."""
    program = _native.program()
    if program is None:
        print("whisper-s4y: the program is not in this package; build it.", file=sys.stderr)
        return 1
    _native.set_certificates()
    os.execv(program, ["whisper-s4y", *sys.argv[1:]])
