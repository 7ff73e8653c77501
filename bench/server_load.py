#!/usr/bin/env python3
"""Many clients at a server, the bad ones among them.

    bench/server_load.py build/release/bin/whisper-s4y MODEL.tflite ../shared/speech

starts `whisper-s4y serve MODEL.tflite` and asks it with so many clients at a time for the texts of
the recordings of 2 to 30 s in the folder, in all formats. A part of the uploads is broken, a part of
the clients hangs up in the middle. Every answer is compared with what `whisper-s4y transcribe` writes
about the recording; a 429 must say when to come again, and the client does. At the end stands how
much sound a second was transcribed, beside that of `transcribe --jobs` on the same recordings, how
long answers took, and the memory of the server over the time. The exit code is 1 when an answer was
wrong, a request failed otherwise than with 429, or a worker does not come back.
"""
import argparse
import asyncio
import collections
import json
import os
import pathlib
import random
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time

FORMATS = ("json", "text", "srt", "vtt", "verbose_json", "stream")
BOUNDARY = "xxBOUNDARYxx"


def seconds_of(path):
    out = subprocess.run(["ffprobe", "-v", "error", "-show_entries", "format=duration", "-of",
                          "csv=p=0", str(path)], capture_output=True, text=True)
    return float(out.stdout) if out.returncode == 0 and out.stdout.strip() else 0.0


def recordings_in(folder):
    found = []
    for path in sorted(pathlib.Path(folder).iterdir()):
        if path.suffix in (".wav", ".flac", ".g722"):
            seconds = seconds_of(path)
            if 2 <= seconds <= 30:
                found.append((path, seconds))
    return found


def reference_texts(program, model, recordings, threads, jobs, folder):
    """What `transcribe` writes, and how long it takes with `jobs` at a time."""
    paths = [str(path) for path, _ in recordings]
    begin = time.monotonic()
    subprocess.run([program, "transcribe", model, *paths, "-f", "json,srt,vtt", "-o", folder, "-q",
                    "--jobs", str(jobs), "--threads", str(threads)], check=True)
    seconds = time.monotonic() - begin
    texts = {}
    for path, _ in recordings:
        stem = pathlib.Path(folder) / path.stem
        read = {kind: stem.with_name(f"{stem.name}.{kind}").read_text() for kind in ("srt", "vtt")}
        read["text"] = json.loads(stem.with_name(stem.name + ".json").read_text())["text"].strip()
        texts[path] = read
    return texts, seconds


def form(path, response_format, data):
    fields = {"model": "whisper-1"}
    if response_format == "stream":
        fields["stream"] = "true"
    else:
        fields["response_format"] = response_format
    body = b""
    for name, value in fields.items():
        body += (f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
                 f"{value}\r\n").encode()
    body += (f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; '
             f'filename="{path.name}"\r\n\r\n').encode()
    return body + data + f"\r\n--{BOUNDARY}--\r\n".encode()


def head_of(body):
    return ("POST /v1/audio/transcriptions HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n").encode()


async def read_answer(reader):
    """Status, headers and body of an answer."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    status = int(head[0].split()[1])
    headers = {k.lower(): v.strip() for k, v in (line.split(":", 1) for line in head[1:] if line)}
    if headers.get("transfer-encoding") == "chunked":
        body = b""
        while size := int(await reader.readuntil(b"\r\n"), 16):
            body += await reader.readexactly(size)
            await reader.readexactly(2)
    else:
        body = await reader.readexactly(int(headers.get("content-length", 0)))
    return status, headers, body


def text_in(response_format, body):
    """The text of an answer as it is compared."""
    text = body.decode()
    if response_format in ("json", "verbose_json"):
        return json.loads(text)["text"]
    if response_format == "stream":
        events = [json.loads(line[6:]) for line in text.split("\n\n") if line.startswith("data: ")]
        deltas = "".join(event["delta"] for event in events if event["type"].endswith("delta"))
        done = [event["text"] for event in events if event["type"].endswith("done")]
        return deltas if done == [deltas] else f"deltas {deltas!r} are not {done!r}"
    return text.strip() if response_format == "text" else text


class Load:
    def __init__(self, arguments, port, recordings, texts):
        self.arguments = arguments
        self.port = port
        self.recordings = recordings
        self.texts = texts
        self.bytes = {path: path.read_bytes() for path, _ in recordings}
        self.random = random.Random(1)
        self.round = []
        self.counts = collections.Counter()
        self.faults = []
        self.latencies = []
        self.sound = 0.0
        self.left = arguments.requests
        self.memory = []

    def next_request(self):
        if not self.round:  # all of them as often, so that sound a second can be compared
            self.round = self.random.sample(self.recordings, len(self.recordings))
        path, seconds = self.round.pop()
        kind = self.random.random()
        what = "broken" if kind < self.arguments.broken else (
            "vanishing" if kind < self.arguments.broken + self.arguments.vanishing else "good")
        return path, seconds, self.random.choice(FORMATS), what

    async def ask(self, path, response_format, what):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            data = self.bytes[path]
            if what == "broken":
                data = bytes(self.random.randrange(256) for _ in range(2000))
            body = form(path, response_format, data)
            head = head_of(body)
            if what == "vanishing":
                # In the middle of the upload, or while the text is being made.
                whole = self.random.random() < 0.5
                writer.write(head + (body if whole else body[:len(body) // 2]))
                await writer.drain()
                await asyncio.sleep(self.random.random() * 0.3)
                return 0, {}, b""
            writer.write(head + body)
            await writer.drain()
            return await read_answer(reader)
        finally:
            writer.close()

    async def client(self):
        while self.left > 0 and time.monotonic() < self.end:
            self.left -= 1
            path, seconds, response_format, what = self.next_request()
            begin = time.monotonic()
            while True:
                try:
                    status, headers, body = await asyncio.wait_for(
                        self.ask(path, response_format, what), self.arguments.timeout)
                except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError) as error:
                    self.faults.append(f"{path.name} {response_format} {what}: {error!r}")
                    break
                self.counts[what, status] += 1
                if status == 429:
                    if "retry-after" not in headers:
                        self.faults.append("429 without Retry-After")
                    # Not all at once.
                    await asyncio.sleep(min(float(headers.get("retry-after", 1)), 5) *
                                        (0.5 + self.random.random()))
                    continue
                self.judge(path, seconds, response_format, what, status, body,
                           time.monotonic() - begin)
                break

    def judge(self, path, seconds, response_format, what, status, body, latency):
        if what == "good":
            if status != 200:
                self.faults.append(f"{path.name} {response_format}: {status} {body[:200]!r}")
                return
            kind = response_format if response_format in ("srt", "vtt") else "text"
            if text_in(response_format, body) != self.texts[path][kind]:
                self.faults.append(f"{path.name} {response_format}: another text {body[:300]!r}")
            self.sound += seconds
            self.latencies.append(latency)
        elif what == "broken" and status != 400:
            self.faults.append(f"a broken upload: {status} {body[:200]!r}")

    async def watch(self, pid):
        while True:
            self.memory.append(resident_megabytes(pid))
            await asyncio.sleep(1)

    async def run(self, pid):
        self.begin = time.monotonic()
        self.end = self.begin + self.arguments.seconds
        watching = asyncio.create_task(self.watch(pid))
        await asyncio.gather(*(self.client() for _ in range(self.arguments.clients)))
        self.seconds = time.monotonic() - self.begin
        watching.cancel()


def resident_megabytes(pid):
    pages = int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 1e6


def metric(port, name):
    import urllib.request
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        text = answer.read().decode()
    return float(re.search(rf"^{name} (\S+)", text, re.M).group(1))


def start(program, model, threads, options):
    server = subprocess.Popen([program, "serve", model, "--port", "0", "--threads", str(threads),
                               "--log-file", os.devnull, *options], stderr=subprocess.PIPE,
                              text=True)
    line = server.stderr.readline()
    port = int(re.search(r":(\d+)\.", line).group(1))
    import urllib.error
    import urllib.request
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/ready")
            return server, port
        except urllib.error.HTTPError:
            time.sleep(0.05)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("model")
    parser.add_argument("folder")
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=600, help="stop asking after so long")
    parser.add_argument("--timeout", type=float, default=300, help="of one answer")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--queue", type=int, default=48)
    parser.add_argument("--broken", type=float, default=0.05, help="share of the uploads")
    parser.add_argument("--vanishing", type=float, default=0.05, help="share of the clients")
    arguments = parser.parse_args()

    recordings = recordings_in(arguments.folder)
    total = sum(seconds for _, seconds in recordings)
    with tempfile.TemporaryDirectory() as folder:
        texts, seconds = reference_texts(arguments.program, arguments.model, recordings,
                                         arguments.threads, arguments.threads, folder)
    print(f"transcribe --jobs {arguments.threads}: {total / seconds:.1f} s of sound a second "
          f"({len(recordings)} recordings, {total:.0f} s)")

    server, port = start(arguments.program, arguments.model, arguments.threads,
                         ["--queue", str(arguments.queue)])
    try:
        load = Load(arguments, port, recordings, texts)
        asyncio.run(load.run(server.pid))
        time.sleep(1)
        busy = metric(port, "whisper_s4y_workers_busy") + metric(port, "whisper_s4y_queue_length")
        if busy:
            load.faults.append(f"{busy:.0f} workers do not come back")
        server.send_signal(signal.SIGTERM)
        code = server.wait(timeout=60)
        if code:
            load.faults.append(f"the server's exit code is {code}")
    finally:
        server.kill()

    latencies = sorted(load.latencies)
    warm = load.memory[len(load.memory) // 3:] or [0]
    print(f"serve: {load.sound / load.seconds:.1f} s of sound a second, {len(latencies)} texts in "
          f"{load.seconds:.0f} s; {load.sound / load.seconds / (total / seconds):.2f} of transcribe")
    print(f"answers: median {statistics.median(latencies):.2f} s, "
          f"95 % {latencies[int(len(latencies) * 0.95)]:.2f} s, most {latencies[-1]:.2f} s")
    print(f"memory: {load.memory[0]:.0f} MB at the start, {min(warm):.0f} to {max(warm):.0f} MB in "
          f"the last two thirds, {load.memory[-1]:.0f} MB at the end")
    print("answers by kind:", {f"{what} {status}": count
                               for (what, status), count in sorted(load.counts.items())})
    for fault in load.faults[:20]:
        print("FAULT:", fault)
    if load.faults:
        print(f"{len(load.faults)} faults")
    return 1 if load.faults else 0


if __name__ == "__main__":
    sys.exit(main())
