#!/usr/bin/env python3
"""Every command has a page in the manual, which man shows without a warning and which names all
that the command's help names:

    manual_test.py PROGRAM
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77
ENVIRONMENT = os.environ | {"LC_ALL": "C.UTF-8", "MANWIDTH": "2000"}


def output(*command: object) -> str:
    return subprocess.run(
        [str(word) for word in command], check=True, stdout=subprocess.PIPE, text=True,
        env=ENVIRONMENT,
    ).stdout


def words(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def failures(program: str, command: str, page: pathlib.Path) -> list[str]:
    shown = subprocess.run(
        ["man", "--warnings=w", "-l", str(page)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, env=ENVIRONMENT,
    )
    if shown.returncode != 0 or shown.stderr:
        return [f"{page.name}: {shown.stderr}"]
    text = words(re.sub(".\b", "", shown.stdout))
    help_text = output(program, *command.split(), "--help")
    # Options with what they take, and the examples.
    wanted = re.findall(r"^  ((?:-\w, )?--[\w-]+(?: \S+)?)(?:  |$)", help_text, re.M)
    wanted += re.findall(r"^  (whisper-s4y .*)$", help_text, re.M)
    if len(wanted) < 2:
        return [f"{command}: the help names hardly anything"]
    return [f"{page.name} lacks {what!r}" for what in wanted if words(what) not in text]


def main() -> int:
    program = sys.argv[1]
    if shutil.which("man") is None:
        print("SKIPPED: man is not installed")
        return SKIPPED
    listed = re.search(r"^Commands:\n(.*?)\n\n", output(program, "--help"), re.M | re.S).group(1)
    commands = ["", *re.findall(r"^  (\w+)", listed, re.M)]
    found = []
    with tempfile.TemporaryDirectory() as path:
        folder = pathlib.Path(path)
        output(program, "man-pages", folder)
        pages = {command: "-".join(filter(None, ["whisper-s4y", command])) + ".1" for command in commands}
        if sorted(pages.values()) != sorted(page.name for page in folder.iterdir()):
            found.append(f"the pages are {[page.name for page in folder.iterdir()]}")
        for command, page in pages.items():
            found += failures(program, command, folder / page)
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
