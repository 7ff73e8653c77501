#!/usr/bin/env python3
"""docs/ops.md lists the ops that the program writes: ops_docs_test.py PROGRAM"""
import pathlib
import subprocess
import sys

from whisper_files import checkpoint

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "update-ops-docs"
sys.exit(subprocess.call([sys.executable, SCRIPT, sys.argv[1], checkpoint("tiny.en"), "--check"]))
