#!/usr/bin/env python3
"""What axe-core finds wrong with the page for people who cannot see it well, or not at all.

    page_axe_test.py WHISPER_S4Y SHARED_FOLDER
"""

import tempfile

import served_page
from axe import check_axe
from served_page import SPEECH


def test_every_state(page):
    with served_page.serve(served_page.tiny()) as server:
        page.open(server.url)
        check_axe(page, "nothing chosen")
        page.script("document.getElementById('more').open = true")
        check_axe(page, "all options")
        page.click("record")
        page.wait(lambda: page.one("stop").is_displayed(), 10)
        check_axe(page, "recording")
        page.click("stop")
        page.wait(lambda: page.one("player").is_displayed(), 10)
        page.take(SPEECH / "jfk.flac")
        page.start()
        page.finish()
        page.press(page.all("#segments button")[0])
        page.wait(page.words_now, 5)
        check_axe(page, "transcript")
        page.take(__file__)
        page.start()
        page.wait(page.is_wrong, 10)
        check_axe(page, "error")
    with served_page.serve(served_page.tiny(), "--api-key", "sesame") as server:
        page.open(server.url)
        page.wait(page.is_asking, 10)
        check_axe(page, "key")


with tempfile.TemporaryDirectory() as name:
    opened = served_page.Page(downloads=name)
    try:
        served_page.run_tests([test_every_state], opened)
    finally:
        opened.quit()
served_page.end()
