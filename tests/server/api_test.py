#!/usr/bin/env python3
"""OpenAI's own client, curl and bare sockets at the running server.

    api_test.py WHISPER_S4Y SHARED_FOLDER
"""

import io
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

import openai
from openai.types.audio import (
    Transcription,
    TranscriptionTextDeltaEvent,
    TranscriptionTextDoneEvent,
    TranscriptionVerbose,
    TranslationVerbose,
)
from running_server import PROGRAM, SPEECH, Server, main, model, transcript

JFK = SPEECH / "jfk.flac"
GERMAN = SPEECH / "leopard_test_de.wav"
HARVARD = SPEECH / "harvard-16k.wav"
OSR = SPEECH / "OSR_us_000_0030_16k.wav"


def ogg_checksum(page):
    """CRC-32 as Ogg has it: neither reflected nor inverted."""
    checksum = 0
    for byte in page:
        checksum ^= byte << 24
        for _ in range(8):
            checksum = (checksum << 1) ^ (0x104C11DB7 if checksum & 0x80000000 else 0)
    return checksum


def ending_after(seconds, opus):
    """The file, whose last page says that the sound ends then."""
    begin = opus.rindex(b"OggS")
    page = bytearray(opus[begin:])
    page[6:14] = (48000 * seconds).to_bytes(8, "little")
    page[22:26] = bytes(4)
    page[22:26] = ogg_checksum(page).to_bytes(4, "little")
    return opus[:begin] + bytes(page)


def trimmed(result):
    return result["text"].strip()


def curl(*arguments):
    result = subprocess.run(["curl", "-s", "-w", "\n%{http_code}", *map(str, arguments)],
                            capture_output=True, text=True, check=True)
    body, _, status = result.stdout.rpartition("\n")
    return int(status), body


class WithServer(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(
            Server(f"base={model('base')}", f"english={model('tiny.en')}"))
        cls.client = openai.OpenAI(base_url=cls.server.url + "/v1", api_key="any", max_retries=0)
        cls.create = staticmethod(cls.client.audio.transcriptions.create)


class OpenAiClient(WithServer):
    def test_json(self):
        answer = self.create(model="whisper-1", file=JFK)
        self.assertIsInstance(answer, Transcription)
        self.assertEqual(answer.text, trimmed(transcript("base", JFK)))
        self.assertEqual(answer.usage.type, "duration")
        self.assertEqual(answer.usage.seconds, 11)

    def test_models_by_name(self):
        self.assertEqual([one.id for one in self.client.models.list()], ["base", "english"])
        self.assertEqual(self.client.models.retrieve("english").id, "english")
        answer = self.create(model="english", file=JFK)
        self.assertEqual(answer.text, trimmed(transcript("tiny.en", JFK)))
        with self.assertRaises(openai.NotFoundError) as error:
            self.create(model="large", file=JFK)
        self.assertEqual(error.exception.code, "model_not_found")
        with self.assertRaises(openai.NotFoundError):
            self.client.models.retrieve("large")

    def test_verbose_json(self):
        expected = transcript("base", JFK, "--word-timestamps")
        answer = self.create(model="base", file=JFK, response_format="verbose_json",
                             timestamp_granularities=["word", "segment"])
        self.assertIsInstance(answer, TranscriptionVerbose)
        TranscriptionVerbose.model_validate(answer.model_dump(), strict=True)
        self.assertEqual(answer.language, "english")
        self.assertEqual(answer.text, trimmed(expected))
        self.assertEqual([one.text for one in answer.segments],
                         [one["text"] for one in expected["segments"]])
        self.assertEqual([one.tokens for one in answer.segments],
                         [one["tokens"] for one in expected["segments"]])
        self.assertEqual([one.word for one in answer.words],
                         [word["word"].strip() for one in expected["segments"]
                          for word in one["words"]])
        self.assertAlmostEqual(answer.duration, 11.0)

    def test_granularities(self):
        words = self.create(model="base", file=JFK, response_format="verbose_json",
                            timestamp_granularities=["word"])
        self.assertIsNone(words.segments)
        self.assertTrue(words.words)
        segments = self.create(model="base", file=JFK, response_format="verbose_json")
        self.assertIsNone(segments.words)
        self.assertTrue(segments.segments)

    def test_text_and_subtitles(self):
        for response_format, ending in (("srt", "srt"), ("vtt", "vtt")):
            answer = self.create(model="base", file=HARVARD, response_format=response_format)
            self.assertEqual(answer, self.file_of(HARVARD, ending))
        answer = self.create(model="base", file=HARVARD, response_format="text")
        self.assertEqual(answer.strip(), trimmed(transcript("base", HARVARD)))

    def file_of(self, recording, ending):
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        subprocess.run([PROGRAM, "transcribe", model("base"), recording, "-f", ending, "-o", folder,
                        "-q"], check=True)
        return (folder / f"{recording.stem}.{ending}").read_text()

    def test_stream(self):
        whole = self.create(model="base", file=OSR)
        deltas, done = [], []
        for event in self.create(model="base", file=OSR, stream=True,
                                 include=["logprobs"]):
            if isinstance(event, TranscriptionTextDeltaEvent):
                self.assertFalse(done)
                self.assertTrue(event.logprobs)
                deltas.append(event.delta)
            else:
                self.assertIsInstance(event, TranscriptionTextDoneEvent)
                done.append(event)
        self.assertGreater(len(deltas), 2)
        self.assertEqual("".join(deltas), whole.text)
        self.assertEqual([one.text for one in done], [whole.text])

    def test_the_page(self):
        _, headers, _ = self.server.get("/")
        self.assertEqual(headers["Content-Type"], "text/html; charset=utf-8")
        self.assertEqual(headers["Cache-Control"], "no-cache")
        self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
        self.assertTrue(headers["Content-Security-Policy"].startswith("default-src 'none';"))
        for name, kind in (("main.js", "text/javascript"), ("style.css", "text/css"),
                           ("icon.svg", "image/svg+xml")):
            _, its_headers, _ = self.server.get(f"/page/{name}")
            self.assertEqual(its_headers["Content-Type"].split(";")[0], kind)
        status, _, body = self.server.get("/", **{"If-None-Match": headers["ETag"]})
        self.assertEqual((status, body), (304, ""))
        for path in ("/page/none.js", "/page/", "/page/../page.cc", "/page/%2e%2e/page.cc"):
            self.assertEqual(self.server.get(path)[0], 404, path)

    def test_verbose_stream(self):
        url = f"{self.server.url}/v1/audio/transcriptions"
        fields = ["model=base", f"file=@{HARVARD}", "response_format=verbose_json",
                  "timestamp_granularities[]=word", "timestamp_granularities[]=segment"]
        fields = [part for field in fields for part in ("-F", field)]
        whole = json.loads(curl(url, *fields)[1])
        _, body = curl(url, *fields, "-F", "stream=true")
        events = [json.loads(line[5:]) for line in body.splitlines() if line.startswith("data:")]
        of_type = {one["type"]: [event for event in events if event["type"] == one["type"]]
                   for one in events}
        self.assertEqual(events[-1]["transcript"], whole)
        segments = of_type["transcript.text.segment"]
        self.assertEqual([(one["start"], one["end"], one["text"]) for one in segments],
                         [(one["start"], one["end"], one["text"]) for one in whole["segments"]])
        self.assertEqual([word for one in segments for word in one["words"]], whole["words"])
        self.assertEqual("".join(one["delta"] for one in of_type["transcript.text.delta"]),
                         whole["text"])
        for progress in of_type["transcript.progress"]:
            self.assertLessEqual(progress["done"], progress["total"])

    def test_logprobs(self):
        answer = self.create(model="base", file=JFK, include=["logprobs"])
        self.assertEqual(b"".join(bytes(map(int, one.bytes)) for one in answer.logprobs).decode().strip(),
                         answer.text)
        self.assertTrue(all(one.logprob <= 0 for one in answer.logprobs))

    def test_language_prompt_and_translation(self):
        german = self.create(model="base", file=GERMAN, language="de")
        self.assertEqual(german.text, trimmed(transcript("base", GERMAN, "--language", "de")))
        english = self.client.audio.translations.create(model="base", file=GERMAN,
                                                        response_format="verbose_json")
        self.assertIsInstance(english, TranslationVerbose)
        self.assertEqual(english.language, "english")
        self.assertEqual(english.text, trimmed(transcript("base", GERMAN, "--task", "translate")))

    def test_options_beyond(self):
        answer = self.create(model="base", file=HARVARD, extra_body={
            "beam_size": 3, "vad_filter": True, "hotwords": "pastor", "nonsense": 1})
        expected = transcript("base", HARVARD, "--beam-size", "3", "--vad", "--hotwords", "pastor")
        self.assertEqual(answer.text, trimmed(expected))

    def test_chunking(self):
        vad = transcript("base", HARVARD, "--vad")
        self.assertEqual(self.create(model="base", file=HARVARD, chunking_strategy="auto").text,
                         trimmed(vad))
        answer = self.create(model="base", file=HARVARD, chunking_strategy={
            "type": "server_vad", "threshold": 0.4, "silence_duration_ms": 600})
        self.assertEqual(answer.text, trimmed(transcript(
            "base", HARVARD, "--vad", "--vad-threshold", "0.4", "--vad-min-silence-duration-ms", "600")))

    def test_keywords_and_languages(self):
        answer = self.create(model="base", file=GERMAN, keywords=["Portal", "Vorhalle"],
                             languages=["de", "en"])
        expected = transcript("base", GERMAN, "--languages", "de,en", "--hotwords",
                              "Portal, Vorhalle")
        self.assertEqual(answer.text, trimmed(expected))

    def test_errors(self):
        for wrong, param in (
            ({"language": "klingon"}, "language"),
            ({"temperature": 2}, "temperature"),
            ({"response_format": "diarized_json"}, "response_format"),
            ({"timestamp_granularities": ["word"]}, "timestamp_granularities[]"),
            ({"extra_body": {"beam_size": 0}}, "beam_size"),
            ({"extra_body": {"beam_size": 64}}, "beam_size"),
            ({"extra_body": {"channel": "each"}}, "channel"),
            ({"stream": True, "response_format": "srt"}, "stream"),
        ):
            with self.subTest(wrong), self.assertRaises(openai.BadRequestError) as error:
                self.create(model="base", file=JFK, **wrong)
            self.assertEqual(error.exception.param, param)
            self.assertEqual(error.exception.type, "invalid_request_error")

    def test_a_file_that_is_none(self):
        with self.assertRaises(openai.BadRequestError) as error:
            self.create(model="base", file=("talk.mp3", b"no recording at all" * 100))
        self.assertIn("talk.mp3", error.exception.message)
        with self.assertRaises(openai.BadRequestError):
            self.create(model="base", file=("talk.mp3", b""))
        with self.assertRaises(openai.BadRequestError):
            self.create(model="english", file=GERMAN, language="de")

    def test_what_an_english_model_cannot(self):
        for field, value in (("language", "de"), ("languages", ["de", "en"]), ("multilingual", True)):
            with self.assertRaises(openai.BadRequestError) as error:
                self.create(model="english", file=JFK, extra_body={field: value})
            self.assertEqual(error.exception.param, field)
            self.assertIn("English-only", error.exception.message)

    def test_many_at_once(self):
        expected = {path: trimmed(transcript("base", path)) for path in (JFK, GERMAN, HARVARD)}
        results = []

        def ask(path):
            results.append((path, self.create(model="base", file=path).text))

        threads = [threading.Thread(target=ask, args=(path,)) for path in [*expected] * 3]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(results), 9)
        for path, text in results:
            self.assertEqual(text, expected[path])


class Curl(WithServer):
    def test_file_before_the_fields(self):
        status, body = curl(self.server.url + "/v1/audio/transcriptions", "-F", f"file=@{GERMAN}",
                            "-F", "model=base", "-F", "language=de")
        self.assertEqual(status, 200)
        self.assertEqual(json.loads(body)["text"],
                         trimmed(transcript("base", GERMAN, "--language", "de")))

    def test_chunked_upload(self):
        status, body = curl(self.server.url + "/v1/audio/transcriptions", "-H",
                            "Transfer-Encoding: chunked", "-F", f"file=@{JFK}", "-F", "model=base")
        self.assertEqual(status, 200, body)

    def test_routes(self):
        url = self.server.url
        self.assertEqual(curl(url + "/nowhere")[0], 404)
        self.assertEqual(curl(url + "/v1/audio/transcriptions")[0], 405)
        self.assertEqual(curl("-X", "POST", url + "/v1/audio/transcriptions", "-H",
                              "Content-Type: application/json", "-d", "{}")[0], 415)
        self.assertEqual(curl("-F", "model=base", url + "/v1/audio/transcriptions")[0], 400)
        self.assertEqual(curl("-F", f"file=@{JFK}", url + "/v1/audio/transcriptions")[0], 400)
        self.assertEqual(curl("-I", url + "/v1/models")[0], 200)
        self.assertEqual(curl("-X", "OPTIONS", url + "/v1/models")[0], 204)
        status, headers, _ = self.server.get("/health")
        self.assertEqual(status, 200)
        self.assertRegex(headers["X-Request-Id"], "^req_[0-9a-f]{32}$")

    def test_whisper_cpp(self):
        url = self.server.url + "/inference"
        status, body = curl(url, "-F", f"file=@{JFK}", "-F", "temperature=0.0", "-F",
                            "temperature_inc=0.2", "-F", "response_format=json")
        self.assertEqual(status, 200)
        expected = transcript("base", JFK)
        self.assertEqual(json.loads(body)["text"].split(), expected["text"].split())
        status, body = curl(url, "-F", f"file=@{GERMAN}", "-F", "response_format=verbose_json",
                            "-F", "translate=false", "-F", "beam_size=-1")
        verbose = json.loads(body)
        self.assertEqual(verbose["detected_language"], "german")
        self.assertGreater(verbose["language_probabilities"]["de"], 0.5)
        self.assertTrue(verbose["segments"][0]["words"])
        status, body = curl(url, "-F", f"file=@{JFK}", "-F", "offset_t=5000", "-F", "duration=6000",
                            "-F", "response_format=srt")
        self.assertTrue(body.startswith("1\n00:00:05"), body)
        status, body = curl(url, "-F", "temperature=0")
        self.assertEqual((status, json.loads(body)), (400, {"error": "no 'file' field in the request"}))

    def test_load(self):
        with Server(f"base={model('base')}", f"english={model('tiny.en')}") as server:
            self.assertEqual(curl(server.url + "/load", "-F", "model=english")[0], 200)
            body = json.loads(curl(server.url + "/inference", "-F", f"file=@{JFK}")[1])
            self.assertEqual(body["text"].split(), transcript("tiny.en", JFK)["text"].split())
            self.assertEqual(curl(server.url + "/load", "-F", f"model={JFK}")[0], 404)


class LargeUploads(WithServer):
    def ask(self, path, before, after, pause=None):
        """The answer to a form with fields before and after the file. When most of it is
        sent, a little more goes now and then as long as `pause` says so."""
        def part(name, value, extra=""):
            return (f'--X\r\nContent-Disposition: form-data; name="{name}"{extra}\r\n\r\n'.encode() +
                    value + b"\r\n")

        body = b"".join(part(*field) for field in before)
        body += part("file", path.read_bytes(), f'; filename="{path.name}"')
        body += b"".join(part(*field) for field in after) + b"--X--\r\n"
        with socket.create_connection(("127.0.0.1", self.server.port)) as client:
            client.sendall(b"POST /v1/audio/transcriptions HTTP/1.1\r\nHost: x\r\n"
                           b"Content-Type: multipart/form-data; boundary=X\r\n"
                           b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body))
            cut = len(body) * 4 // 5
            client.sendall(body[:cut])
            while pause and pause():
                client.sendall(body[cut:cut + 2000])
                cut += 2000
                time.sleep(0.2)
            client.sendall(body[cut:])
            answer = b""
            while piece := client.recv(1 << 16):
                answer += piece
        head, _, text = answer.partition(b"\r\n\r\n")
        self.assertIn(b" 200 ", head.splitlines()[0], answer[:1000])
        return text.decode()

    def recording(self, name, *options):
        """A recording of more than a mebibyte."""
        path = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory())) / name
        source = OSR
        subprocess.run(["ffmpeg", "-nostdin", "-loglevel", "error", "-i", source, *options, path], check=True)
        return path

    def is_idle(self):
        self.paused = getattr(self, "paused", 0) + 1
        self.assertLess(self.paused, 100)  # 20 s
        return self.server.metric("whisper_s4y_workers_busy") == 0

    def test_is_transcribed_while_it_comes(self):
        path = self.recording("a.wav")
        expected = transcript("tiny.en", path)["text"].strip()
        text = self.ask(path, [("model", b"english")], [], self.is_idle)
        self.assertEqual(json.loads(text)["text"], expected)
        stream = self.ask(path, [("model", b"english"), ("stream", b"true")], [], self.is_idle)
        deltas = re.findall(r'"delta":("(?:[^"\\\\]|\\\\.)*")', stream)
        self.assertEqual("".join(map(json.loads, deltas)), expected)

    def test_fields_after_the_file_count(self):
        path = self.recording("a.wav")
        expected = transcript("tiny.en", path, "--no-condition-on-previous-text",
                              "--initial-prompt", "PAINT")["text"].strip()
        text = self.ask(path, [("model", b"english")],
                        [("condition_on_previous_text", b"false"), ("prompt", b"PAINT")],
                        self.is_idle)
        self.assertEqual(json.loads(text)["text"], expected)

    def test_a_file_with_its_index_at_the_end(self):
        path = self.recording("a.m4a", "-ar", "96000", "-c:a", "alac")
        self.assertGreater(path.stat().st_size, 1 << 20)
        steps = iter(range(8))  # longer than a second
        text = self.ask(path, [("model", b"english")], [], lambda: next(steps, None) is not None)
        self.assertEqual(json.loads(text)["text"], transcript("tiny.en", path)["text"].strip())

    def test_who_sends_slowly_keeps_no_worker(self):
        path = self.recording("a.wav")
        states = []

        def until_it_has_worked():
            states.append(self.server.metric("whisper_s4y_workers_busy") > 0)
            self.assertLess(len(states), 150)  # 30 s
            return states[-1] or True not in states

        text = self.ask(path, [("model", b"english")], [], until_it_has_worked)
        self.assertEqual(json.loads(text)["text"], transcript("tiny.en", path)["text"].strip())


class Operating(unittest.TestCase):
    def test_keys(self):
        with Server(model("tiny.en"), environment={"WHISPER_S4Y_API_KEY": "sk-1,sk-2"}) as server:
            self.assertEqual(server.get("/v1/models")[0], 401)
            self.assertEqual(server.get("/v1/models", Authorization="Bearer sk-3")[0], 401)
            self.assertEqual(server.get("/v1/models", Authorization="Bearer sk-2")[0], 200)
            self.assertEqual(server.get("/health")[0], 200)
            self.assertEqual(server.get("/metrics")[0], 401)
            client = openai.OpenAI(base_url=server.url + "/v1", api_key="wrong", max_retries=0)
            with self.assertRaises(openai.AuthenticationError):
                client.audio.transcriptions.create(model="x", file=JFK)

    def test_origins(self):
        with Server(model("tiny.en"), "--cors-origin", "https://a.example") as server:
            allowed = server.get("/health", Origin="https://a.example")[1]
            self.assertEqual(allowed["Access-Control-Allow-Origin"], "https://a.example")
            self.assertIsNone(server.get("/health", Origin="https://b.example")[1][
                "Access-Control-Allow-Origin"])

    def test_full_queue(self):
        with Server(model("tiny.en"), "--workers", "1", "--queue", "0") as server:
            statuses = []

            def ask():
                statuses.append(curl(server.url + "/v1/audio/transcriptions", "-F", "model=x", "-F",
                                     f"file=@{OSR}", "-D", "-"))

            threads = [threading.Thread(target=ask) for _ in range(6)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(sorted(status for status, _ in statuses)[:1], [200])
            refused = [body for status, body in statuses if status != 200]
            self.assertTrue(refused)
            for body in refused:
                self.assertIn("HTTP/1.1 429", body)
                self.assertRegex(body, r"Retry-After: \d+")

    def test_limits(self):
        with Server(model("tiny.en"), "--max-upload", "1", "--max-duration", "10") as server:
            url = server.url + "/v1/audio/transcriptions"
            big = bytes(3 << 20)
            path = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory())) / "x"
            path.write_bytes(big)
            self.assertEqual(curl(url, "-F", "model=x", "-F", f"file=@{path}")[0], 413)
            self.assertEqual(curl(url, "-F", "model=x", "-F", f"file=@{path}", "-H",
                                  "Transfer-Encoding: chunked")[0], 413)
            self.assertEqual(curl(url, "-F", "model=x", "-F", f"file=@{HARVARD}")[0], 413)

    def test_a_file_that_hides_its_length(self):
        path = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory())) / "a.ogg"
        subprocess.run(["ffmpeg", "-nostdin", "-loglevel", "error", "-i", OSR, "-c:a", "libopus", path],
                       check=True)
        path.write_bytes(ending_after(1, path.read_bytes()))
        with Server(model("tiny.en"), "--max-duration", "20") as server:
            status, body = curl(server.url + "/v1/audio/transcriptions", "-F", "model=x", "-F",
                                "stream=true", "-F", "response_format=verbose_json", "-F",
                                f"file=@{path}")
            # Nothing was transcribed before.
            self.assertEqual((status, json.loads(body)["error"]["code"]), (413, "audio_too_long"))

    def test_clients_that_vanish(self):
        with Server(model("tiny.en"), "--workers", "1") as server:
            body = io.BytesIO()
            body.write(b'--X\r\nContent-Disposition: form-data; name="model"\r\n\r\nx\r\n--X\r\n'
                       b'Content-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n')
            body.write(OSR.read_bytes() + b"\r\n--X--\r\n")
            with socket.create_connection(("127.0.0.1", server.port)) as client:
                client.sendall(b"POST /v1/audio/transcriptions HTTP/1.1\r\nHost: x\r\n"
                               b"Content-Type: multipart/form-data; boundary=X\r\n"
                               b"Content-Length: %d\r\n\r\n" % body.tell() + body.getvalue())
                while server.metric("whisper_s4y_workers_busy") == 0:
                    time.sleep(0.01)
            begin = time.monotonic()
            while server.metric("whisper_s4y_workers_busy") > 0:
                self.assertLess(time.monotonic() - begin, 5)
                time.sleep(0.01)
            print(f"a worker was free {time.monotonic() - begin:.3f} s after its client had gone")
            self.assertIn(499, [line.get("status") for line in server.log_lines()])

    def test_silent_connections_are_cut_off(self):
        with Server(model("tiny.en"), "--read-timeout", "1", "--max-connections", "3") as server:
            silent = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(3)]
            for one in silent:
                one.sendall(b"GET / HT")
            time.sleep(0.2)
            with socket.create_connection(("127.0.0.1", server.port)) as fourth:
                self.assertIn(b"503", fourth.recv(1000))
            for one in silent:
                one.settimeout(5)
                answer = one.recv(1000)
                self.assertTrue(answer == b"" or b"400" in answer or b"408" in answer, answer)
                one.close()
            self.assertEqual(server.get("/health")[0], 200)

    def test_half_a_body_in_time(self):
        with Server(model("tiny.en"), "--read-timeout", "1") as server:
            with socket.create_connection(("127.0.0.1", server.port)) as client:
                client.sendall(b"POST /v1/audio/transcriptions HTTP/1.1\r\nHost: x\r\n"
                               b"Content-Type: multipart/form-data; boundary=X\r\n"
                               b"Content-Length: 10000\r\n\r\n--X\r\n")
                client.settimeout(10)
                self.assertIn(b" 408 ", client.recv(1000))

    def test_headers_have_limits(self):
        with Server(model("tiny.en")) as server:
            for flood in (b"X: " + b"a" * (1 << 20) + b"\r\n",
                          b"".join(b"X-%d: y\r\n" % i for i in range(10000))):
                with socket.create_connection(("127.0.0.1", server.port)) as client:
                    client.settimeout(10)
                    try:
                        client.sendall(b"GET /health HTTP/1.1\r\n" + flood + b"\r\n")
                        self.assertNotIn(b" 200 ", client.recv(1000))
                    except (BrokenPipeError, ConnectionResetError):
                        pass  # it did not even listen to the end
            self.assertEqual(server.get("/health")[0], 200)

    def test_requests_that_are_none(self):
        with Server(model("tiny.en")) as server:
            second = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
            for request, status in (
                (b"GET /health HTTP/9.9\r\nHost: x\r\n\r\n", b"505"),
                (b"GET /v1/models/%zz HTTP/1.1\r\nHost: x\r\n\r\n", b"400"),
                (b"GET /v1/realtime?intent=% HTTP/1.1\r\nHost: x\r\n\r\n", b"400"),
                (b"POST /load HTTP/1.1\r\nContent-Length: -5\r\n\r\n" + second, b"400"),
                (b"POST /load HTTP/1.1\r\nContent-Length: abc\r\n\r\n" + second, b"400"),
                (b"POST /load HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n" + second,
                 b"400"),
                (b"POST /load HTTP/1.1\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n"
                 b"0\r\n\r\n" + second, b"400"),
                (b"POST /load HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"
                 b"Content-Type: multipart/form-data; boundary=X\r\n\r\nZZZ\r\n" + second, b"400"),
                (b"GET http://host/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"200"),
            ):
                with self.subTest(request), socket.create_connection(
                        ("127.0.0.1", server.port)) as client:
                    client.settimeout(10)
                    client.sendall(request)
                    answer = b""
                    while piece := client.recv(1 << 16):
                        answer += piece
                    # The library itself hangs up on the worst.
                    self.assertIn(b" " + status + b" ", answer.splitlines()[0] if answer else b" 400 ")
                    self.assertLessEqual(answer.count(b"\r\nDate: "), 1, answer)

    def test_a_body_is_asked_for_where_it_is_read(self):
        """Expect: 100-continue; an error comes instead where no body can help."""
        with Server(model("tiny.en"), "--max-upload", "1", "--api-key", "secret") as server:
            for line, length, key, first in (
                ("POST /nowhere", 100, "secret", b" 404 "),
                ("POST /v1/audio/transcriptions", 100, "wrong", b" 401 "),
                ("POST /v1/audio/transcriptions", 5 << 20, "secret", b" 413 "),
                ("POST /v1/audio/transcriptions", 5, "secret", b" 100 "),
            ):
                with self.subTest(first), socket.create_connection(
                        ("127.0.0.1", server.port)) as client:
                    client.settimeout(10)
                    client.sendall(f"{line} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                                   f"Authorization: Bearer {key}\r\n"
                                   "Content-Type: multipart/form-data; boundary=X\r\n"
                                   f"Content-Length: {length}\r\n\r\n".encode())
                    answer = client.recv(1000)
                    self.assertIn(first, answer.splitlines()[0])
                    if first != b" 100 ":
                        continue
                    client.sendall(b"--X--")
                    answer = b""
                    while b"\r\n\r\n" not in answer:
                        answer += client.recv(1000)
                    self.assertIn(b" 400 ", answer.splitlines()[0])

    def test_slow_bodies_are_given_up(self):
        with Server(model("tiny.en"), "--read-timeout", "1") as server:
            with socket.create_connection(("127.0.0.1", server.port)) as client:
                client.sendall(b"POST /v1/audio/transcriptions HTTP/1.1\r\nHost: x\r\n"
                               b"Content-Type: multipart/form-data; boundary=X\r\n"
                               b"Content-Length: 10000\r\n\r\n--X\r\n")
                client.settimeout(0.2)
                answer = b""
                for _ in range(50):
                    try:
                        client.sendall(b"a")
                        answer = client.recv(1000)
                        break
                    except TimeoutError:
                        continue
                self.assertIn(b" 408 ", answer)

    def test_a_second_server_at_a_port_says_so(self):
        with Server(model("tiny.en")) as server:
            second = subprocess.run([PROGRAM, "serve", model("tiny.en"), "--port", str(server.port)],
                                    capture_output=True, text=True)
            self.assertEqual(second.returncode, 1)
            self.assertIn("in use", second.stderr)

    def test_what_cannot_be_is_said_at_once(self):
        for arguments, environment, code, words in (
            (["--api-key", ""], {}, 2, "the key is empty"),
            ([], {"WHISPER_S4Y_API_KEY": ""}, 2, "the key is empty"),
            ([], {"WHISPER_S4Y_LAZY": "maybe"}, 2, "true or false"),
            (["--upload-dir", "/nowhere"], {}, 1, "/nowhere"),
            (["--config", "/nowhere.toml"], {}, 1, "/nowhere.toml"),
        ):
            with self.subTest(arguments=arguments, environment=environment):
                result = subprocess.run([PROGRAM, "serve", model("tiny.en"), *arguments],
                                        capture_output=True, text=True, timeout=30,
                                        env={**os.environ, **environment})
                self.assertEqual(result.returncode, code, result.stderr)
                self.assertIn(words, result.stderr)

    def test_a_model_that_is_gone_is_the_servers_fault(self):
        with tempfile.TemporaryDirectory() as folder:
            gone = pathlib.Path(folder) / "gone.tflite"
            gone.write_bytes(model("tiny.en").read_bytes())
            with Server(gone, "--lazy") as server:
                gone.unlink()
                status, body = curl(server.url + "/inference", "-F", f"file=@{JFK}")
                self.assertEqual(status, 500, body)
                self.assertEqual(server.metric("whisper_s4y_errors_total"), 1)

    def test_shutdown_lets_requests_finish(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with Server(model("tiny.en"), "--workers", "1") as server:
                answers = []
                threads = [threading.Thread(target=lambda: answers.append(
                    curl(server.url + "/v1/audio/transcriptions", "-F", "model=x", "-F",
                         f"file=@{OSR}"))) for _ in range(4)]
                for thread in threads:
                    thread.start()
                while server.metric("whisper_s4y_queue_length") == 0:
                    time.sleep(0.01)
                self.assertEqual(server.stop(number), 0)
                for thread in threads:
                    thread.join()
                # One was at work; those that waited are sent away.
                statuses = [status for status, _ in answers]
                self.assertEqual(set(statuses), {200, 503}, statuses)

    def test_log(self):
        with Server(model("tiny.en")) as server:
            curl(server.url + "/v1/audio/transcriptions", "-F", "model=x", "-F", f"file=@{JFK}")
            line = server.log_line("/v1/audio/transcriptions")
            self.assertEqual(line["status"], 200)
            self.assertAlmostEqual(line["audio_seconds"], 11.0)
            self.assertGreater(line["work_seconds"], 0)
            self.assertNotIn("jfk", server.log_text())
            self.assertNotIn("country", server.log_text())
        with Server(model("tiny.en"), "--log-texts") as server:
            curl(server.url + "/v1/audio/transcriptions", "-F", "model=x", "-F", f"file=@{JFK}")
            line = server.log_line("/v1/audio/transcriptions")
            self.assertEqual(line["file"], "jfk.flac")
            self.assertIn("country", line["text"])

    def test_models_come_and_go(self):
        with Server(model("tiny.en"), "--lazy", "--idle-unload", "1") as server:
            loaded = 'whisper_s4y_model_loaded{model="tiny.en"}'
            self.assertEqual(server.metric(loaded), 0)
            for _ in range(2):
                self.assertEqual(curl(server.url + "/inference", "-F", f"file=@{JFK}")[0], 200)
                self.assertEqual(server.metric(loaded), 1)
                begin = time.monotonic()
                while server.metric(loaded) == 1:
                    self.assertLess(time.monotonic() - begin, 10)
                    time.sleep(0.1)


if __name__ == "__main__":
    main()
