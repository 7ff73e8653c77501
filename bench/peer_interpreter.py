"""Runs a bundle in ai-edge-litert's Interpreter; see bench/sizes.py.

    peer_interpreter.py BUNDLE ENCODER AUDIO.npy FOLDER TOKEN...

FOLDER gets logmel.npy, last_hidden_state.npy, and logits.npy after each TOKEN. With XNNPACK this
interpreter packs the weights of all signatures of a file, each for itself: 15 GB for turbo. So
ENCODER is the part alone, and the rest runs on the built-in kernels.
"""
import pathlib
import sys

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

bundle, encoder, audio, folder = sys.argv[1:5]
tokens = [int(token) for token in sys.argv[5:]]

interpreter = Interpreter(
    bundle, num_threads=2,
    experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES)
features = interpreter.get_signature_runner("features")
logmel = features(normalized_audio=np.load(audio))["logmel"]

part = Interpreter(encoder, num_threads=2)
hidden = part.get_signature_runner("serving_default")(input_features=logmel)["last_hidden_state"]
del part

cross = interpreter.get_signature_runner("cross")(last_hidden_state=hidden)
step = interpreter.get_signature_runner("step")
caches = {name: np.zeros(details["shape"], np.float32)
          for name, details in step.get_input_details().items() if name.startswith("self_")}
logits = []
for position, token in enumerate(tokens):
    outputs = step(token=np.array([token], np.int32), position=np.array([position], np.int32),
                   **caches, **cross)
    logits.append(outputs.pop("logits")[0])
    caches = {name.removeprefix("new_"): value for name, value in outputs.items()}

folder = pathlib.Path(folder)
np.save(folder / "logmel.npy", logmel[0])
np.save(folder / "last_hidden_state.npy", hidden[0])
np.save(folder / "logits.npy", np.array(logits))
