#!/usr/bin/env python3
"""The client of the `wyoming` package, as Home Assistant uses it, and bare sockets at the running
server.

    wyoming_test.py WHISPER_S4Y SHARED_FOLDER
"""

import array
import asyncio
import json
import signal
import socket
import time
import unittest

from live_sound import samples_16k, words
from running_server import SPEECH, Server, main, model, transcript
from wyoming.asr import (
    Transcribe,
    Transcript,
    TranscriptChunk,
    TranscriptStart,
    TranscriptStop,
)
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.error import Error
from wyoming.info import Describe, Info
from wyoming.ping import Ping, Pong

GERMAN = SPEECH / "leopard_test_de.wav"
LIBRI = SPEECH / "librispeech-test-clean_librispeech-1995-1837-0001.wav"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


class WithServer(unittest.IsolatedAsyncioTestCase):
    @classmethod
    def setUpClass(cls):
        cls.port = free_port()
        cls.server = cls.enterClassContext(
            Server(f"base={model('base')}", f"english={model('tiny.en')}", "--wyoming-port",
                   cls.port, "--max-sessions", 2, "--max-duration", 60, "--read-timeout", 2))

    def client(self):
        return AsyncTcpClient("127.0.0.1", self.port)

    async def say(self, client, sound, rate=16000, width=2, channels=1, **transcribe):
        form = {"rate": rate, "width": width, "channels": channels}
        await client.write_event(Transcribe(**transcribe).event())
        await client.write_event(AudioStart(**form).event())
        for i in range(0, len(sound), 8192):
            await client.write_event(AudioChunk(audio=sound[i:i + 8192], **form).event())
        await client.write_event(AudioStop().event())

    async def answer(self, client):
        """Events up to the end of the transcript, or to an error."""
        events = []
        while True:
            event = await asyncio.wait_for(client.read_event(), 60)
            self.assertIsNotNone(event, "the server has hung up")
            events.append(event)
            if TranscriptStop.is_type(event.type) or Error.is_type(event.type):
                return events


class Client(WithServer):
    async def test_describe(self):
        async with self.client() as client:
            await client.write_event(Describe().event())
            info = Info.from_event(await client.read_event())
        program, = info.asr
        self.assertTrue(program.installed and program.supports_transcript_streaming)
        self.assertEqual([entry.name for entry in program.models], ["base", "english"])
        self.assertEqual(len(program.models[0].languages), 99)
        self.assertEqual(program.models[1].languages, ["en"])
        self.assertTrue(program.attribution.url and program.version)
        self.assertFalse(info.tts or info.wake)

    async def test_an_utterance(self):
        sound = samples_16k(LIBRI).tobytes()
        async with self.client() as client:
            await self.say(client, sound, name="english", language="en")
            events = await self.answer(client)
        self.assertTrue(TranscriptStart.is_type(events[0].type))
        chunks = [TranscriptChunk.from_event(e).text for e in events
                  if TranscriptChunk.is_type(e.type)]
        result = Transcript.from_event(events[-2])
        self.assertEqual("".join(chunks), result.text)
        self.assertEqual(result.language, "en")
        self.assertEqual(result.text,
                         transcript("tiny.en", LIBRI, "--language", "en")["text"].strip())
        line = next(line for line in self.server.log_lines()
                    if line.get("protocol") == "wyoming" and line.get("model") == "english")
        self.assertEqual(line["status"], 200)
        self.assertAlmostEqual(line["audio_seconds"], 8.73, delta=0.05)
        self.assertNotIn("text", line)

    async def test_several_in_one_connection(self):
        samples = samples_16k(GERMAN)
        stereo_32 = array.array("i")
        for sample in samples:
            stereo_32.extend((sample << 16, sample << 16))
        async with self.client() as client:
            await self.say(client, samples.tobytes())
            first = Transcript.from_event((await self.answer(client))[-2])
            self.assertEqual(first.language, "de")
            self.assertIn("raum", words(first.text))
            await client.write_event(Ping(text="there?").event())
            self.assertEqual(Pong.from_event(await client.read_event()).text, "there?")
            await self.say(client, stereo_32.tobytes(), width=4, channels=2, language="de-DE",
                           transcript_names=["Portal"])
            self.assertIn("raum", words((await self.answer(client))[-2].data["text"]))
            await self.say(client, b"")
            self.assertEqual((await self.answer(client))[-2].data["text"], "")

    async def test_errors_leave_the_connection_open(self):
        sound = bytes(32000)
        async with self.client() as client:
            for wrong in ({"name": "nothing"}, {"language": "klingon"}, {"rate": 1}, {"width": 7},
                          {"channels": 0}):
                await self.say(client, sound, **wrong)
                error = Error.from_event((await self.answer(client))[-1])
                self.assertTrue(error.text.endswith("."), error)
            await self.say(client, sound, name="english", language="de")
            await self.answer(client)
            await client.write_event(Ping().event())
            self.assertTrue(Pong.is_type((await client.read_event()).type))

    async def test_what_is_too_long(self):
        async with self.client() as client:
            await self.say(client, bytes(32000 * 61))
            error = Error.from_event((await self.answer(client))[-1])
            self.assertEqual(error.code, "audio_too_long")

    async def test_only_so_many(self):
        async with self.client() as one, self.client() as other:
            begin = AudioStart(rate=16000, width=2, channels=1).event()
            for client in (one, other):
                await client.write_event(begin)
                await client.write_event(Ping().event())
                self.assertTrue(Pong.is_type((await client.read_event()).type))
            # Who only asks what there is takes nobody's place.
            async with self.client() as third:
                await third.write_event(Describe().event())
                self.assertTrue(Info.is_type((await third.read_event()).type))
                await third.write_event(begin)
                error = Error.from_event(await third.read_event())
                self.assertEqual(error.code, "too_many_sessions")


class Connection(WithServer):
    def raw(self, *pieces, wait=0.0):
        """What the server says to these bytes, until it hangs up."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as client:
            for piece in pieces:
                client.sendall(piece)
                time.sleep(wait)
            with client.makefile("rb") as stream:
                return stream.read()

    def test_hostile_bytes(self):
        for bytes_ in (b"GET / HTTP/1.1\r\n\r\n", b"x" * 200_000,
                       b'{"type": "audio-chunk", "payload_length": 10000000000}\n', b"[]\n",
                       b'{"type": "a", "data_length": -1}\n'):
            answer = self.raw(bytes_)
            self.assertIn(b"protocol_error", answer, bytes_[:60])

    def test_an_event_that_does_not_end(self):
        begin = time.monotonic()
        self.assertEqual(self.raw(b'{"type": "describe"'), b"")
        self.assertLess(time.monotonic() - begin, 10)

    def test_a_client_that_vanishes_frees_its_turn(self):
        form = {"rate": 16000, "width": 2, "channels": 1}
        start = AudioStart(**form).event()
        with socket.create_connection(("127.0.0.1", self.port)) as client:
            for event, payload in ((start, b""), *((AudioChunk(audio=b"", **form).event(), p) for p in
                                   [samples_16k(LIBRI).tobytes()] * 6), (AudioStop().event(), b"")):
                client.sendall(json.dumps({"type": event.type, "data": event.data,
                                           "payload_length": len(payload)}).encode() + b"\n" + payload)
            end = time.monotonic() + 10
            while self.server.metric("whisper_s4y_workers_busy") < 1 and time.monotonic() < end:
                time.sleep(0.02)
        end = time.monotonic() + 2
        while self.server.metric("whisper_s4y_workers_busy") > 0 and time.monotonic() < end:
            time.sleep(0.02)
        self.assertEqual(self.server.metric("whisper_s4y_workers_busy"), 0)
        self.assertIn(499, [line.get("status") for line in self.server.log_lines()])


class Shutdown(unittest.IsolatedAsyncioTestCase):
    async def test_finishes_what_was_said(self):
        port = free_port()
        with Server(f"english={model('tiny.en')}", "--wyoming-port", port) as server:
            async with AsyncTcpClient("127.0.0.1", port) as client, \
                    AsyncTcpClient("127.0.0.1", port) as idle:
                await idle.write_event(Ping().event())
                await idle.read_event()
                form = {"rate": 16000, "width": 2, "channels": 1}
                await client.write_event(AudioStart(**form).event())
                sound = samples_16k(LIBRI).tobytes()
                await client.write_event(AudioChunk(audio=sound, **form).event())
                await client.write_event(AudioStop().event())
                while server.metric("whisper_s4y_workers_busy") < 1:
                    await asyncio.sleep(0.01)
                server.process.send_signal(signal.SIGTERM)
                event = await client.read_event()
                while not Transcript.is_type(event.type):
                    event = await client.read_event()
                self.assertIn("sorrow", words(event.data["text"]))
                self.assertIsNone(await idle.read_event())
            self.assertEqual(await asyncio.to_thread(server.process.wait, 20), 0)


if __name__ == "__main__":
    main()
