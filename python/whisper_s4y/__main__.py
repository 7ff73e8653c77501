"""``python -m whisper_s4y``: a checkpoint to what an Android app of the first package takes."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from typing import List, Optional

from . import artefact_path, assets
from ._log import log
from .errors import Error
from .features_extractor import S4yFeaturesExtractor
from .whisper.huggingface.s4y_model import S4yGenerator


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m whisper_s4y",
        description="Writes a checkpoint's generator, its features extractor and the files of its "
        "tokenizer. The command whisper-s4y does more.",
    )
    parser.add_argument(
        "--model_name",
        default="openai/whisper-tiny",
        metavar="ID",
        help="a model on the hub, or a checkpoint's path (default: %(default)s)",
    )
    parser.add_argument(
        "--model_lang",
        default="en",
        metavar="LANG",
        help="language of the speech (default: %(default)s)",
    )
    parser.add_argument(
        "--artefacts_dir", metavar="DIR", help="where to write (default: the cache's artefacts)"
    )
    parser.add_argument("--skip_generator", action="store_true", help="write no generator")
    parser.add_argument(
        "--skip_features_extractor", action="store_true", help="write no features extractor"
    )
    parser.add_argument("--skip_assets", action="store_true", help="write no tokenizer")
    parser.add_argument("--debug", action="store_true", help="say more, with times")
    return parser


def main(arguments: Optional[List[str]] = None) -> int:
    """Gives the exit status."""
    parsed = _parser().parse_args(arguments)
    if parsed.debug:
        for handler in log.handlers:
            handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        log.setLevel(logging.DEBUG)
    name = os.path.basename(os.path.normpath(parsed.model_name))
    try:
        folder: str = parsed.artefacts_dir or os.path.dirname(artefact_path("any"))
        if not parsed.skip_generator:
            generator = S4yGenerator(parsed.model_name, lang=parsed.model_lang)
            path = os.path.join(folder, f"{name}-{parsed.model_lang}.tflite")
            generator.tflite(tflite_model_path=path)
        if not parsed.skip_features_extractor:
            path = os.path.join(folder, "features-extractor.tflite")
            S4yFeaturesExtractor().tflite(tflite_model_path=path)
        if not parsed.skip_assets:
            for path in assets.download_from_huggingface(parsed.model_name, folder):
                log.info("%s: written", path)
    except Error as error:
        print(f"whisper_s4y: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
