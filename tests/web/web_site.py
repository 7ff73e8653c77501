"""The page and the package of web/, built and served, in Chromium.

Tests are called as PROGRAM SHARED_FOLDER; they are skipped (exit code 77) without npm's packages,
genuine checkpoints, ../shared or Chromium.
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
WEB = ROOT / "web"
sys.path[:0] = [str(WEB), str(ROOT / "tests/server")]


def skip_without_packages():
    if not shutil.which("node") or not (WEB / "node_modules").exists():
        print("SKIPPED: needs Node.js, and web/node_modules (scripts/python-env fetches it where npm is)")
        sys.exit(77)


skip_without_packages()

# pylint: disable=wrong-import-position
import list_models
import running_server
import serve
import served_page
from axe import check_axe
from served_page import SPEECH, end, expect, run_tests, skip, wait_for

__all__ = ["SPEECH", "check_axe", "end", "expect", "list_models", "run_tests", "serve", "skip",
           "wait_for"]

FOLDER = tempfile.TemporaryDirectory()
PROGRAM = running_server.PROGRAM

PAGE = """<!doctype html>
<html lang="en"><head><title>package</title><link rel="icon" href="data:,">
<script type="module">import * as s4y from './whisper-s4y.js'; window.s4y = s4y;</script></head></html>
"""


def build(folder):
    """The page, with recordings, and models as they are asked for."""
    subprocess.run(["node", WEB / "build.mjs", "--site", folder], check=True)
    (folder / "package.html").write_text(PAGE)
    (folder / "speech").symlink_to(SPEECH)
    (folder / "models").mkdir()


SITE = pathlib.Path(FOLDER.name) / "site"


def model(name):
    """Path, and address in the site, of a bundle for browsers."""
    path = SITE / "models" / f"whisper-{name}.tflite"
    if not path.exists():
        subprocess.run([PROGRAM, "convert", f"{running_server.CHECKPOINTS}/{name}/hf", "-o", path,
                        "--for", "web", "--quantize", "int8", "-q"], check=True)
    return path, f"models/{path.name}"


def vad():
    """Address in the site of the voice activity detector."""
    path = SITE / "models/silero-vad.tflite"
    if not path.exists():
        subprocess.run([PROGRAM, "convert", "--part", "vad", "-o", path, "-q"], check=True)
    return f"models/{path.name}"


class Serving:
    """The site at an address: with Serving() as url: ..."""

    def __init__(self, handler=serve.Handler):
        self.server = serve.server(SITE, handler=handler)

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self.server.server_port}"

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class Page(served_page.Page):
    """The site in a browser of its own."""

    def __init__(self, **options):
        super().__init__(pathlib.Path(FOLDER.name), **options)

    def open_package(self, address):
        """A page with the package as `s4y` and nothing else."""
        self.driver.get(f"{address}/package.html")
        wait_for(lambda: self.script("return Boolean(window.s4y)"), "the package is loaded", 20)

    def run(self, script, *arguments):
        """What an asynchronous function gives; what it throws is thrown here."""
        # Asked for again and again: the driver waits for two minutes at most.
        self.script(
            "window.ran = null;"
            f"(async (...given) => {{ {script} }})(...arguments)"
            ".then((value) => (ran = { value }), (error) => (ran = { error: `${error.code}: ${error.message}` }))",
            *arguments)
        result = wait_for(lambda: self.script("return ran"), "the script ends", 900)
        if "error" in result:
            raise AssertionError(result["error"])
        return result.get("value")


def transcript(model_path, recording, *options):
    """What the program says of a recording, as JSON."""
    return running_server.json.loads(subprocess.run(
        [PROGRAM, "transcribe", model_path, recording, "-f", "json", "-q", *options],
        check=True, capture_output=True, text=True).stdout)
