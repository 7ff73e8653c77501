#!/usr/bin/env python3
"""What is installed can be used where it is installed.

    install_test.py build FOLDER BUILD_TREE COMPILER VERSION
        installs into FOLDER, moves it, holds every version to VERSION and builds the examples with
        CMake and with pkg-config
    install_test.py run FOLDER
        runs program and examples; skips without WHISPER_S4Y_CHECKPOINTS
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

SKIPPED = 77
SAID = "ask not what your country can do for you"


def output(*command: object, **options) -> str:
    result = subprocess.run(
        [str(word) for word in command], stdout=subprocess.PIPE, text=True, **options
    )
    if result.returncode != 0:
        sys.exit(f"{command} ended with {result.returncode}:\n{result.stdout}")
    return result.stdout


def expect_equal(what: str, found: str, expected: str) -> None:
    if found != expected:
        sys.exit(f"{what} is {found!r}, expected {expected!r}")


def expect_text(what: str, text: str, expected: str) -> None:
    if expected.lower() not in re.sub(r"[^\w\s]", "", text).lower():
        sys.exit(f"{what} printed {text!r}, expected {expected!r} in it")


def check_versions(prefix: pathlib.Path, build: pathlib.Path, version: str, env: dict) -> None:
    program = output(prefix / "bin/whisper-s4y", "--version")
    expect_equal("the program's version", program, f"whisper-s4y {version}\n")
    expect_equal(
        "pkg-config's version", output("pkg-config", "--modversion", "whisper-s4y", env=env).strip(),
        version,
    )
    library = (prefix / "lib/libwhisper-s4y.so").resolve()
    expect_equal("the library", library.name, f"libwhisper-s4y.so.{version}")
    dynamic = output("readelf", "-d", library)
    soname = re.search(r"soname: \[(.*)\]", dynamic).group(1)
    expect_equal("the soname", soname, f"libwhisper-s4y.so.{version.split('.')[0]}")
    cpack = (build / "CPackConfig.cmake").read_text()
    packages = re.search(r'set\(CPACK_PACKAGE_VERSION "(.*)"\)', cpack).group(1)
    expect_equal("the packages' version", packages, version)


def build(folder: pathlib.Path, tree: pathlib.Path, compiler: str, version: str) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    output("cmake", "--install", tree, "--prefix", folder / "first")
    prefix = folder / "prefix"  # where it was not installed to
    (folder / "first").rename(prefix)
    env = os.environ | {
        "CMAKE_PREFIX_PATH": str(prefix),
        "PKG_CONFIG_PATH": str(prefix / "lib/pkgconfig"),
        "CXX": compiler,
    }
    env.pop("DESTDIR", None)
    check_versions(prefix, tree, version, env)

    sources = folder / "examples"
    shutil.copytree(prefix / "share/doc/whisper-s4y/examples", sources)
    with open(sources / "CMakeLists.txt", "a") as lists:
        lists.write(f"find_package(whisper-s4y {version} EXACT REQUIRED)\n")
    output("cmake", "-S", sources, "-B", folder / "by-cmake", env=env)
    output("cmake", "--build", folder / "by-cmake", "-j2")
    flags = output("pkg-config", "--cflags", "--libs", "whisper-s4y", env=env).split()
    output(
        compiler, "-std=c++17", "-Wall", "-Wextra", "-Werror", sources / "transcribe.cc",
        "-o", folder / "transcribe", *flags, f"-Wl,-rpath,{prefix}/lib",
    )


def run(folder: pathlib.Path) -> int:
    checkpoints = os.environ.get("WHISPER_S4Y_CHECKPOINTS")
    if not checkpoints:
        print("SKIPPED: WHISPER_S4Y_CHECKPOINTS names no folder of genuine checkpoints")
        return SKIPPED
    checkpoint = pathlib.Path(checkpoints) / "tiny.en/hf"
    recording = folder / "examples/jfk.flac"
    program, model = folder / "prefix/bin/whisper-s4y", folder / "tiny.en.tflite"
    output(program, "convert", checkpoint, "-o", model, "--quantize", "int8", "--quiet")
    examples = folder / "by-cmake"
    expect_text("transcribe", output(examples / "transcribe", model, recording), SAID)
    expect_text("transcribe_c", output(examples / "transcribe_c", model, recording), SAID)
    expect_text("decode", output(examples / "decode", model, recording), SAID)
    expect_text(
        "convert_in_memory", output(examples / "convert_in_memory", checkpoint, recording), SAID
    )
    expect_text(
        "transcribe by pkg-config", output(folder / "transcribe", model, recording), SAID
    )
    subtitles = output(examples / "stream", model, recording)
    expect_text("stream", subtitles, SAID)
    expect_equal("what stream prints when cancelled", output(examples / "stream", model, recording, 0), "")
    with open(recording, "rb") as pipe:
        piped = output(examples / "live", model, "-", stdin=pipe)
    expect_text("live", piped, "what you can do for your country")
    return 0


def main() -> int:
    mode, folder, *rest = sys.argv[1:]
    if mode == "build":
        tree, compiler, version = rest
        build(pathlib.Path(folder), pathlib.Path(tree), compiler, version)
        return 0
    return run(pathlib.Path(folder))


if __name__ == "__main__":
    sys.exit(main())
