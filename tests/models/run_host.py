#!/usr/bin/env python3
"""Runs the signatures of a bundle in one host and says of each whether its numbers are right, and how
long it took:

    run_host.py HOST FOLDER [--tokens N]

HOST is one of HOSTS below. FOLDER has what scripts/update-hosts-docs puts there: bundle.tflite, or a
file for each signature (encode.tflite ...) for hosts that read one signature a file, and case.npz
with inputs and what must come out. Prints JSON: {signature: {"ms": 1.2} or {"error": "..."}}.
"""
import json
import pathlib
import statistics
import sys
import time

import numpy as np

SIGNATURES = ["features", "encode", "cross", "step", "prefill", "transcribe"]
CLOSE = 0.5  # logits
REPEATS = {"features": 5, "encode": 3, "cross": 3, "prefill": 3, "transcribe": 2}


class OfInterpreter:
    """TensorFlow Lite's Interpreter, by whatever name."""

    def __init__(self, path, interpreter_type):
        self.interpreter = interpreter_type(str(path), num_threads=2)
        self.runners = {}

    def run(self, key, **inputs):
        if key not in self.runners:
            self.runners[key] = self.interpreter.get_signature_runner(key)
        return self.runners[key](**inputs)


def interpreter(folder):
    from ai_edge_litert.interpreter import Interpreter
    return OfInterpreter(folder / "bundle.tflite", Interpreter)


def tflite_runtime(folder):
    from tflite_runtime.interpreter import Interpreter
    return OfInterpreter(folder / "bundle.tflite", Interpreter)


def tensorflow(folder):
    import tensorflow
    return OfInterpreter(folder / "bundle.tflite", tensorflow.lite.Interpreter)


class OfCompiledModel:
    """LiteRT's CompiledModel."""

    def __init__(self, path, accelerator):
        from ai_edge_litert.compiled_model import CompiledModel
        self.model = CompiledModel.from_file(str(path), accelerator)
        self.signatures = self.model.get_signature_list()
        self.buffers = {}

    def run(self, key, **inputs):
        index = self.model.get_signature_index(key)
        if key not in self.buffers:
            self.buffers[key] = (self.model.create_input_buffers(index),
                                 self.model.create_output_buffers(index))
        given, taken = self.buffers[key]
        for name, buffer in zip(self.signatures[key]["inputs"], given):
            buffer.write(np.ascontiguousarray(inputs[name]))
        self.model.run_by_index(index, given, taken)
        details = self.model.get_output_tensor_details(key)
        outputs = {}
        for name, buffer in zip(self.signatures[key]["outputs"], taken):
            shape = [int(size) for size in details[name]["shape"]]
            dtype = np.dtype(details[name]["dtype"]).type
            outputs[name] = buffer.read(int(np.prod(shape)), dtype).reshape(shape)
        return outputs


def compiled_model(folder):
    from ai_edge_litert.hardware_accelerator import HardwareAccelerator
    return OfCompiledModel(folder / "bundle.tflite", HardwareAccelerator.CPU)


def webgpu(folder):
    """All of it on the GPU: an op that this does not take would be refused."""
    from ai_edge_litert.hardware_accelerator import HardwareAccelerator
    return OfCompiledModel(folder / "bundle.tflite", HardwareAccelerator.GPU)


class OfWhisperS4y:
    """Our own runtime, in Python."""

    def __init__(self, path):
        import whisper_s4y
        self.model = whisper_s4y.Model(str(path), threads=2, use_cache=False)

    def run(self, key, **inputs):
        return self.model.signature(key)(**inputs)


def whisper_s4y(folder):
    return OfWhisperS4y(folder / "bundle.tflite")


class OfOpenVino:
    """OpenVINO reads the first subgraph of a file and names tensors as the file does."""

    def __init__(self, folder):
        import openvino
        self.openvino = openvino
        self.folder = folder
        self.core = openvino.Core()
        self.models = {}

    def run(self, key, **inputs):
        if key not in self.models:
            model = self.core.compile_model(self.folder / f"{key}.tflite", "CPU",
                                            {"INFERENCE_NUM_THREADS": 2,
                                             "INFERENCE_PRECISION_HINT": "f32"})
            self.models[key] = (model, model.create_infer_request())
        model, request = self.models[key]
        request.infer({f"{key}/{name}": value for name, value in inputs.items()})
        return {port.get_any_name().rpartition("/")[2]: np.array(request.get_tensor(port).data)
                for port in model.outputs}


HOSTS = {
    "whisper-s4y": whisper_s4y,
    "Interpreter": interpreter,
    "CompiledModel": compiled_model,
    "WebGPU": webgpu,
    "tflite-runtime": tflite_runtime,
    "TensorFlow": tensorflow,
    "OpenVINO": OfOpenVino,
}


def distance(value, reference):
    """Of two arrays, relative to the reference."""
    return float(np.linalg.norm(value - reference) / np.linalg.norm(reference))


def is_right(logits, token):
    """Whether the token is the likeliest, or so near to it that the rounding of int8 decides."""
    return logits[token] >= np.max(logits) - CLOSE


class Case:
    """What every signature is given and must give."""

    def __init__(self, path, most_tokens):
        self.arrays = dict(np.load(path))
        self.tokens = [int(token) for token in self.arrays["tokens"]]
        self.most = min(most_tokens or len(self.tokens), len(self.tokens))
        self.cross = {name: value for name, value in self.arrays.items() if name.startswith("cross_")}

    def empty_caches(self):
        caches = {}
        for name, value in self.cross.items():
            shape = [448 if size == 1500 else size for size in value.shape]
            caches[name.replace("cross_", "self_")] = np.zeros(shape, np.float32)
        return caches

    def inputs(self, key):
        audio = {"normalized_audio": self.arrays["normalized_audio"]}
        if key == "features":
            return audio
        if key == "encode":
            return {"input_features": self.arrays["logmel"]}
        if key == "cross":
            return {"last_hidden_state": self.arrays["last_hidden_state"]}
        if key == "prefill":
            row = np.zeros((1, 64), np.int32)
            row[0, :self.most - 1] = self.tokens[:self.most - 1][:64]
            return {"tokens": row, "position": np.array([0], np.int32),
                    "length": np.array([min(self.most - 1, 64)], np.int32), **self.empty_caches(),
                    **self.cross}
        prompt = np.zeros((1, 228), np.int32)
        prompt[0, :2] = self.tokens[:2]
        return {**audio, "prompt_tokens": prompt, "prompt_length": np.array([2], np.int32),
                "max_length": np.array([448], np.int32)}

    def check(self, key, outputs):
        """Throws ValueError."""
        if key in ("features", "encode", "cross"):
            # Integers of an encoder may be rounded elsewhere.
            limit = 1e-3 if key == "features" else 0.1
            for name, value in outputs.items():
                found = distance(value, self.arrays[name])
                if not found < limit:
                    raise ValueError(f"{name} is {found:.2g} away")
        elif key == "prefill":
            if not is_right(outputs["logits"][0], self.tokens[self.most - 1]):
                raise ValueError("wrong token")
        elif list(outputs["tokens"][0][:len(self.tokens)]) != self.tokens:
            raise ValueError("wrong tokens")

    def decode(self, run):
        """Feeds tokens one by one; throws ValueError for one that should be another."""
        caches = self.empty_caches()
        for position in range(self.most - 1):
            outputs = run("step", token=np.array([self.tokens[position]], np.int32),
                          position=np.array([position], np.int32), **caches, **self.cross)
            caches = {name[len("new_"):]: value for name, value in outputs.items()
                      if name != "logits"}
            logits = np.array(outputs["logits"][0])
            if position == 0:
                continue  # of the prompt
            if position == 1:
                logits[[220, 50256]] = -1e9  # no blank and no end at first
            if not is_right(logits, self.tokens[position + 1]):
                raise ValueError(f"wrong token after {position + 1}")


PLACES = ("ERROR: [", "Exception from ", "Check '", "FrontEnd API failed")


def sentence(error):
    """The first line that says something but a place in a program."""
    lines = [line.strip(" └") for line in str(error).splitlines()]
    lines = [line for line in lines if line and not line.startswith(PLACES)]
    return (lines or [type(error).__name__])[0][:160]


def measure(host, case, key, repeats):
    """Milliseconds of a call, the first left out."""
    times = []

    def run(name, **inputs):
        start = time.perf_counter()
        outputs = host.run(name, **inputs)
        times.append((time.perf_counter() - start) * 1e3)
        return outputs

    if key == "step":
        case.decode(run)
    else:
        inputs = case.inputs(key)
        for _ in range(1 + repeats):
            outputs = run(key, **inputs)
        case.check(key, outputs)
    return statistics.median(times[1:] or times)


def main():
    name, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    tokens = int(sys.argv[4]) if sys.argv[3:4] == ["--tokens"] else None
    case = Case(folder / "case.npz", tokens)
    keys = json.loads((folder / "signatures.json").read_text())
    try:
        host = HOSTS[name](folder)
    except Exception as error:  # whatever a host has to say of the file is the result
        print(json.dumps({key: {"error": sentence(error)} for key in keys}))
        return
    results = {}
    for key in keys:
        try:
            repeats = 0 if tokens else REPEATS.get(key, 0)
            results[key] = {"ms": measure(host, case, key, repeats)}
        except Exception as error:  # the same
            results[key] = {"error": sentence(error)}
    print(json.dumps(results))


if __name__ == "__main__":
    main()
