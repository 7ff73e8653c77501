#!/usr/bin/env python3
"""Command lines are completed in a real shell:

    completion_test.py bash|zsh|fish PROGRAM
"""

import os
import pathlib
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time

SKIPPED = 77
FILES = ["model.tflite", "modest.txt", "notes.txt", "summary.txt", "my talk.mp3"]
FOLDERS = ["subtitles"]

# What is typed before the tab key, and the arguments of the command line after it.
CASES = [
    ("conv", ["convert"]),
    ("convert --quanti", ["convert", "--quantize"]),  # of two the part they share
    ("convert --max-l", ["convert", "--max-length"]),
    ("convert x --quantize fp", ["convert", "x", "--quantize", "fp16"]),
    ("convert x --quantize=fp", ["convert", "x", "--quantize=fp16"]),
    ("convert --quantize int8 distil-sm", ["convert", "--quantize", "int8", "distil-small.en"]),
    ("export -f gg", ["export", "-f", "ggml"]),
    ("transcribe a b -f srt,js", ["transcribe", "a", "b", "-f", "srt,json"]),
    ("transcribe --language gs", ["transcribe", "--language", "gs"]),
    ("transcribe --language ha", ["transcribe", "--language", "ha"]),
    ("transcribe mo", ["transcribe", "model.tflite"]),  # no other file
    ("transcribe -t 2 mo", ["transcribe", "-t", "2", "model.tflite"]),
    ("transcribe -q -- mo", ["transcribe", "-q", "--", "model.tflite"]),
    ("transcribe model.tflite su", ["transcribe", "model.tflite", "su"]),  # two
    ("transcribe model.tflite no", ["transcribe", "model.tflite", "notes.txt"]),
    ("transcribe model.tflite notes.txt my",
     ["transcribe", "model.tflite", "notes.txt", "my talk.mp3"]),
    ("transcribe model.tflite -o su", ["transcribe", "model.tflite", "-o", "subtitles"]),
    ("transcribe --threads ", ["transcribe", "--threads"]),
    ("completion f", ["completion", "fish"]),
    ("nonsense ", ["nonsense"]),
]

# The program is asked for completions; else what it is called with is shown.
FUNCTION = r"""
whisper-s4y() {
  if [[ $1 == complete ]]; then "$PROGRAM" "$@"; return; fi
  printf '\nARGUMENTS'; printf '<%s>' "$@"; printf 'END\n'
}
source "$SCRIPT"
"""
STARTS = {
    "bash": (["bash", "--noprofile", "--norc", "-i"], ""),
    "zsh": (["zsh", "-f", "-i"], "autoload -U compinit; compinit -u -D\n"),
}


class Shell:
    """An interactive shell on a terminal of its own."""

    def __init__(self, command: list[str], env: dict, folder: pathlib.Path):
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execvpe(command[0], command, env)

    def ask(self, typed: str) -> str:
        """Types and waits for what a finished command line shows."""
        os.write(self.terminal, typed.encode())
        printed = ""
        end = time.monotonic() + 60
        while "END\r\n" not in printed:
            ready, _, _ = select.select([self.terminal], [], [], max(0, end - time.monotonic()))
            if not ready:
                sys.exit(f"nothing came of {typed!r} but {printed!r}")
            printed += os.read(self.terminal, 4096).decode(errors="replace")
        return re.search(r"ARGUMENTS(.*)END\r\n", printed, re.S).group(1)

    def close(self) -> None:
        os.write(self.terminal, b"exit\n")
        os.close(self.terminal)
        os.waitpid(self.pid, 0)


def by_typing(name: str, env: dict, folder: pathlib.Path) -> list[list[str]]:
    command, first = STARTS[name]
    (folder / ".start").write_text(first + FUNCTION)
    shell = Shell(command, env, folder)
    shell.ask("source ./.start; whisper-s4y ready\n")
    answers = []
    for typed, _ in CASES:
        arguments = re.findall("<(.*?)>", shell.ask(f"whisper-s4y {typed}\t\n"))
        answers.append([argument.rstrip("/") for argument in arguments])
    shell.close()
    return answers


def in_fish(env: dict, folder: pathlib.Path) -> list[list[str]]:
    """fish tells its candidates without a terminal; the common part of them is what it adds."""
    answers = []
    for typed, _ in CASES:
        text = subprocess.run(
            ["fish", "--no-config", "-c", 'source $SCRIPT; complete -C "whisper-s4y $argv"', typed],
            env=env | {"PATH": f"{pathlib.Path(env['PROGRAM']).parent}:{env['PATH']}"},
            cwd=folder, check=True, stdout=subprocess.PIPE, text=True,
        ).stdout
        candidates = [line.split("\t")[0] for line in text.splitlines()]
        *before, word = typed.split(" ")
        # fish also offers what has the text in its middle when nothing begins with it.
        common = os.path.commonprefix([c for c in candidates if c.startswith(word)])
        answers.append([*before, (common or word).rstrip("/")] if common or word else before)
    return answers


def main() -> int:
    name, program = sys.argv[1:]
    if shutil.which(name) is None:
        print(f"SKIPPED: {name} is not installed")
        return SKIPPED
    with tempfile.TemporaryDirectory() as path:
        folder = pathlib.Path(path)
        for file in FILES:
            (folder / file).touch()
        for other in FOLDERS:
            (folder / other).mkdir()
        script = folder / ".completion"
        script.write_text(
            subprocess.run(
                [program, "completion", name], check=True, stdout=subprocess.PIPE, text=True
            ).stdout
        )
        env = os.environ | {
            "HOME": path, "PROGRAM": program, "SCRIPT": str(script), "TERM": "xterm",
            "LC_ALL": "C.UTF-8", "PS1": "$ ",
        }
        answers = in_fish(env, folder) if name == "fish" else by_typing(name, env, folder)
    failed = 0
    for (typed, expected), found in zip(CASES, answers):
        if found != expected:
            print(f"{typed!r} becomes {found}, expected {expected}")
            failed += 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
