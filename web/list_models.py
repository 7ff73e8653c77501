#!/usr/bin/env python3
"""Writes models.json, the list of models that the page offers, into a folder of bundles.

    list_models.py WHISPER_S4Y FOLDER
"""

import hashlib
import json
import pathlib
import subprocess
import sys


def entry(program, file):
    """What the page shows of a model before it is fetched."""
    described = json.loads(subprocess.run([program, "inspect", file, "--json"], check=True,
                                          capture_output=True, text=True).stdout)
    return {"file": file.name, "name": described["model"]["name"], "bytes": described["size"],
            "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
            "languages": list(described["model"]["lang_to_id"])}


def write_list(program, folder):
    """Smaller models first."""
    folder = pathlib.Path(folder)
    models = [entry(program, file) for file in folder.glob("whisper-*.tflite")]
    models.sort(key=lambda one: one["bytes"])
    vad = "silero-vad.tflite"
    (folder / "models.json").write_text(json.dumps(
        {"models": models, "vad": vad if (folder / vad).exists() else ""}, indent=1) + "\n")


if __name__ == "__main__":
    write_list(*sys.argv[1:])
