#!/usr/bin/env python3
"""Converted models in the interpreters of others, against the goldens: nothing may depend on our
runtime.

    interpreter_test.py PROGRAM SHARED [unittest options]

Runs on ai-edge-litert, and on tflite-runtime 2.14 where that is what the Python has; the models are
then converted with --compat 2.14.
"""
import pathlib
import sys
import tempfile
import unittest

import numpy as np

from whisper_files import RECORDINGS, convert, golden, prompt_inputs, row, skip, window

try:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType
    OLD = False
except ImportError:
    from tflite_runtime.interpreter import Interpreter, OpResolverType
    OLD = True

PROGRAM, SHARED = sys.argv[1:3]
FOLDER = tempfile.TemporaryDirectory(prefix="whisper-s4y-test.")


def model(name, *options):
    """A converted model; the same again is not converted twice."""
    options = options + (("--compat", "2.14") if OLD else ())
    path = pathlib.Path(FOLDER.name) / ("_".join((name, *options)).replace("/", "_") + ".tflite")
    if not path.exists():
        convert(PROGRAM, name, path, *options)
    return str(path)


def runner(path, key="serving_default", xnnpack=True):
    kind = OpResolverType.AUTO if xnnpack else OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = Interpreter(path, num_threads=2, experimental_op_resolver_type=kind)
    run = interpreter.get_signature_runner(key)
    run.keep_alive = interpreter  # a runner does not
    return run


def text_of(outputs):
    """What `transcribe` says in bytes."""
    runs = zip(outputs["text_bytes"], outputs["text_lengths"])
    return b"".join(run[:length].tobytes() for run, length in runs).decode()


def log_mel(audio):
    """The front end in double precision: docs and numbers of openai/whisper audio.py."""
    hertz_to_mel = lambda f: np.where(f < 1000, 3 * f / 200,
                                      15 + 27 * np.log(np.maximum(f, 1) / 1000) / np.log(6.4))
    mels = np.linspace(0, hertz_to_mel(np.array(8000.0)), 82)
    edges = np.where(mels < 15, 200 * mels / 3, 1000 * np.exp((mels - 15) * np.log(6.4) / 27))
    bins = np.arange(201) * 40.0
    rise = (bins - edges[:-2, None]) / np.diff(edges)[:-1, None]
    fall = (edges[2:, None] - bins) / np.diff(edges)[1:, None]
    filters = np.maximum(0, np.minimum(rise, fall)) * 2 / (edges[2:] - edges[:-2])[:, None]
    padded = np.pad(audio.astype(np.float64), 200, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, 400)[::160][:3000]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    power = np.abs(np.fft.rfft(frames * hann)) ** 2
    log = np.log10(np.maximum(power @ filters.T, 1e-10))
    return ((np.maximum(log, log.max() - 8) + 4) / 4).T


class Steps:
    """Greedy decoding with cross and step, as docs/models.md shows it."""

    def __init__(self, path, xnnpack=True):
        self.cross_runner = runner(path, "cross", xnnpack)
        self.step = runner(path, "step", xnnpack)
        self.self_shapes = {name: details["shape"]
                            for name, details in self.step.get_input_details().items()
                            if name.startswith("self_")}

    def listen(self, hidden):
        self.cross = self.cross_runner(last_hidden_state=hidden)
        self.caches = {name: np.zeros(shape, np.float32) for name, shape in self.self_shapes.items()}

    def feed(self, token, position):
        outputs = self.step(token=np.array([token], np.int32), position=np.array([position], np.int32),
                            **self.caches, **self.cross)
        self.caches = {name[4:]: value for name, value in outputs.items() if name != "logits"}
        return outputs["logits"][0]


class GoldenValues(unittest.TestCase):
    """Numbers along the way, float32."""

    def test_front_end(self):
        features = runner(model("tiny.en", "--part", "features-extractor"))
        for recording in RECORDINGS:
            with self.subTest(recording):
                audio = window(SHARED, recording)
                logmel = features(normalized_audio=audio)["logmel"][0]
                exact = np.abs(logmel - log_mel(audio))
                self.assertLess(exact.mean(), 1e-5)
                self.assertLess(exact.max(), 1e-4)
                arrays = golden(SHARED, "tiny.en", recording)[1]
                if "mel" in arrays:
                    difference = np.abs(logmel - arrays["mel"])
                else:
                    difference = np.abs(logmel[:, ::10] - arrays["mel_every10"])
                self.assertLess(difference.mean(), 1e-5)
                # Another version of FFmpeg resampled jfk.flac for the goldens: single samples
                # differ by 1 / 32768, and so does the exact spectrogram above.
                self.assertLess(difference.max(), 1e-3 if recording == "jfk.flac" else 3e-4)

    @unittest.skipIf(OLD, "the reference for old interpreters is tokens")
    def test_encoder_and_logits(self):
        for name in ["tiny.en", "base"]:
            path = model(name)
            encode = runner(path, "encode")
            features = runner(path, "features")
            steps = Steps(path)
            for recording in RECORDINGS:
                with self.subTest(f"{name} {recording}"):
                    arrays = golden(SHARED, name, recording)[1]
                    logmel = features(normalized_audio=window(SHARED, recording))["logmel"]
                    hidden = encode(input_features=logmel)["last_hidden_state"]
                    rows = arrays["enc_rows"]
                    difference = np.abs(hidden[0, arrays["enc_rows_idx"]] - rows).max()
                    self.assertLessEqual(difference, 1e-3 * np.abs(rows).max())
                    steps.listen(hidden)
                    for i, token in enumerate(arrays["dec_in8"]):
                        logits = steps.feed(token, i)
                        limit = 1e-3 * np.abs(arrays["logits8_top64"][i]).max()
                        top = np.abs(logits[arrays["logits8_top64_ids"][i]] - arrays["logits8_top64"][i])
                        self.assertLessEqual(top.max(), limit)
                        others = np.abs(logits[::101] - arrays["logits8_every101"][i])
                        self.assertLessEqual(others.max(), limit)
                        if "logits8_full" in arrays:
                            all_of_them = np.abs(logits - arrays["logits8_full"][i])
                            self.assertLessEqual(all_of_them.max(), limit)


class Parts(unittest.TestCase):
    """Each part alone, and chained, gives the tokens of the Python package."""

    def check(self, name, recording, xnnpack=True):
        expected = row(golden(SHARED, name, recording)[0]["tokens"])
        part = lambda which: runner(model(name, "--part", which), xnnpack=xnnpack)
        prompted = lambda which: runner(
            model(name, "--part", which, *self.prompt.get(name, ())), xnnpack=xnnpack)
        audio = window(SHARED, recording)
        logmel = part("features-extractor")(normalized_audio=audio)["logmel"]
        hidden = part("encoder")(input_features=logmel)["last_hidden_state"]
        np.testing.assert_array_equal(prompted("decoder")(encoder_hidden_states=hidden)["tokens"],
                                      expected)
        np.testing.assert_array_equal(prompted("generator")(input_features=logmel)["sequences"],
                                      expected)
        if not xnnpack:
            return  # slow, and these are the same ops
        direct = part("pcm-encoder")(normalized_audio=audio)["last_hidden_state"]
        np.testing.assert_array_equal(direct, hidden)
        np.testing.assert_array_equal(prompted("encoder-decoder")(input_features=logmel)["tokens"],
                                      expected)

    prompt = {"base": ("--language", "ar")}

    def test_tiny_en(self):
        self.check("tiny.en", "jfk.flac")

    @unittest.skipIf(OLD, "this wheel never has XNNPACK")
    def test_tiny_en_without_xnnpack(self):
        self.check("tiny.en", "jfk.flac", xnnpack=False)

    @unittest.skipIf(OLD, "tiny.en tells enough")
    def test_base_in_arabic(self):
        self.check("base", "1-1.wav")

    @unittest.skipUnless(OLD, "tests/models/golden_test.cc does it")
    def test_float16(self):
        self.check_tokens("--quantize", "fp16")

    @unittest.skipUnless(OLD, "tests/models/golden_test.cc does it")
    def test_int8(self):
        self.check_tokens("--quantize", "int8")

    @unittest.skipUnless(OLD, "LiteRT takes everything")
    def test_refuses_what_it_cannot_compute(self):
        for quantize in ["fp16", "int8"]:
            path = f"{FOLDER.name}/{quantize}.tflite"
            convert(PROGRAM, "tiny.en", path, "--part", "decoder", "--quantize", quantize)
            with self.assertRaisesRegex((RuntimeError, ValueError), "FULLY_CONNECTED|gather"):
                runner(path)(encoder_hidden_states=np.zeros((1, 1500, 384), np.float32))

    @unittest.skipIf(OLD, "for new interpreters")
    def test_what_is_made_for_old_interpreters(self):
        for quantize in ["fp16", "int8"]:
            with self.subTest(quantize):
                self.check_tokens("--quantize", quantize, "--compat", "2.14")

    def check_tokens(self, *options):
        logmel = runner(model("tiny.en", "--part", "features-extractor"))(
            normalized_audio=window(SHARED, "harvard-16k.wav"))["logmel"]
        tokens = runner(model("tiny.en", "--part", "encoder-decoder", *options))(
            input_features=logmel)["tokens"]
        np.testing.assert_array_equal(
            tokens, row(golden(SHARED, "tiny.en", "harvard-16k.wav")[0]["tokens"]))


class Bundle(unittest.TestCase):
    def check_steps(self, options=(), xnnpack=True):
        facts, arrays = golden(SHARED, "tiny.en", "jfk.flac")
        path = model("tiny.en", *options)
        logmel = runner(path, "features", xnnpack)(normalized_audio=window(SHARED, "jfk.flac"))
        hidden = runner(path, "encode")(input_features=logmel["logmel"])
        steps = Steps(path, xnnpack)
        steps.listen(hidden["last_hidden_state"])
        # Where the reference chose nothing that a rule forbids: the likeliest token each time.
        tokens = facts["tokens"]
        for position, token in enumerate(tokens[:-1]):
            logits = steps.feed(token, position)
            if position == 1:
                logits[[220, tokens[-1]]] = -1e9  # no blank and no end at first
            if position > 0:
                self.assertEqual(np.argmax(logits), tokens[position + 1])

    def test_steps(self):
        self.check_steps()

    @unittest.skipUnless(OLD, "tests/models/golden_test.cc does it")
    def test_steps_int8(self):
        self.check_steps(["--quantize", "int8"])

    @unittest.skipIf(OLD, "this wheel never has XNNPACK")
    def test_steps_without_xnnpack(self):
        self.check_steps(xnnpack=False)

    def test_transcribe_gives_text(self):
        facts = golden(SHARED, "tiny.en", "harvard-16k.wav")[0]
        outputs = runner(model("tiny.en", "--signatures", "transcribe", "--text-strings"), "transcribe")(
            normalized_audio=window(SHARED, "harvard-16k.wav"), **prompt_inputs(facts["tokens"][:2]))
        np.testing.assert_array_equal(outputs["tokens"], row(facts["tokens"]))
        self.assertEqual(b"".join(outputs["text"]).decode(), facts["text"])
        self.assertEqual(text_of(outputs), facts["text"])

    @unittest.skipIf(OLD, "tiny.en tells enough")
    def test_transcribe_detects_arabic(self):
        facts = golden(SHARED, "base", "al-fatiha.wav")[0]
        start, _, task, no_timestamps = facts["tokens"][:4]
        outputs = runner(model("base"), "transcribe")(
            normalized_audio=window(SHARED, "al-fatiha.wav"),
            **prompt_inputs([start, -1, task, no_timestamps]))
        np.testing.assert_array_equal(outputs["tokens"], row(facts["tokens"]))
        self.assertEqual(text_of(outputs), facts["text"])

    @unittest.skipIf(OLD, "LiteRT alone has CompiledModel")
    def test_compiled_model(self):
        from ai_edge_litert.compiled_model import CompiledModel
        from ai_edge_litert.hardware_accelerator import HardwareAccelerator
        facts = golden(SHARED, "tiny.en", "harvard-16k.wav")[0]
        compiled = CompiledModel.from_file(model("tiny.en"), HardwareAccelerator.CPU)
        index = compiled.get_signature_index("transcribe")
        names = compiled.get_signature_list()["transcribe"]
        values = {"normalized_audio": window(SHARED, "harvard-16k.wav"),
                  **prompt_inputs(facts["tokens"][:2])}
        inputs = compiled.create_input_buffers(index)
        for name, buffer in zip(names["inputs"], inputs):
            buffer.write(values[name])
        outputs = compiled.create_output_buffers(index)
        compiled.run_by_index(index, inputs, outputs)
        by_name = dict(zip(names["outputs"], outputs))
        tokens = by_name["tokens"].read(448, np.int32)
        np.testing.assert_array_equal(tokens[None], row(facts["tokens"]))
        width = compiled.get_output_tensor_details("transcribe")["text_bytes"]["shape"][1]
        runs = by_name["text_bytes"].read(448 * width, np.uint8).reshape(448, width)
        lengths = by_name["text_lengths"].read(448, np.int32)
        self.assertEqual(text_of({"text_bytes": runs, "text_lengths": lengths}), facts["text"])


if __name__ == "__main__":
    if not (pathlib.Path(SHARED) / "goldens").exists():
        skip("no goldens beside the checkout")
    unittest.main(argv=sys.argv[:1] + sys.argv[3:], verbosity=2)
