#!/usr/bin/env python3
"""How long one client waits when it is alone.

    bench/server_latency.py build/release/bin/whisper-s4y MODEL.tflite ../shared/speech [--rounds 20]

starts `whisper-s4y serve MODEL.tflite` and asks it, one request after the other, for the text of a
recording of about 10 s as server-sent events (the time to the first delta) and for that of one of
about 2 s as JSON (the time to the answer). Medians, and the times between which nine of ten lie.
"""
import argparse
import asyncio
import signal
import statistics
import time

import server_load


async def first_delta(port, path):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    body = server_load.form(path, "stream", path.read_bytes())
    begin = time.monotonic()
    writer.write(server_load.head_of(body) + body)
    await reader.readuntil(b'"delta":')
    seconds = time.monotonic() - begin
    writer.close()
    return seconds


async def answer(port, path):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    body = server_load.form(path, "json", path.read_bytes())
    begin = time.monotonic()
    writer.write(server_load.head_of(body) + body)
    status, _, _ = await server_load.read_answer(reader)
    seconds = time.monotonic() - begin
    writer.close()
    assert status == 200, status
    return seconds


def tell(what, times):
    times = sorted(times)
    cut = len(times) // 20
    print(f"{what}: median {statistics.median(times) * 1000:.0f} ms, "
          f"{times[cut] * 1000:.0f} to {times[-1 - cut] * 1000:.0f} ms")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("model")
    parser.add_argument("folder")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=20)
    arguments = parser.parse_args()
    recordings = server_load.recordings_in(arguments.folder)

    def nearest(seconds):
        return min(recordings, key=lambda one: abs(one[1] - seconds))

    server, port = server_load.start(arguments.program, arguments.model, arguments.threads, [])
    try:
        for seconds, ask, what in ((10, first_delta, "first delta"), (2, answer, "answer")):
            path, exact = nearest(seconds)
            times = [asyncio.run(ask(port, path)) for _ in range(arguments.rounds + 2)][2:]
            tell(f"{what}, {exact:.1f} s of sound", times)
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=60)
    finally:
        server.kill()


if __name__ == "__main__":
    main()
