#!/usr/bin/env python3
"""faster-whisper in a process, as a server would use it: how much sound a second.

    build/peers/bin/python bench/server_peer.py CTRANSLATE2_FOLDER ../shared/speech

Transcribes the recordings that bench/server_load.py asks its server for, with two workers of one
thread, int8, greedy, temperatures as there.
"""
import argparse
import concurrent.futures
import time

import faster_whisper
import server_load


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("folder")
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    recordings = server_load.recordings_in(arguments.folder)
    model = faster_whisper.WhisperModel(arguments.model, device="cpu", compute_type="int8",
                                        cpu_threads=1, num_workers=arguments.workers)

    def transcribe(path):
        segments, _ = model.transcribe(str(path), beam_size=1)
        return "".join(segment.text for segment in segments)

    transcribe(recordings[0][0])
    begin = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(arguments.workers) as pool:
        list(pool.map(transcribe, [path for path, _ in recordings]))
    seconds = time.monotonic() - begin
    total = sum(one for _, one in recordings)
    print(f"faster-whisper {faster_whisper.__version__}, {arguments.workers} workers: "
          f"{total / seconds:.1f} s of sound a second")


if __name__ == "__main__":
    main()
