"""Decoding with the signatures `cross` and `step` in ai-edge-litert's Interpreter."""
import numpy as np


def logits_after(interpreter, last_hidden_state, tokens):
    """last_hidden_state f32[1, 1500, d_model] -> f32[len(tokens), vocab_size], a row after each token."""
    cross = interpreter.get_signature_runner("cross")(last_hidden_state=last_hidden_state)
    step = interpreter.get_signature_runner("step")
    caches = {name: np.zeros(details["shape"], np.float32)
              for name, details in step.get_input_details().items() if name.startswith("self_")}
    logits = []
    for position, token in enumerate(tokens):
        outputs = step(token=np.array([token], np.int32), position=np.array([position], np.int32),
                       **caches, **cross)
        logits.append(outputs.pop("logits")[0])
        caches = {name.removeprefix("new_"): value for name, value in outputs.items()}
    return np.array(logits)
