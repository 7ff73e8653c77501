#!/usr/bin/env python3
"""The examples in the public headers and in the guides compile, as C++17 and C99 without warnings:

    examples_test.py PROJECT CXX CC

Each stands in a function of its own; what it takes for granted is in CONTEXT. A variable that an
example ends with may be unused.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

# Without an example of their own.
PLAIN = {"export.h"}
GUIDES = ["README.md", "docs/library.md", "docs/transcribing.md", "docs/decoding.md", "docs/vad.md"]
FLAGS = ["-Wall", "-Wextra", "-Werror", "-Wno-unused-variable", "-Wno-unused-but-set-variable"]
CONTEXT = """
extern const whisper_s4y::Model model;
extern whisper_s4y::Session session;
extern whisper_s4y::Transcriber transcriber;
extern whisper_s4y::TranscribeCallbacks callbacks;
extern const whisper_s4y::Transcript transcript;
extern std::vector<float> samples;
extern const std::string reference;
struct Microphone {
  size_t read(std::vector<float>& samples);
};
extern Microphone microphone;
void hear(whisper_s4y::Span<const float> samples);
constexpr int kMissing = 1;
constexpr int kBroken = 2;
"""


def block_of(lines: list[str]) -> str:
    """The indented lines that come first, without what indents them."""
    indent = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return "\n".join(line[indent:] for line in lines)


def header_example(header: pathlib.Path) -> str:
    """What is indented in the comment that the header begins with."""
    found: list[str] = []
    for line in header.read_text().splitlines():
        text = re.match(r"(?://|/\*| \*)(.*)", line)
        if text is None or text[1].strip() == "/":
            break
        if re.match(r" {3,}\S", text[1]):
            found.append(text[1])
        elif found:
            break
    return block_of(found)


def inner_examples(header: pathlib.Path) -> list[str]:
    """What is indented in comments further down."""
    blocks: list[list[str]] = [[]]
    for line in header.read_text().splitlines():
        text = re.match(r" *///( {5,}\S.*)", line)
        if text is not None:
            blocks[-1].append(text[1])
        elif blocks[-1]:
            blocks.append([])
    return [block_of(lines) for lines in blocks if lines]


def guide_examples(guide: pathlib.Path) -> list[str]:
    """The blocks of C++ that use the library."""
    blocks: list[list[str]] = [[]]
    for line in guide.read_text().splitlines():
        if line.startswith("    ") or (not line and blocks[-1]):
            blocks[-1].append(line)
        elif blocks[-1]:
            blocks.append([])
    texts = [block_of(lines) for lines in blocks]
    return [text for text in texts if "whisper_s4y::" in text]


def compiled(compiler: list[str], source: str, suffix: str) -> str:
    """What the compiler says."""
    with tempfile.NamedTemporaryFile("w", suffix=suffix) as file:
        file.write(source)
        file.flush()
        return subprocess.run(
            [*compiler, *FLAGS, "-fsyntax-only", file.name], capture_output=True, text=True
        ).stderr


def in_cxx(example: str, includes: str) -> str:
    own = "\n".join(line for line in example.splitlines() if line.startswith("#include"))
    body = "\n".join(line for line in example.splitlines() if not line.startswith("#include"))
    standard = "#include <atomic>\n#include <iostream>\n#include <string>\n#include <vector>\n"
    return f"{standard}{own}\n{includes}{CONTEXT}\nint example() {{\n{body}\nreturn 0;\n}}\n"


def main() -> int:
    project, cxx, cc = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    include = f"-I{project / 'include'}"
    headers = sorted((project / "include/whisper_s4y").glob("*.h"))
    includes = "".join(f'#include "whisper_s4y/{header.name}"\n' for header in headers)
    complaints: dict[str, str] = {}
    count = 0

    def check(name: str, problem: str) -> None:
        nonlocal count
        count += 1
        if problem:
            complaints[name] = problem

    in_cxx17 = [cxx, "-std=c++17", include]
    for header in headers:
        if header.name in PLAIN:
            continue
        example = header_example(header)
        if not example:
            complaints[header.name] = "does not begin with an example\n"
        elif header.name == "whisper_s4y.h":
            source = f'#include <stdio.h>\n#include "whisper_s4y/{header.name}"\n'
            source += f"void example(void) {{\n{example}\n}}\nvoid example(void);\n"
            check(header.name, compiled([cc, "-std=c99", include], source, ".c"))
        else:
            check(header.name, compiled(in_cxx17, in_cxx(example, includes), ".cc"))
        for inner in inner_examples(header):
            check(header.name, compiled(in_cxx17, in_cxx(inner, includes), ".cc"))
    for name in GUIDES:
        for example in guide_examples(project / name):
            check(name, compiled(in_cxx17, in_cxx(example, includes), ".cc"))

    print(f"{count} examples")
    for name, problem in complaints.items():
        print(f"{name}:\n{problem}")
    return 1 if complaints or count < 20 else 0


if __name__ == "__main__":
    sys.exit(main())
