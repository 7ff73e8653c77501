"""What axe-core finds wrong with a page for people who cannot see it well, or not at all."""

import pathlib
import sys

from served_page import expect, skip

AXE = pathlib.Path(sys.prefix) / "axe.min.js"
if not AXE.exists():
    skip("there is no axe-core (scripts/python-env fetches it where npm is installed)")


def check_axe(page, state):
    page.script(AXE.read_text())
    for scheme in ("light", "dark"):
        page.look(1100, 900, scheme)
        found = page.driver.execute_async_script(
            "const done = arguments[arguments.length - 1];"
            "axe.run().then((result) => done([result.passes.length, result.violations]))")
        expect(found[0] > 10, f"{state}, {scheme}: axe looks at the page")
        for violation in found[1]:
            nodes = [node["html"] for node in violation["nodes"]]
            expect(False, f"{state}, {scheme}: {violation['help']}: {nodes}")
