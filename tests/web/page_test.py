#!/usr/bin/env python3
"""The page of web/demo, as somebody uses it in Chromium.

    page_test.py WHISPER_S4Y SHARED_FOLDER [--screenshots FOLDER]
"""

import gzip
import pathlib
import sys
import time

import web_site as site
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from web_site import SPEECH, check_axe, expect, list_models, wait_for

SENTENCES = SPEECH / "OSR_us_000_0030_16k.wav"


class Slow(site.serve.Handler):
    """Models come slowly; the list of models is what it is set to."""

    listed = None

    def do_GET(self):
        if self.listed is None or not self.path.endswith("models.json"):
            super().do_GET()
            return
        self.answer(200, {"Content-Type": "application/json"}, len(self.listed))
        self.wfile.write(self.listed)

    def send_file(self, source):
        try:
            while piece := source.read(1_000_000):
                self.wfile.write(piece)
                if self.path.endswith(".tflite"):
                    time.sleep(0.2)
        except OSError:
            self.close_connection = True


class DemoPage(site.Page):
    """The page with its models listed."""

    def open(self, address):
        self.driver.get(address + "/")
        self.wait(lambda: self.all("#model option"), 20)

    def focused(self):
        return self.script("return document.activeElement.id")

    def drop(self, *names):
        self.script("""
            const dataTransfer = new DataTransfer();
            for (const name of arguments) dataTransfer.items.add(new File(['sound'], name));
            document.body.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
            """, *names)

    def listening(self):
        return self.one("listening").is_displayed()


def test_a_recording_becomes_text(page, place):
    page.open(place.url)
    offered = [one.text for one in page.all("#model option")]
    expect(offered == ["tiny.en · English", "base · 99 languages"], f"the models are {offered}")
    size = f"{place.path.stat().st_size / 1e6:.0f} MB"
    expect(page.one("model-facts").text == f"The model ({size}) is fetched when it is first used, and kept.",
           "its size is told before")
    check_axe(page, "nothing chosen")
    page.take(SENTENCES)
    page.start()
    page.wait(page.segments)
    expect(page.one("cancel").is_displayed(), "text comes before the end")
    page.wait(lambda: page.one("ahead").text, 20)
    expect("tokens per second" in page.one("speed-now").text, "how fast it is is told")
    page.finish()
    wanted = site.transcript(place.path, SENTENCES)["segments"]
    texts = [one["text"].strip() for one in wanted]
    expect(page.segments() == texts, f"it is the program's text: {page.segments()}")
    expect("in this browser" in page.one("model-facts").text, "the model is kept")
    check_axe(page, "transcript")


def test_segments_play(page, place):
    wanted = site.transcript(place.path, SENTENCES)["segments"]
    buttons = page.all("#segments button")
    page.press(buttons[2])
    begin = wanted[2]["start"]
    page.wait(lambda: page.time() > begin, 5)
    expect(page.time() < begin + 2.5, f"it plays from {begin} s, not from {page.time()} s")
    page.wait(lambda: page.script("return document.querySelector('#segments li.current p').textContent")
              == wanted[2]["text"].strip(), 5)
    page.click("play")


def test_subtitles_are_saved(page, place):
    folder = place.folder / "cli"
    site.subprocess.run([site.PROGRAM, "transcribe", place.path, SENTENCES, "-f", "all", "-o", folder,
                         "-q"], check=True)
    for button in page.all("#formats button"):
        page.press(button)
        name = f"{SENTENCES.stem}.{button.text}"
        saved = place.folder / name
        wait_for(saved.exists, f"{name} is there", 5)
        mine, theirs = saved.read_text(), (folder / name).read_text()
        # Times are the model's, which int8 moves by a step or two.
        same = mine.count("\n") == theirs.count("\n") and [
            line for line in mine.splitlines() if "-->" not in line] == [
            line for line in theirs.splitlines() if "-->" not in line]
        expect(same, f"{name}: {mine[:300]}")


def test_text_has_its_language_and_direction(page, _place):
    marks = page.script("return [...document.querySelectorAll('#segments p')].map(({ dir, lang }) => dir + lang)")
    expect(marks and set(marks) == {"autoen"}, f"they are {marks}")


def test_the_player_covers_nothing(page, _place):
    page.look(320, 640)
    page.script("scrollTo({ top: 0, behavior: 'instant' })")
    page.click("other")
    page.script("scrollTo({ top: 0, behavior: 'instant' })")
    page.one("file").send_keys(str(SENTENCES))
    page.wait(lambda: page.one("player").is_displayed(), 10)
    page.wait(lambda: page.script("""
        const { left, top, width, height } = document.getElementById('start').getBoundingClientRect();
        return document.elementFromPoint(left + width / 2, top + height - 2)?.id;
        """) == "start", 5)
    page.look(1100, 900)


def test_one_file_is_taken_at_a_time(page, _place):
    before = page.one("name").text
    page.drop("a.wav", "b.wav")
    expect(page.status() == "One recording is taken at a time: drop a single file.", f"“{page.status()}”")
    page.start()
    page.drop("c.wav")
    expect("drop the file again when that is done" in page.status(), f"“{page.status()}”")
    page.wait(lambda: page.one("cancel").is_displayed(), 5)
    page.click("cancel")
    page.wait(lambda: page.status() == "Cancelled.", 5)
    expect(page.one("name").text == before, "the first one stays")


def test_it_fits_a_phone(page, _place):
    page.look(360, 740)
    width = page.script("return document.documentElement.scrollWidth")
    expect(width <= 360, f"{width} pixels are needed")
    page.look(1100, 900)


def test_work_is_cancelled(page, _place):
    page.start()
    page.wait(page.segments)
    page.click("cancel")
    page.wait(lambda: page.status() == "Cancelled.", 5)
    expect(page.one("start").is_displayed(), "it can be begun again")


def test_what_is_no_recording_is_refused(page, place):
    nothing = place.folder / "notes.txt"
    nothing.write_text("This is no recording.")
    page.take(nothing)
    page.start()
    page.wait(page.is_wrong, 20)
    expect(page.status() == "notes.txt is no recording that this browser can decode.",
           f"the status is “{page.status()}”")
    check_axe(page, "error")


def test_the_microphone_is_recorded(page, _place):
    page.click("other")
    page.click("record")
    page.wait(lambda: page.one("stop").is_displayed(), 10)
    check_axe(page, "recording")
    page.wait(lambda: page.one("recorded").text >= "0:06", 15)
    page.click("stop")
    page.wait(lambda: page.one("player").is_displayed(), 10)
    page.start()
    page.finish()
    text = " ".join(page.segments()).lower()
    expect("sockets" in text or "wall" in text, f"what is heard is “{text}”")


def test_captions_come_while_somebody_speaks(page, _place):
    page.click("other")
    page.click("live")
    page.wait(page.listening, 20)
    page.wait(lambda: page.one("captions").text.strip(), 30)
    check_axe(page, "listening")
    page.wait(lambda: len(page.segments()) >= 2, 60)
    page.click("hush")
    page.wait(lambda: not page.listening(), 60)
    page.wait(lambda: page.focused() == "live", 5)
    expect(page.status() == "", f"the status is “{page.status()}”")
    # The fake microphone begins anew whenever it is opened, and is cut into utterances.
    text = " ".join(page.segments()).lower()
    expect(any(word in text for word in ("sockets", "child", "bribes", "grass")), f"the captions are “{text}”")
    expect(page.one("save").is_displayed(), "they can be saved")


def test_captions_end_with_the_microphone(page, _place):
    page.script("""
        const open = navigator.mediaDevices.getUserMedia;
        navigator.mediaDevices.getUserMedia = async (wanted) => (window.heard = await open.call(navigator.mediaDevices, wanted));
        """)
    page.click("live")
    page.wait(page.listening, 20)
    page.wait(lambda: page.one("captions").text.strip(), 30)
    page.script("for (const track of heard.getTracks()) track.stop()")
    page.wait(lambda: not page.listening(), 30)
    expect(page.status() == "The microphone has gone: the captions end here.", f"“{page.status()}”")
    expect(page.segments(), "what was said is kept")
    page.click("live")
    page.wait(page.listening, 20)
    page.click("cancel")
    page.wait(lambda: not page.listening(), 10)
    expect(page.focused() == "live" and page.status() == "Cancelled.", f"{page.focused()}: {page.status()}")


def test_a_microphone_that_is_denied_is_told(page, _place):
    page.script("""
        navigator.mediaDevices.getUserMedia = async () => {
          throw new DOMException('Permission denied', 'NotAllowedError');
        };
        """)
    page.click("live")
    page.wait(page.is_wrong, 20)
    expect(page.status().startswith("The browser does not let this page use the microphone"), f"“{page.status()}”")
    expect(page.focused() == "live", f"the focus is at {page.focused()}")


def test_a_multilingual_model_detects_and_translates(page, _place):
    page.choose("model", "base · 99 languages")
    languages = [one.text for one in page.all("#language option")]
    expect(languages[:2] == ["Detect", "Afrikaans"] and len(languages) == 100, f"offered: {languages[:3]}")
    page.take(SPEECH / "leopard_test_de.wav")
    page.click("translate")
    page.start()
    page.finish()
    words = " ".join(page.segments()).lower().split()
    expect("the" in words and "der" not in words, f"that is no English: {words}")
    expect("German" in page.one("about").text, "the language is told")


def test_the_keyboard_is_enough(page, place):
    page.open(place.url)
    names = []
    for _ in range(7):
        ActionChains(page.driver).send_keys(Keys.TAB).perform()
        here = page.driver.switch_to.active_element
        names.append(here.get_attribute("id") or here.get_attribute("value"))
    expect(names == ["file", "record", "live", "model", "language", "transcribe", "forget"]
           or names == ["file", "record", "live", "model", "language", "transcribe", "file"],
           f"the order is {names}")
    style = page.script("return getComputedStyle(document.activeElement).outlineStyle")
    expect(style == "solid", "one sees where one is")


def test_it_is_light(_page, _place):
    files = [site.SITE / name for name in ("index.html", "style.css", "demo.css", "main.js", "whisper-s4y.js",
                                           "worker.js", "icon.svg", "manifest.webmanifest",
                                           "service_worker.js", "litert/litert_wasm_threaded_internal.js",
                                           "litert/litert_wasm_threaded_internal.wasm")]
    size = sum(len(gzip.compress(file.read_bytes(), 9)) for file in files)
    print(f"the page is {size / 1e6:.2f} MB compressed, without a model")
    expect(size <= 3.2e6, f"{size} bytes are too many")


def test_nothing_else_is_asked(page, place):
    foreign = [url for url in page.collect_requests() if not url.startswith((place.url, "blob:", "data:"))]
    expect(len(page.requested) > 10 and not foreign, f"no other host is asked: {foreign}")


def test_a_model_that_is_old_is_fetched_again(page, place):
    page.open(place.url)
    page.script("""
        return caches.open('whisper-s4y').then((cache) =>
          cache.put(new URL('models/whisper-tiny.en.tflite', location).href, new Response('old')));
        """)
    page.take(SPEECH / "jfk.flac")
    page.start()
    page.finish()
    expect("ask not what your country" in " ".join(page.segments()), f"the text is {page.segments()}")


def test_a_download_is_cancelled(page, place):
    Slow.listed = None
    with site.Serving(Slow) as other:
        page.open(other)
        page.take(SPEECH / "jfk.flac")
        page.start()
        page.wait(lambda: " of " in page.one("speed-now").text, 20)
        expect(page.status() == "Fetching the model.", f"“{page.status()}”")
        page.click("cancel")
        page.wait(lambda: page.status() == "Cancelled.", 2)
        page.click("other")
        page.script("navigator.mediaDevices.getUserMedia = async () => (window.wasAsked = true)")
        page.click("live")
        page.wait(lambda: " of " in page.one("speed-now").text, 20)
        page.click("cancel")
        page.wait(lambda: page.status() == "Cancelled." and page.focused() == "live", 2)
        expect(not page.script("return window.wasAsked"), "the microphone waits for the model")
    page.open(place.url)


def test_a_list_that_is_none_is_told(page, place):
    for listed, words in ((b'{"models": [], "vad": ""}', "There are no models here"), (b"{", "is damaged"),
                          (b"null", "is damaged"), (b'{"models": [{}], "vad": ""}', "is damaged")):
        Slow.listed = listed
        with site.Serving(Slow) as other:
            page.driver.get(other + "/")
            page.wait(page.is_wrong, 20)
            expect(words in page.status(), f"{listed}: “{page.status()}”")
            page.take(SPEECH / "jfk.flac")
            page.start()
            page.wait(page.is_wrong, 20)
            expect(words in page.status(), f"{listed}, begun: “{page.status()}”")
    page.open(place.url)


def test_it_can_be_loaded_past_its_cache(page, _place):
    page.script("document.getElementById('model').replaceChildren()")
    page.driver.execute_cdp_cmd("Page.reload", {"ignoreCache": True})
    page.wait(lambda: page.all("#model option"), 20)
    expect(page.status() == "", f"the status is “{page.status()}”")


def test_it_works_without_a_network(page, place):
    place.serving.__exit__()
    page.driver.get(place.url + "/")
    page.wait(lambda: page.all("#model option"), 20)
    page.take(SPEECH / "jfk.flac")
    begin = time.monotonic()
    page.start()
    page.finish()
    print(f"without a network, text after {time.monotonic() - begin:.1f} s, the model's loading included")
    expect("ask not what your country" in " ".join(page.segments()), f"the text is {page.segments()}")


def test_the_model_can_be_removed(page, _place):
    page.click("forget")
    page.wait(lambda: "is fetched when" in page.one("model-facts").text, 5)
    expect(not page.one("forget").is_displayed(), "then there is nothing to remove")


def take_screenshots(page, place, folder):
    """docs/ has it: the page with a transcript."""
    page.open(place.url)
    page.take(SENTENCES)
    page.start()
    page.finish()
    page.look(1100, 900)
    page.press(page.all("#segments button")[1])
    page.wait(lambda: page.time() > 6, 8)
    page.click("play")
    page.script("scrollTo({top: 0, behavior: 'instant'})")
    page.driver.save_screenshot(str(folder / "web.png"))


class Place:
    """What the tests share."""

    def __init__(self, url, serving):
        self.url, self.serving = url, serving
        self.folder = pathlib.Path(site.FOLDER.name)
        self.path, _ = site.model("tiny.en")
        site.model("base")
        site.vad()
        list_models.write_list(site.PROGRAM, site.SITE / "models")


TESTS = [value for name, value in list(globals().items()) if name.startswith("test_")]

site.build(site.SITE)
opened = DemoPage()
try:
    running = site.Serving()
    shared = Place(running.__enter__(), running)
    opened.look(1100, 900)
    if "--screenshots" in sys.argv:
        take_screenshots(opened, shared, pathlib.Path(sys.argv[-1]))
    else:
        site.run_tests(TESTS, opened, shared)
finally:
    opened.quit()
site.end()
