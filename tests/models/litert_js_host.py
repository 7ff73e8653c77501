#!/usr/bin/env python3
"""Runs the signatures of a bundle for browsers on LiteRT.js in Chromium; prints what run_host.py does.

    litert_js_host.py wasm|webgpu FOLDER [--tokens N]

Needs selenium, Chromium and web/node_modules. WebGPU is that of SwiftShader, without a GPU.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import threading
import time

from selenium import webdriver

ROOT = pathlib.Path(__file__).resolve().parents[2]
WEB = ROOT / "web"
sys.path.insert(0, str(WEB))
import serve  # noqa: E402

WEBGPU = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan"]


def chromium(arguments):
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for argument in ["--headless=new", "--disable-dev-shm-usage", "--no-first-run",
                     "--disable-background-networking", *arguments]:
        options.add_argument(argument)
    if os.getuid() == 0:  # the sandbox of Chromium is not for root
        options.add_argument("--no-sandbox")
    service = webdriver.ChromeService(shutil.which("chromedriver"))
    return webdriver.Chrome(options=options, service=service)


def main():
    accelerator, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    tokens = json.loads((folder / "tokens.json").read_text())
    most = int(sys.argv[4]) if sys.argv[3:4] == ["--tokens"] else len(tokens)
    (folder / "litert").symlink_to(WEB / "node_modules/@litertjs/core/wasm")
    (folder / "index.html").write_text('<!doctype html><script src="host.js"></script>')
    subprocess.run([WEB / "node_modules/.bin/esbuild", pathlib.Path(__file__).with_suffix(".js"),
                    "--bundle", "--format=iife", "--target=es2022", "--log-level=warning",
                    f"--outfile={folder}/host.js"],
                   check=True, env={**os.environ, "NODE_PATH": str(WEB / "node_modules")})
    server = serve.server(folder)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    driver = chromium(WEBGPU if accelerator == "webgpu" else ["--disable-gpu"])
    try:
        driver.get(f"http://127.0.0.1:{server.server_port}/index.html")
        # Not in one call, for which a driver waits two minutes.
        driver.execute_script(
            "runHost(arguments[0]).then((value) => { window.result = { value }; },"
            " (error) => { window.result = { error: String(error?.message ?? error) }; });",
            {"accelerator": accelerator, "threads": 2 if accelerator == "wasm" else 1,
             "tokens": tokens, "most": most})
        result = None
        end = time.monotonic() + 600
        while result is None and time.monotonic() < end:
            time.sleep(0.2)
            result = driver.execute_script("return window.result ?? null;")
    finally:
        driver.quit()
        server.shutdown()
    keys = json.loads((folder / "signatures.json").read_text())
    if result is None:
        result = {"error": "it did not end within 600 s"}
    refused = {key: {"error": result.get("error", "")[:160]} for key in keys}
    print(json.dumps(result.get("value", refused)))


if __name__ == "__main__":
    main()
