#!/usr/bin/env python3
"""Serves the page as it wants to be served: isolated from other origins, so that WebAssembly may have
threads; with validators and ranges, so that an interrupted download goes on.

    serve.py FOLDER [--port 8080] [--host 127.0.0.1]

Any web server will do that sends the same headers; docs/web.md lists them.
"""

import argparse
import email.utils
import hashlib
import http.server
import os
import pathlib
import re
import shutil

ISOLATION = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
}
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".tflite": "application/octet-stream",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
}


class Handler(http.server.BaseHTTPRequestHandler):
    """GET and HEAD of the files in `folder`."""

    protocol_version = "HTTP/1.1"
    folder = pathlib.Path()
    headers_of_all = ISOLATION

    def file(self):
        path = self.path.partition("?")[0].lstrip("/")
        found = (self.folder / (path or "index.html")).resolve()
        if found.is_dir():
            found /= "index.html"
        # What links lead to is meant to be served; what ".." leads to is not.
        inside = ".." not in pathlib.PurePosixPath(path).parts
        return found if inside and found.is_file() else None

    def answer(self, status, headers, length):
        self.send_response(status)
        for name, value in {**self.headers_of_all, **headers, "Content-Length": length}.items():
            self.send_header(name, str(value))
        self.end_headers()

    def do_GET(self):
        file = self.file()
        if file is None:
            self.answer(404, {}, 0)
            return
        status = file.stat()
        tag = hashlib.sha256(f"{file}{status.st_size}{status.st_mtime_ns}".encode()).hexdigest()[:16]
        headers = {
            "Content-Type": TYPES.get(file.suffix, "application/octet-stream"),
            "ETag": f'"{tag}"',
            "Last-Modified": email.utils.formatdate(status.st_mtime, usegmt=True),
            "Cache-Control": "no-cache",
            "Accept-Ranges": "bytes",
        }
        if self.headers.get("If-None-Match") == headers["ETag"]:
            self.answer(304, headers, 0)
            return
        code, begin = 200, 0
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if asked and self.headers.get("If-Range", headers["ETag"]) == headers["ETag"]:
            begin = int(asked[1])
            if begin >= status.st_size:
                self.answer(416, {"Content-Range": f"bytes */{status.st_size}"}, 0)
                return
            code = 206
            headers["Content-Range"] = f"bytes {begin}-{status.st_size - 1}/{status.st_size}"
        self.answer(code, headers, status.st_size - begin)
        if self.command == "GET":
            with file.open("rb") as source:
                source.seek(begin)
                self.send_file(source)

    do_HEAD = do_GET

    def send_file(self, source):
        try:
            shutil.copyfileobj(source, self.wfile, 1 << 20)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the reader has had enough

    def log_message(self, *arguments):
        pass


def server(folder, port=0, host="127.0.0.1", handler=Handler):
    """A server of the folder; its serve_forever() is the caller's to call."""
    served = type("Served", (handler,), {"folder": pathlib.Path(folder)})
    return http.server.ThreadingHTTPServer((host, port), served)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--host", default="127.0.0.1")
    arguments = parser.parse_args()
    os.chdir(arguments.folder)
    with server(os.getcwd(), arguments.port, arguments.host) as running:
        print(f"The page is at http://{arguments.host}:{arguments.port}/", flush=True)
        try:
            running.serve_forever()
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
