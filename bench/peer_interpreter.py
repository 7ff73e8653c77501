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

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests/models"))
from interpreter_steps import logits_after  # noqa: E402

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

logits = logits_after(interpreter, hidden, tokens)

folder = pathlib.Path(folder)
np.save(folder / "logmel.npy", logmel[0])
np.save(folder / "last_hidden_state.npy", hidden[0])
np.save(folder / "logits.npy", logits)
