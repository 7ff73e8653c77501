"""Another side of compare.py: OpenVINO running our encoder from its .tflite file. Encodes noise each time
a line comes in and answers with one line of JSON.

  openvino_worker.py ENCODER.tflite THREADS f32|bf16
"""

import json
import sys
import time

import numpy as np
import openvino


def main():
    file, threads, precision = sys.argv[1:]
    core = openvino.Core()
    model = core.compile_model(
        file,
        "CPU",
        {"INFERENCE_NUM_THREADS": int(threads), "INFERENCE_PRECISION_HINT": precision, "NUM_STREAMS": 1},
    )
    features = np.random.default_rng(1).standard_normal(list(model.input(0).shape), dtype=np.float32)
    for _ in sys.stdin:
        cpu = time.process_time()
        start = time.perf_counter()
        model(features)
        seconds = time.perf_counter() - start
        print(json.dumps({"encode": seconds, "cpu": time.process_time() - cpu}), flush=True)


if __name__ == "__main__":
    main()
