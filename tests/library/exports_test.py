#!/usr/bin/env python3
"""The symbols that the shared library exports are those of the public headers, and can be called by
who has no other header:

    exports_test.py LIBRARY HEADERS NM
"""

import pathlib
import re
import subprocess
import sys


def texts(headers: pathlib.Path) -> list[str]:
    """The headers without their comments."""
    return [
        re.sub(r"//[^\n]*|/\*.*?\*/", "", header.read_text(), flags=re.S)
        for header in headers.glob("*.h")
    ]


def defined_types(headers: pathlib.Path) -> set[str]:
    """Types of which the headers say more than that they exist."""
    pattern = r"(?:class|struct|enum class)\s+(?:WHISPER_S4Y_API\s+)?(\w+)[^;{()]*\{"
    return {name for text in texts(headers) for name in re.findall(pattern, text)}


def declared_names(headers: pathlib.Path) -> set[str]:
    """What the headers mark: functions and classes by their names."""
    names: set[str] = set()
    for text in texts(headers):
        names.update(re.findall(r"(?:class|struct)\s+WHISPER_S4Y_API\s+(\w+)", text))
        names.update(re.findall(r"WHISPER_S4Y_API\b[^;{(]*?(\w+)\s*\(", text))
    return names


def main() -> int:
    library, headers, nm = sys.argv[1:]
    declared = declared_names(pathlib.Path(headers))
    types = defined_types(pathlib.Path(headers))
    lines = subprocess.run(
        [nm, "-D", "--defined-only", "-C", library], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    symbols = [line.split(" ", 2)[2] for line in lines if line.split(" ", 2)[1] != "A"]
    strangers = []
    for versioned in symbols:
        symbol, _, version = versioned.partition("@@")
        # The C API keeps its version while the number of the library stays; that of C++ grows.
        right = r"WHISPER_S4Y_\d+" if symbol.startswith("whisper_s4y_") else r"WHISPER_S4Y_CXX_\d+\.\d+"
        arguments = symbol.partition("(")[2]
        needed = set(re.findall(r"whisper_s4y::(?:\w+::)*(\w+)", arguments))
        if re.fullmatch(right, version) is None or "::Impl::" in symbol or needed - types:
            strangers.append(versioned)
            continue
        plain = re.sub(r"^(typeinfo name for|typeinfo for|vtable for) ", "", symbol)
        plain = plain.replace("[abi:cxx11]", "")
        # A function or class of the namespace, or a function of the C API.
        match = re.match(r"whisper_s4y::(\w+)(?:::|\(|$)|(whisper_s4y_\w+)$", plain)
        if match is None or not declared & set(match.groups()):
            strangers.append(symbol)
    print(f"{len(symbols)} symbols, {len(declared)} declarations")
    for symbol in strangers:
        print("exported, but not to be called with the headers:", symbol)
    if len(symbols) < 20:
        print("the library exports hardly anything")
        return 1
    return 1 if strangers else 0


if __name__ == "__main__":
    sys.exit(main())
