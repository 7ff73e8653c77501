#!/usr/bin/env python3
"""The page of `whisper-s4y serve`, as somebody uses it in Chromium.

    page_test.py WHISPER_S4Y SHARED_FOLDER [--screenshots FOLDER]
"""

import itertools
import json
import pathlib
import subprocess
import sys
import tempfile
import time

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

import running_server
import served_page
from served_page import SENTENCES, SPEECH, expect

FORMATS = ("txt", "vtt", "srt", "tsv", "json", "lrc", "csv")


class Place:
    """What the tests share."""

    def __init__(self, folder, server, page):
        self.folder, self.server, self.address, self.page = folder, server, server.url, page
        self.long = folder / "long.wav"
        served_page.join_recordings(SENTENCES, 2, self.long)


def asking(address, recording):
    """A running curl that asks the API for a recording's text."""
    return subprocess.Popen(["curl", "-sS", f"{address}/v1/audio/transcriptions",
                             "-F", "model=tiny", "-F", f"file=@{recording}"],
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def ask(address, recording):
    """What the API answers."""
    return json.loads(asking(address, recording).communicate()[0])


def test_options_are_those_of_the_server(place):
    page = place.page
    page.open(place.address)
    options = json.loads(place.server.get("/v1/options")[2])["data"]
    options = {one["name"]: one for one in options}
    expect(options["beam_size"]["most"] == 64, "bounds of the table")
    expect("task" not in options, "what forms cannot set is left out")
    fields = page.script("return [...document.querySelectorAll('#options [id^=option-]')]"
                         ".filter((one) => !one.id.endsWith('-help')).map((one) => one.id)")
    own = {"language", "word_timestamps"}
    expect({f"option-{name}" for name in options if name not in own} == set(fields),
           f"a field for each option, not {fields}")
    expect([one.text for one in page.all("#language option")] == ["English"],
           "the languages of the model")
    expect(not page.one("translate").is_enabled(), "an English model translates nothing")


def test_text_comes_while_it_is_decoded(place):
    page = place.page
    page.take(place.long)
    page.start()
    page.wait(page.segments)
    expect(page.one("cancel").is_displayed(), "text comes before the end")
    seen = len(page.segments())
    page.wait(lambda: page.script("return document.getElementById('progress').value") > 0)
    page.finish()
    expect(len(page.segments()) > seen, f"more than the first {seen} segments come")


def test_every_format_is_saved(place):
    page = place.page
    folder = place.folder / "cli"
    subprocess.run([running_server.PROGRAM, "transcribe", running_server.model("tiny.en"),
                    place.long, "-f", "all", "-o", folder, "--word-timestamps", "--threads", "1",
                    "-q"], check=True)
    with (folder / "long.json").open() as file:
        texts = [one["text"].strip() for one in json.load(file)["segments"]]
    expect(page.segments() == texts, "the page shows what is saved")
    buttons = page.all("#formats button")
    expect([one.text for one in buttons] == list(FORMATS), "a button for each format")
    for button in buttons:
        page.press(button)
        name = f"long.{button.text}"
        saved = place.folder / name
        served_page.wait_for(saved.exists, f"{name} is there", 5)
        expect(saved.read_bytes() == (folder / name).read_bytes(),
               f"{name} is what `transcribe` writes")


def test_segments_and_words_play(place):
    page = place.page
    with (place.folder / "cli/long.json").open() as file:
        segments = json.load(file)["segments"]
    buttons = page.all("#segments button")
    page.press(buttons[2])
    begin = segments[2]["start"]
    page.wait(lambda: page.time() > begin, 5)
    expect(page.time() < begin + 2.5, f"it plays from {begin} s, not from {page.time()} s")
    seen = []

    def sees_three_words():
        seen.extend(page.words_now())
        return len(set(seen)) >= 3

    page.wait(sees_three_words, 8)
    spoken = [one["word"].strip() for one in segments[2]["words"] + segments[3]["words"]]
    order = [spoken.index(word) for word, _ in itertools.groupby(seen)]
    expect(order == sorted(order), f"words are marked in their order: {seen}")
    word = page.all("#segments li:nth-child(5) .word")[2]
    page.press(word)
    wanted = segments[4]["words"][2]["start"]
    page.wait(lambda: abs(page.time() - wanted) < 2.5, 5)
    page.click("play")
    page.wait(lambda: page.script("return document.getElementById('audio').paused"), 5)
    expect(page.one("play").get_attribute("aria-label") == "Play", "the button says what it does")


def test_it_fits_a_phone(place):
    page = place.page
    for is_open in (False, True):
        page.look(360, 740)
        page.script("document.getElementById('more').open = arguments[0]", is_open)
        width = page.script("return document.documentElement.scrollWidth")
        expect(width <= 360, f"{width} pixels are needed")
    page.script("document.getElementById('more').open = false")
    page.look(1100, 900)


def test_cancelling_ends_the_work(place):
    page = place.page
    page.start()
    page.wait(page.segments)
    expect(place.server.metric("whisper_s4y_workers_busy") == 1, "it works")
    page.click("cancel")
    begin = time.monotonic()
    page.wait(lambda: place.server.metric("whisper_s4y_workers_busy") == 0, 5)
    expect(time.monotonic() - begin < 2, "the work ends at once")
    expect(page.status() == "Cancelled.", f"the status is “{page.status()}”")


def test_options_are_sent(place):
    page = place.page
    page.take(SENTENCES)
    page.script("document.getElementById('more').open = true")
    page.click("option-without_timestamps")
    page.start()
    page.finish()
    expect(len(page.segments()) == 2, f"a segment for 30 s each, not {len(page.segments())}")
    page.click("option-without_timestamps")
    page.one("option-beam_size").send_keys("65")
    page.script("document.getElementById('more').open = false")
    page.click("start")
    expect(page.one("option-beam_size").is_displayed(), "a field that is wrong is shown")
    expect(page.one("start").is_displayed(), "and nothing is sent")
    page.one("option-beam_size").clear()
    page.script("document.getElementById('more').open = false")


def test_a_full_server_is_asked_again(place):
    page = place.page
    page.take(SPEECH / "jfk.flac")
    other = asking(place.address, place.long)
    page.wait(lambda: place.server.metric("whisper_s4y_workers_busy") == 1)
    page.start()
    page.script("const wait = setTimeout; setTimeout = (then, ms) => wait(then, ms / 50)")
    page.wait(lambda: "Trying again in" in page.status(), 10)
    expect(not page.is_wrong(), "that is no error")
    other.kill()
    other.communicate()
    page.finish()
    answer = ask(place.address, SPEECH / "jfk.flac")
    expect(" ".join(page.segments()) == answer["text"], "the text is that of the API")


def test_errors_are_sentences(place):
    page = place.page
    nothing = place.folder / "notes.txt"
    nothing.write_text("This is no recording.")
    page.take(nothing)
    page.start()
    page.wait(page.is_wrong, 10)
    answer = ask(place.address, nothing)
    expect(page.status() == answer["error"]["message"], f"the status is “{page.status()}”")


def test_the_microphone_is_recorded(place):
    page = place.page
    page.click("other")
    page.click("record")
    page.wait(lambda: page.one("stop").is_displayed(), 10)
    page.wait(lambda: page.one("recorded").text >= "0:06", 15)
    page.click("stop")
    page.wait(lambda: page.one("player").is_displayed(), 10)
    expect(page.one("length").text >= "0:05", f"the recording is {page.one('length').text} long")
    page.start()
    page.finish()
    text = " ".join(page.segments()).lower()
    expect("sockets" in text or "wall" in text, f"what is heard is “{text}”")
    page.driver.get(place.address.replace("127.0.0.1", "page.test"))
    page.wait(lambda: page.one("no-microphone").is_displayed(), 10)
    expect("https or localhost" in page.one("no-microphone").text, "why there is no microphone")
    expect(not page.one("record").is_displayed(), "then there is no button")


def test_the_keyboard_is_enough(place):
    page = place.page
    page.open(place.address)
    names = []
    for _ in range(9):
        ActionChains(page.driver).send_keys(Keys.TAB).perform()
        here = page.driver.switch_to.active_element
        names.append(here.get_attribute("id") or here.get_attribute("value") or here.tag_name)
        if names[-1] == "summary":
            break
    expect(names == ["file", "record", "model", "language", "transcribe", "summary"],
           f"the order is {names}")
    style = page.script("return getComputedStyle(document.activeElement).outlineStyle")
    expect(style == "solid", "one sees where one is")


def test_a_key_is_asked_for(place):
    page = place.page
    with served_page.serve(served_page.tiny(), "--api-key", "open,sesame") as server:
        page.open(server.url)
        page.wait(page.is_asking, 10)
        page.one("key").send_keys("wrong" + Keys.ENTER)
        page.wait(lambda: "not one of this server's" in page.one("key-text").text, 10)
        page.one("key").send_keys("sesame" + Keys.ENTER)
        page.wait(lambda: page.all("#model option"), 10)
        page.take(SPEECH / "jfk.flac")
        page.start()
        page.finish()
        expect("ask not" in " ".join(page.segments()), "it works with the key")
        page.driver.refresh()
        page.wait(lambda: page.all("#model option"), 10)
        expect(not page.is_asking(), "the key is kept in the tab")


def test_speech_is_translated(place):
    page = place.page
    base = f"base={running_server.model('base')}"
    with served_page.serve(served_page.tiny(), base, "--lazy") as server:
        page.open(server.url)
        page.choose("model", "base")
        expect([one.text for one in page.all("#language option")] == ["Detect"],
               "a model that was never open has told no languages")
        page.take(SPEECH / "leopard_test_de.wav")
        page.click("translate")
        page.start()
        page.finish()
        expect(server.log_line("/v1/audio/translations")["language"] == "de", "the language is found")
        words = " ".join(page.segments()).lower().split()
        expect("the" in words and "der" not in words, f"that is no English: {words}")
        languages = [one.text for one in page.all("#language option")]
        expect(languages[:2] == ["Detect", "Afrikaans"], f"then it has: {languages}")
        expect(len(languages) == 100, f"{len(languages)} are offered")


def test_nothing_else_is_asked(place):
    urls = place.page.collect_requests()
    mine = ("http://127.0.0.1:", "http://page.test:", "blob:")
    foreign = [url for url in urls if not url.startswith(mine)]
    expect(len(urls) > 30 and not foreign, f"no other host is asked: {foreign}")
    logged = [one["message"] for one in place.page.driver.get_log("browser")
              if one["level"] == "SEVERE" and " 4" not in one["message"]]
    expect(not logged, f"nothing goes wrong in the page: {logged}")


def take_screenshots(place, folder):
    """docs/ has them: the page with a transcript, on a desk and on a phone."""
    page = place.page
    page.open(place.address)
    page.take(SENTENCES)
    page.start()
    page.finish()
    for name, size, scheme in (("page", (1100, 900), "light"),
                               ("page-phone", (360, 740), "dark")):
        page.look(*size, scheme)
        page.press(page.all("#segments button")[1])
        page.wait(lambda: page.words_now() == ["into"], 8)
        page.click("play")
        page.script("(arguments[0] ? document.getElementById('result') : document.body)"
                    ".scrollIntoView({behavior: 'instant'})", scheme == "dark")
        page.driver.save_screenshot(str(folder / f"{name}.png"))


TESTS = [value for name, value in list(globals().items()) if name.startswith("test_")]

with tempfile.TemporaryDirectory() as name:
    opened = served_page.Page(downloads=name)
    try:
        with served_page.serve(served_page.tiny(), "--workers", "1", "--queue", "0") as running:
            shared = Place(pathlib.Path(name), running, opened)
            opened.look(1100, 900)
            if "--screenshots" in sys.argv:
                take_screenshots(shared, pathlib.Path(sys.argv[-1]))
            else:
                served_page.run_tests(TESTS, shared)
    finally:
        opened.quit()
served_page.end()
