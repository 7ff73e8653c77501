#!/usr/bin/env python3
"""OpenAI's own client and bare WebSockets at the realtime transcription of the running server.

    realtime_test.py WHISPER_S4Y SHARED_FOLDER
"""

import base64
import json
import os
import signal
import socket
import struct
import threading
import time
import unittest

import openai
import websockets
from live_sound import mu_law_8k, pcm_24k, words
from running_server import SPEECH, Server, main, model
from websockets.sync.client import connect

GERMAN = SPEECH / "leopard_test_de.wav"
LIBRI = SPEECH / "librispeech-test-clean_librispeech-1995-1837-0001.wav"
TRANSCRIPTION = "conversation.item.input_audio_transcription."


def opened(url, **options):
    return connect(url, **options).__enter__()


def text_of(sound):
    return base64.b64encode(sound).decode()


def append(sound):
    return {"type": "input_audio_buffer.append", "audio": text_of(sound)}


COMMIT = {"type": "input_audio_buffer.commit"}


def update(**audio_input):
    return {"type": "session.update",
            "session": {"type": "transcription", "audio": {"input": audio_input}}}


class Socket:
    """A session in bare JSON."""

    def __init__(self, server, path="/v1/realtime?intent=transcription", **options):
        self.socket = opened(server.url.replace("http", "ws") + path, max_size=None, **options)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, *events):
        for event in events:
            self.socket.send(json.dumps(event))

    def receive(self, timeout=30):
        return json.loads(self.socket.recv(timeout=timeout))

    def until(self, ending):
        """All events up to the first whose type ends so."""
        events = [self.receive()]
        while not events[-1]["type"].endswith(ending):
            events.append(self.receive())
        return events

    def manual(self):
        self.send(update(turn_detection=None))
        return self.until("updated")[-1]


class WithServer(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(
            Server(f"base={model('base')}", f"english={model('tiny.en')}", "--max-sessions", 3))


def joined(events):
    return "".join(e["delta"] for e in events if e["type"] == TRANSCRIPTION + "delta")


class OpenAiClient(WithServer):
    def connect(self, **query):
        client = openai.OpenAI(base_url=self.server.url + "/v1", api_key="any")
        return client.realtime.connect(model="whisper-1",
                                       extra_query={"intent": "transcription", **query})

    def test_server_vad(self):
        with self.connect() as connection:
            created = connection.recv()
            self.assertEqual(created.type, "session.created")
            self.assertEqual(created.session.type, "transcription")
            connection.session.update(session={
                "type": "transcription",
                "audio": {"input": {
                    "format": {"type": "audio/pcm", "rate": 24000},
                    "transcription": {"model": "base", "language": "de"},
                    "turn_detection": {"type": "server_vad", "silence_duration_ms": 700}}}})
            updated = connection.recv()
            self.assertEqual(updated.type, "session.updated")
            self.assertEqual(updated.session.audio.input.transcription.language, "de")
            self.assertEqual(updated.session.audio.input.turn_detection.silence_duration_ms, 700)
            self.assertEqual(updated.session.audio.input.turn_detection.threshold, 0.5)
            sound = pcm_24k(GERMAN, silence=2)
            for i in range(0, len(sound), 9600):
                connection.input_audio_buffer.append(audio=text_of(sound[i:i + 9600]))
            events = []
            while not events or not events[-1].type.endswith("completed"):
                events.append(connection.recv())
        types = [event.type for event in events]
        deltas = [event.delta for event in events if event.type.endswith("delta")]
        self.assertEqual(types[0], "input_audio_buffer.speech_started")
        self.assertLess(types.index("input_audio_buffer.speech_stopped"),
                        types.index("input_audio_buffer.committed"))
        started, stopped = (next(e for e in events if e.type.endswith(kind))
                            for kind in ("speech_started", "speech_stopped"))
        self.assertLess(started.audio_start_ms, 1500)
        self.assertGreater(stopped.audio_end_ms, 4000)
        completed = events[-1]
        self.assertEqual({started.item_id, stopped.item_id}, {completed.item_id})
        self.assertEqual("".join(deltas), completed.transcript)
        self.assertIn("raum", words(completed.transcript))
        self.assertEqual(completed.usage.type, "duration")

    def test_turns_of_the_client(self):
        with self.connect() as connection:
            connection.recv()
            connection.session.update(session={
                "type": "transcription",
                "audio": {"input": {"turn_detection": None,
                                    "transcription": {"model": "english"}}},
                "include": ["item.input_audio_transcription.logprobs"]})
            self.assertIsNone(connection.recv().session.audio.input.turn_detection)
            connection.input_audio_buffer.append(audio=text_of(pcm_24k(LIBRI)))
            connection.input_audio_buffer.commit()
            committed = connection.recv()
            self.assertEqual(committed.type, "input_audio_buffer.committed")
            self.assertIsNone(committed.previous_item_id)
            deltas = ""
            while (event := connection.recv()).type.endswith("delta"):
                deltas += event.delta
            self.assertEqual(event.type, TRANSCRIPTION + "completed")
            self.assertEqual(event.transcript, deltas)
            self.assertIn("sorrow", words(deltas))
            spelled = b"".join(bytes(entry.bytes) for entry in event.logprobs).decode()
            self.assertEqual(spelled.strip(), event.transcript)
            self.assertTrue(all(entry.logprob <= 0 for entry in event.logprobs))


class Sessions(WithServer):
    def test_older_flat_shape(self):
        with Socket(self.server, additional_headers={"OpenAI-Beta": "realtime=v1"}) as session:
            created = session.receive()
            self.assertEqual(created["type"], "transcription_session.created")
            self.assertEqual(created["session"]["input_audio_format"], "pcm16")
            session.send({"type": "transcription_session.update", "session": {
                "input_audio_format": "g711_ulaw",
                "input_audio_transcription": {"model": "base", "language": "de", "prompt": ""},
                "turn_detection": None}})
            updated = session.receive()
            self.assertEqual(updated["type"], "transcription_session.updated")
            self.assertEqual(updated["session"]["input_audio_format"], "g711_ulaw")
            sound = mu_law_8k(GERMAN)
            session.send(*[append(sound[i:i + 1001]) for i in range(0, len(sound), 1001)], COMMIT)
            events = session.until("completed")
        self.assertIn("raum", words(events[-1]["transcript"]))
        self.assertEqual(joined(events), events[-1]["transcript"])

    def test_two_turns_and_what_was_cleared(self):
        with Socket(self.server) as session:
            session.receive()
            session.manual()
            session.send(append(pcm_24k(LIBRI)), {"type": "input_audio_buffer.clear"})
            self.assertEqual(session.receive()["type"], "input_audio_buffer.cleared")
            session.send(COMMIT)
            error = session.receive()["error"]
            self.assertEqual(error["code"], "input_audio_buffer_commit_empty")
            items = []
            for _ in range(2):
                session.send(append(pcm_24k(GERMAN)), COMMIT)
                events = session.until("completed")
                self.assertEqual(events[0]["previous_item_id"], items[-1] if items else None)
                items.append(events[-1]["item_id"])
                self.assertIn("raum", words(events[-1]["transcript"]))
                self.assertEqual(events[-1]["languages"], [{"code": "de"}])
            self.assertNotEqual(*items)

    def test_silence_has_no_events(self):
        with Socket(self.server) as session:
            session.receive()
            session.send(append(bytes(48000 * 3)), COMMIT)
            self.assertEqual(session.receive()["error"]["code"], "input_audio_buffer_commit_empty")

    def test_a_commit_ends_the_utterance_at_once(self):
        with Socket(self.server) as session:
            session.receive()
            session.send(append(pcm_24k(GERMAN)[:48000 * 3]))
            session.until("speech_started")
            session.send(COMMIT)
            types = [event["type"] for event in session.until("completed")]
            self.assertIn("input_audio_buffer.committed", types)

    def test_impossible_values_leave_the_session_alone(self):
        wrong = [
            ({"turn_detection": {"type": "server_vad", "threshold": 2}}, "turn_detection.threshold"),
            ({"turn_detection": {"type": "server_vad", "prefix_padding_ms": "x"}},
             "turn_detection.prefix_padding_ms"),
            ({"turn_detection": {"type": "semantic_vad"}}, "turn_detection.type"),
            ({"turn_detection": 7}, "turn_detection"),
            ({"format": {"type": "audio/opus"}}, "format.type"),
            ({"format": {"type": "audio/pcm", "rate": 44100}}, "format.rate"),
            ({"transcription": {"model": "large"}}, "transcription.model"),
            ({"transcription": {"language": "klingon"}}, "transcription.language"),
            ({"transcription": {"model": "english", "language": "de"}}, "transcription.language"),
            ({"transcription": {"prompt": 1}}, "transcription.prompt"),
        ]
        with Socket(self.server) as session:
            session.receive()
            for i, (audio_input, param) in enumerate(wrong):
                event = update(**audio_input)
                event["event_id"] = f"mine-{i}"
                session.send(event)
                answer = session.receive()
                self.assertEqual(answer["type"], "error", audio_input)
                self.assertEqual(answer["error"]["param"], "session.audio.input." + param)
                self.assertEqual(answer["error"]["event_id"], f"mine-{i}")
                self.assertTrue(answer["error"]["message"])
            event = update(unheard_of=1, transcription={"model": "base", "delay": "low"})
            event["session"]["tracing"] = "auto"
            session.send(event)
            self.assertEqual(session.receive()["type"], "session.updated")

    def test_what_is_no_event(self):
        with Socket(self.server) as session:
            session.receive()
            for message in ("{", "[]", "7", "{}", '{"type": 1}', '{"type": "response.create"}',
                            '{"type": "session.update"}', '{"type": "input_audio_buffer.append"}',
                            '{"type": "input_audio_buffer.append", "audio": "***"}',
                            "[" * 100000, b"\x00\x01"):
                session.socket.send(message)
                self.assertEqual(session.receive()["type"], "error", message[:80])
            session.socket.send(json.dumps({"type": "input_audio_buffer.clear"}))
            self.assertEqual(session.receive()["type"], "input_audio_buffer.cleared")

    def test_fragments_and_pings(self):
        with Socket(self.server) as session:
            session.receive()
            session.manual()
            text = json.dumps(append(pcm_24k(GERMAN)))
            session.socket.send(iter([text[:10], text[10:50000], text[50000:]]))
            pong = session.socket.ping()
            session.send(COMMIT)
            self.assertTrue(pong.wait(5))
            self.assertIn("raum", words(session.until("completed")[-1]["transcript"]))


class Connections(WithServer):
    def refused(self, path="/v1/realtime", **options):
        with self.assertRaises(websockets.exceptions.InvalidStatus) as caught:
            opened(self.server.url.replace("http", "ws") + path, **options)
        return caught.exception.response.status_code

    def test_upgrades_only(self):
        status, headers, _ = self.server.get("/v1/realtime")
        self.assertEqual((status, headers["Upgrade"]), (426, "websocket"))

    def test_refusals_before_the_upgrade(self):
        self.assertEqual(self.refused("/v1/realtime?model=nothing"), 404)
        self.assertEqual(self.refused("/v1/realtime?intent=conversation"), 400)
        self.assertEqual(self.refused(origin="https://elsewhere.example"), 403)

    def test_only_so_many(self):
        sessions = [Socket(self.server) for _ in range(3)]
        self.assertEqual(self.refused(), 503)
        self.assertEqual(self.server.metric('whisper_s4y_sessions{protocol="realtime"}'), 3)
        for session in sessions:
            session.socket.close()
        time.sleep(0.3)
        Socket(self.server).socket.close()

    def test_keys(self):
        with Server(f"english={model('tiny.en')}", environment={"WHISPER_S4Y_API_KEY": "sk-1"}) as own:
            url = own.url.replace("http", "ws") + "/v1/realtime"
            for options in ({}, {"additional_headers": {"Authorization": "Bearer sk-2"}},
                            {"subprotocols": ["realtime", "openai-insecure-api-key.sk-2"]}):
                with self.assertRaises(websockets.exceptions.InvalidStatus) as caught:
                    opened(url, **options)
                self.assertEqual(caught.exception.response.status_code, 401)
            opened(url, additional_headers={"Authorization": "Bearer sk-1"}).close()
            with connect(url, subprotocols=["realtime", "openai-insecure-api-key.sk-1"]) as session:
                self.assertEqual(session.subprotocol, "realtime")

    def frames(self, *frames):
        """The code with which the server closes after these bytes."""
        host, port = self.server.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=10) as raw:
            key = base64.b64encode(os.urandom(16)).decode()
            raw.sendall((f"GET /v1/realtime HTTP/1.1\r\nHost: {host}:{port}\r\n"
                         "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                         f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n").encode())
            stream = raw.makefile("rb")
            self.assertIn(b"101", stream.readline())
            while stream.readline().strip():
                pass
            for frame in frames:
                raw.sendall(frame)
                time.sleep(0.1)
            while True:
                head, length = stream.read(2)
                if length == 126:
                    length = struct.unpack(">H", stream.read(2))[0]
                payload = stream.read(length)
                if head & 0x0F == 8:
                    self.assertEqual(stream.read(), b"")
                    return struct.unpack(">H", payload[:2])[0]

    def test_broken_rules_close_the_connection(self):
        def frame(head, payload=b"", length=None):
            length = len(payload) if length is None else length
            size = struct.pack(">B", 0x80 | length) if length < 126 else (
                struct.pack(">BQ", 0xFF, length))
            return bytes([head]) + size + bytes(4) + payload

        self.assertEqual(self.frames(b"\x81\x02{}"), 1002)  # not masked
        self.assertEqual(self.frames(frame(0xC1, b"{}")), 1002)  # reserved bit
        self.assertEqual(self.frames(frame(0x83, b"{}")), 1002)  # no such frame
        self.assertEqual(self.frames(frame(0x80, b"{}")), 1002)  # goes on with nothing
        self.assertEqual(self.frames(frame(0x01, b"{"), frame(0x81, b"{}")), 1002)
        self.assertEqual(self.frames(frame(0x09, b"")), 1002)  # a ping in pieces
        self.assertEqual(self.frames(frame(0x81, length=10 << 30)), 1009)
        self.assertEqual(self.frames(frame(0x88, struct.pack(">H", 1005))), 1002)
        self.assertEqual(self.frames(frame(0x88, struct.pack(">H", 4000))), 4000)
        self.assertEqual(self.frames(frame(0x88)), 1000)

    def test_a_client_that_vanishes_frees_its_place_and_its_turn(self):
        session = Socket(self.server)
        session.receive()
        session.manual()
        session.send(append(pcm_24k(LIBRI) * 10), COMMIT)
        session.until("committed")
        time.sleep(0.2)
        session.socket.socket.shutdown(socket.SHUT_RDWR)
        end = time.monotonic() + 2
        while self.server.metric("whisper_s4y_workers_busy") > 0 and time.monotonic() < end:
            time.sleep(0.02)
        self.assertEqual(self.server.metric("whisper_s4y_workers_busy"), 0)
        self.assertEqual(self.server.metric('whisper_s4y_sessions{protocol="realtime"}'), 0)
        self.assertEqual(self.server.log_line("/v1/realtime")["protocol"], "realtime")

    def test_shutdown(self):
        with Server(f"english={model('tiny.en')}") as own:
            session = Socket(own)
            session.receive()
            begin = time.monotonic()
            threading.Timer(0.1, lambda: own.process.send_signal(signal.SIGTERM)).start()
            with self.assertRaises(websockets.exceptions.ConnectionClosed) as caught:
                session.receive()
            self.assertEqual(caught.exception.rcvd.code, 1001)
            self.assertEqual(own.process.wait(timeout=20), 0)
            self.assertLess(time.monotonic() - begin, 10)


if __name__ == "__main__":
    main()
