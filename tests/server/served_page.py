"""The page of a running server, open in Chromium, for tests."""

import json
import os
import pathlib
import shutil
import sys
import time
import wave

import running_server
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

running_server.skip_without_models()
SPEECH = running_server.SPEECH.resolve()
# Sentences with pauses, 46 s.
SENTENCES = SPEECH / "OSR_us_000_0030_16k.wav"
FAILURES = []


def skip(reason):
    print("SKIPPED:", reason)
    sys.exit(77)


def expect(condition, what):
    if not condition:
        FAILURES.append(what)
        print("FAILED:", what)


def wait_for(condition, what, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        result = condition()
        if result:
            return result
        time.sleep(0.02)
    raise AssertionError(f"after {seconds} s not: {what}")


def join_recordings(recording, times, path):
    with wave.open(str(recording)) as source, wave.open(str(path), "wb") as target:
        target.setparams(source.getparams())
        samples = source.readframes(source.getnframes())
        for _ in range(times):
            target.writeframes(samples)


def serve(*arguments):
    """A server; one thread, because the browser has work too."""
    return running_server.Server("--threads", "1", *arguments)


def tiny():
    """What serves tiny.en as "tiny"."""
    return f"tiny={running_server.model('tiny.en')}"


class Page:
    """The page in a browser of its own."""

    def __init__(self, downloads, microphone=SENTENCES, gpu=("--disable-gpu",)):
        browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
        if not browser or not driver:
            skip("there is no chromium with chromedriver (scripts/setup --browser installs them)")
        options = webdriver.ChromeOptions()
        options.binary_location = browser
        for argument in (
            "--headless=new", *gpu, "--disable-dev-shm-usage", "--hide-scrollbars",
            "--no-first-run", "--disable-background-networking", "--disable-component-update",
            "--autoplay-policy=no-user-gesture-required",
            "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
            f"--use-file-for-fake-audio-capture={microphone}",
            "--host-resolver-rules=MAP page.test 127.0.0.1",
        ):
            options.add_argument(argument)
        if os.getuid() == 0:  # the sandbox of Chromium is not for root
            options.add_argument("--no-sandbox")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
        self.driver.execute_cdp_cmd(
            "Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(downloads)})
        self.requested = []

    def quit(self):
        self.driver.quit()

    def open(self, address):
        self.driver.get(address + "/")
        self.wait(lambda: self.one("model").find_elements(By.TAG_NAME, "option") or self.is_asking())

    def look(self, width, height, scheme="light", scale=1):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": scale, "mobile": width < 500})
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "features": [{"name": "prefers-color-scheme", "value": scheme}]})

    def script(self, text, *arguments):
        return self.driver.execute_script(text, *arguments)

    def wait(self, condition, seconds=300):
        return wait_for(condition, f"what is waited for; the status is “{self.status()}”", seconds)

    def one(self, name):
        return self.driver.find_element(By.ID, name)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def click(self, name):
        self.press(self.one(name))

    def press(self, element):
        # Not under the player.
        self.script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", element)
        element.click()

    def choose(self, name, text):
        Select(self.one(name)).select_by_visible_text(text)

    def status(self):
        return self.one("status").text

    def is_wrong(self):
        return "error" in self.one("status").get_attribute("class")

    def is_asking(self):
        return self.script("return document.getElementById('key-dialog').open")

    def take(self, recording):
        if self.one("other").is_displayed():
            self.click("other")
        self.one("file").send_keys(str(recording))
        self.wait(lambda: self.one("name").text == pathlib.Path(recording).name)

    def start(self):
        self.click("start")

    def finish(self):
        self.wait(lambda: self.status().startswith("Done") or self.is_wrong())
        expect(not self.is_wrong(), f"the page says: {self.status()}")

    def segments(self):
        return self.script(
            "return [...document.querySelectorAll('#segments p')].map((p) => p.textContent)")

    def time(self):
        return self.script("return document.getElementById('audio').currentTime")

    def words_now(self):
        return self.script(
            "return [...document.querySelectorAll('.word.current')].map((one) => one.textContent)")

    def collect_requests(self):
        """All URLs that were asked for so far."""
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                self.requested.append(message["params"]["request"]["url"])
        return self.requested


def run_tests(tests, *arguments):
    """Runs them one after the other and ends the process."""
    for test in tests:
        begin = time.monotonic()
        try:
            test(*arguments)
        except Exception as error:  # the next ones have something to tell as well
            expect(False, f"{test.__name__}: {type(error).__name__}: {str(error).splitlines()[0]}")
        print(f"{time.monotonic() - begin:6.1f} s  {test.__name__}", flush=True)


def end():
    print(f"{len(FAILURES)} failures" if FAILURES else "All passed")
    sys.exit(1 if FAILURES else 0)
