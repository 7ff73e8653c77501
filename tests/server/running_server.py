"""The server under test, and the models it serves.

Test programs are called as PROGRAM SHARED_FOLDER; without genuine checkpoints or ../shared they exit
with 77, which counts as skipped.
"""

import functools
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

PROGRAM = pathlib.Path(sys.argv[1]).resolve()
SHARED = pathlib.Path(sys.argv[2])
SPEECH = SHARED / "speech"
CHECKPOINTS = os.environ.get("WHISPER_S4Y_CHECKPOINTS", "")
FOLDER = tempfile.TemporaryDirectory()


def skip_without_models():
    if not CHECKPOINTS or not SPEECH.exists():
        print("SKIPPED: needs WHISPER_S4Y_CHECKPOINTS and", SPEECH)
        sys.exit(77)


def model(name):
    """A bundle of a genuine checkpoint, converted to int8 when first asked for."""
    path = pathlib.Path(FOLDER.name) / f"{name}.tflite"
    if not path.exists():
        subprocess.run([PROGRAM, "convert", f"{CHECKPOINTS}/{name}/hf", "-o", path, "--quantize",
                        "int8", "-q"], check=True)
    return path


@functools.cache
def transcript(name, recording, *options):
    """What `transcribe` says of a recording, as JSON."""
    result = subprocess.run([PROGRAM, "transcribe", model(name), recording, "-f", "json", "-q",
                             *options], check=True, capture_output=True, text=True)
    return json.loads(result.stdout)


class Server:
    """`whisper-s4y serve` from here to its end: with Server("base") as server: ..."""

    def __init__(self, *arguments, environment=None):
        self.arguments = arguments
        self.environment = environment or {}

    def __enter__(self):
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [PROGRAM, "serve", *map(str, self.arguments), "--port", "0"], stderr=self.log,
            env={**os.environ, **self.environment})
        for _ in range(600):
            found = re.search(r"at http://[^:]+:(\d+)", self.log_text())
            if found:
                break
            if self.process.poll() is not None:
                raise AssertionError(f"the server has ended: {self.log_text()}")
            time.sleep(0.05)
        self.port = int(found.group(1))
        self.url = f"http://127.0.0.1:{self.port}"
        for _ in range(600):
            if self.get("/ready")[0] == 200:
                break
            time.sleep(0.05)
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.stop()
        self.log.close()

    def stop(self, number=signal.SIGTERM):
        """The exit code."""
        self.process.send_signal(number)
        try:
            return self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise

    def log_text(self):
        self.log.seek(0)
        return self.log.read()

    def log_lines(self):
        return [json.loads(line) for line in self.log_text().splitlines() if line.startswith("{")]

    def log_line(self, path):
        """That of the last request for `path`; it comes after the answer."""
        for _ in range(100):
            found = [line for line in self.log_lines() if line.get("path") == path]
            if found:
                return found[-1]
            time.sleep(0.02)
        raise AssertionError(f"no line about {path}: {self.log_text()}")

    def get(self, path, **headers):
        """Status, headers and body of an answer."""
        request = urllib.request.Request(self.url + path, headers=headers)
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, answer.headers, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read().decode()

    def metric(self, name):
        return float(re.search(rf"^{re.escape(name)} (\S+)", self.get("/metrics")[2], re.M)[1])


def main():
    """Runs the tests of the calling script."""
    skip_without_models()
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
