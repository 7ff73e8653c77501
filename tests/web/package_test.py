#!/usr/bin/env python3
"""The npm package: types, unit tests, what is packed, and whether the guide's examples compile.

    package_test.py WHISPER_S4Y SHARED_FOLDER
"""

import json
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
WEB = ROOT / "web"
MODULES = WEB / "node_modules"
if not shutil.which("npm") or not MODULES.exists():
    print("SKIPPED: needs npm, and web/node_modules (scripts/python-env fetches it where npm is)")
    sys.exit(77)

TSC = MODULES / "typescript/bin/tsc"
CONFIG = {
    "compilerOptions": {
        "strict": True, "noEmit": True, "types": [], "target": "es2022", "module": "es2022",
        "moduleResolution": "bundler", "lib": ["es2022", "dom", "dom.iterable"],
    },
}


def run(*command, folder=WEB):
    result = subprocess.run([str(one) for one in command], cwd=folder, capture_output=True, text=True,
                            check=False)
    if result.returncode != 0:
        raise AssertionError(f"{command}:\n{result.stdout}{result.stderr}")
    return result.stdout


class Package(unittest.TestCase):
    def test_types_are_right(self):
        run("node", TSC, "--noEmit")
        if (WEB / "demo").exists():
            run("node", TSC, "--noEmit", "-p", "demo")

    def test_units(self):
        run("npx", "--no-install", "vitest", "run")

    def test_version_is_that_of_the_program(self):
        header = (ROOT / "include/whisper_s4y/version.h").read_text()
        version = re.search(r'WHISPER_S4Y_VERSION "([^"]+)"', header)[1]
        package = json.loads((WEB / "package.json").read_text())
        lock = json.loads((WEB / "package-lock.json").read_text())
        self.assertEqual(package["version"], version)
        self.assertEqual(lock["version"], version)
        self.assertRegex(package["dependencies"]["@litertjs/core"], r"^\d+\.\d+\.\d+$")

    def test_lock_names_no_registry(self):
        self.assertNotIn('"resolved"', (WEB / "package-lock.json").read_text())

    def test_what_is_packed_is_what_users_need(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            # As its maintainers do it, prepack included.
            run("npm", "pack", "--silent", "--pack-destination", folder)
            (packed,) = folder.glob("*.tgz")
            with tarfile.open(packed) as archive:
                files = set(archive.getnames())
                archive.extractall(folder)
            for wanted in ("README.md", "LICENSE", "package.json", "dist/index.js", "dist/worker.js",
                           "dist/types/index.d.ts"):
                self.assertIn(f"package/{wanted}", files)
            self.assertFalse([one for one in files if re.search(r"/(src|test|demo|node_modules)/", one)])

            # Somebody else's project: the examples of the guide.
            modules = folder / "project/node_modules"
            modules.mkdir(parents=True)
            (folder / "package").rename(modules / "whisper-s4y")
            (modules / "@litertjs").symlink_to(MODULES / "@litertjs")
            guide = (ROOT / "docs/web.md").read_text()
            examples = re.findall(r"```ts\n(.*?)```", guide, re.DOTALL)
            self.assertGreater(len(examples), 3)
            for i, example in enumerate(examples):
                (folder / f"project/example{i}.ts").write_text(example)
            (folder / "project/before.d.ts").write_text(
                "declare const file: File;\ndeclare const whisper: import('whisper-s4y').Whisper;\n")
            (folder / "project/tsconfig.json").write_text(json.dumps(CONFIG))
            run("node", TSC, "-p", folder / "project")

            # And their bundler.
            (folder / "project/index.html").write_text('<script type="module" src="example0.ts"></script>')
            run("node", MODULES / "vite/bin/vite.js", "build", "--logLevel", "warn", "--target", "es2022",
                folder / "project")
            assets = list((folder / "project/dist/assets").glob("*.js"))
            (worker,) = [one for one in assets if one.name.startswith("worker-")]
            self.assertIn("importScripts", worker.read_text())
            self.assertIn(worker.name, "".join(one.read_text() for one in assets if one != worker))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
