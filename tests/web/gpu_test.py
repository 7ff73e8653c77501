#!/usr/bin/env python3
"""The npm package on WebGPU, which Chromium computes in software here: slow, and good enough to compare
what comes out.

    gpu_test.py WHISPER_S4Y SHARED_FOLDER
"""

import web_site as site
from web_site import expect

SOFTWARE_GPU = ("--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan")

TRANSCRIBE = """
const [url, accelerator] = given;
const whisper = await s4y.Whisper.load(url, { accelerator });
const samples = await s4y.decodeAudio(await (await fetch('speech/jfk.flac')).arrayBuffer());
const { segments } = await whisper.transcribe(samples, { maxTokens: 3, temperatures: [0] }).transcript;
const { accelerator: used, warnings } = whisper;
whisper.close();
return { tokens: segments.flatMap(({ tokens }) => tokens), used, warnings };
"""


def test_tokens_are_those_of_the_processor(page, url):
    _, address = site.model("tiny.en")
    page.open_package(url)
    if not page.run("return Boolean(await navigator.gpu?.requestAdapter())"):
        site.skip("this Chromium has no WebGPU in software")
    wanted = page.run(TRANSCRIBE, address, "wasm")
    got = page.run(TRANSCRIBE, address, "webgpu")
    expect((wanted["used"], got["used"]) == ("wasm", "webgpu"), f"what computes: {wanted}, {got}")
    expect(got["warnings"] == [], f"nothing goes wrong: {got['warnings']}")
    expect(got["tokens"] == wanted["tokens"] and len(got["tokens"]) == 3, f"{got}, not {wanted}")


def test_without_a_gpu_the_processor_computes(url):
    _, address = site.model("tiny.en")
    page = site.Page()
    try:
        page.open_package(url)
        got = page.run(TRANSCRIBE, address, "webgpu")
    finally:
        page.quit()
    expect(got["used"] == "wasm" and "has no WebGPU" in got["warnings"][0], f"it is {got}")
    expect(len(got["tokens"]) == 3, f"it works: {got}")


site.build(site.SITE)
with site.Serving() as running:
    opened = site.Page(gpu=SOFTWARE_GPU)
    try:
        site.run_tests([test_tokens_are_those_of_the_processor], opened, running)
    finally:
        opened.quit()
    site.run_tests([test_without_a_gpu_the_processor_computes], running)
site.end()
