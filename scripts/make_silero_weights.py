#!/usr/bin/env python3
"""Makes src/vad/data/silero_vad.safetensors and its licence from the Python package silero-vad.

    python3 -m venv venv && venv/bin/pip install onnx==1.23.2 safetensors==0.8.0
    venv/bin/python scripts/make_silero_weights.py            # the version built in
    venv/bin/python scripts/make_silero_weights.py 6.0.0 out  # another one, into the folder out

The weights are those of silero_vad_16k_op15.onnx, under the names of the package's own
silero_vad_16k.safetensors. That file itself cannot be used: its weights are not those of the ONNX
models of the same package (probabilities differ by up to 0.99), and the ONNX models are what
everybody runs. Nothing of the package is run or installed.
"""
import hashlib
import pathlib
import subprocess
import sys
import tempfile
import zipfile

import onnx
import safetensors.numpy

# sha256 of silero_vad_16k_op15.onnx.
VERSIONS = {
    "6.0.0": "794ed8a51d4f37faf0555383aa34dbaeeb83e3031a1df1e0351c457e1142bd3e",  # what faster-whisper 1.2 carries
    "6.2.3": "7ed98ddbad84ccac4cd0aeb3099049280713df825c610a8ed34543318f1b2c49",  # built in
}
# The basis of the Fourier transform is computed (src/config/dft_kernel.h).
NAMES = {
    **{f"model.encoder.{i}.reparam_conv.{part}": f"conv{i + 1}.{part}"
       for i in range(4) for part in ("weight", "bias")},
    **{f"model.decoder.rnn.{part}": f"lstm_cell.{part}"
       for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")},
    **{f"model.decoder.decoder.2.{part}": f"final_conv.{part}" for part in ("weight", "bias")},
}


def main():
    version = sys.argv[1] if len(sys.argv) > 1 else "6.2.3"
    data = pathlib.Path(__file__).parent.parent / "src/vad/data"
    out = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else data
    with tempfile.TemporaryDirectory() as work:
        subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps",
                        "--only-binary=:all:", "-d", work, f"silero-vad=={version}"], check=True)
        wheel = zipfile.ZipFile(next(pathlib.Path(work).glob("*.whl")))
        model = wheel.read("silero_vad/data/silero_vad_16k_op15.onnx")
        licence = wheel.read(f"silero_vad-{version}.dist-info/licenses/LICENSE")
    if hashlib.sha256(model).hexdigest() != VERSIONS[version]:
        sys.exit(f"silero_vad_16k_op15.onnx of silero-vad {version} is not the expected file")
    stored = {tensor.name: onnx.numpy_helper.to_array(tensor)
              for tensor in onnx.load_from_string(model).graph.initializer}
    out.mkdir(exist_ok=True)
    safetensors.numpy.save_file({name: stored[source] for source, name in NAMES.items()},
                                out / "silero_vad.safetensors",
                                {"source": f"silero-vad {version}, silero_vad_16k_op15.onnx"})
    (out / "LICENSE.silero-vad").write_bytes(licence)
    print(f"{out}: silero-vad {version}")


if __name__ == "__main__":
    main()
