#!/usr/bin/env python3
"""What axe-core finds wrong with the page for people who cannot see it well, or not at all.

    page_axe_test.py WHISPER_S4Y SHARED_FOLDER
"""

import pathlib
import sys
import tempfile

import served_page
from served_page import SPEECH, expect

AXE = pathlib.Path(sys.prefix) / "axe.min.js"
if not AXE.exists():
    served_page.skip("there is no axe-core (scripts/python-env fetches it where npm is installed)")


def check(page, state):
    page.script(AXE.read_text())
    for scheme in ("light", "dark"):
        page.look(1100, 900, scheme)
        found = page.driver.execute_async_script(
            "const done = arguments[arguments.length - 1];"
            "axe.run().then((result) => done([result.passes.length, result.violations]))")
        expect(found[0] > 10, f"{state}, {scheme}: axe looks at the page")
        for violation in found[1]:
            nodes = [node["html"] for node in violation["nodes"]]
            expect(False, f"{state}, {scheme}: {violation['help']}: {nodes}")


def test_every_state(page):
    with served_page.serve(served_page.tiny()) as server:
        page.open(server.url)
        check(page, "nothing chosen")
        page.script("document.getElementById('more').open = true")
        check(page, "all options")
        page.click("record")
        page.wait(lambda: page.one("stop").is_displayed(), 10)
        check(page, "recording")
        page.click("stop")
        page.wait(lambda: page.one("player").is_displayed(), 10)
        page.take(SPEECH / "jfk.flac")
        page.start()
        page.finish()
        page.press(page.all("#segments button")[0])
        page.wait(page.words_now, 5)
        check(page, "transcript")
        page.take(__file__)
        page.start()
        page.wait(page.is_wrong, 10)
        check(page, "error")
    with served_page.serve(served_page.tiny(), "--api-key", "sesame") as server:
        page.open(server.url)
        page.wait(page.is_asking, 10)
        check(page, "key")


with tempfile.TemporaryDirectory() as name:
    opened = served_page.Page(downloads=name)
    try:
        served_page.run_tests([test_every_state], opened)
    finally:
        opened.quit()
served_page.end()
