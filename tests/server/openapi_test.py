#!/usr/bin/env python3
"""schemathesis at the running server, by the server's own description.

    openapi_test.py WHISPER_S4Y SHARED_FOLDER
"""

import json
import pathlib
import subprocess
import sys
import unittest

from running_server import FOLDER, Server, main, model


class Described(unittest.TestCase):
    def test_what_is_sent_is_what_is_described(self):
        with Server(model("tiny.en")) as server:
            self.assertEqual(json.loads(server.get("/openapi.json")[2])["openapi"], "3.1.0")
            program = pathlib.Path(sys.executable).with_name("schemathesis")
            # Random bytes are no recordings: that they are refused is right.
            result = subprocess.run(
                [program, "run", server.url + "/openapi.json", "--max-examples", "30", "--checks",
                 "all", "--exclude-checks", "positive_data_acceptance", "--phases",
                 "examples,coverage,fuzzing", "--suppress-health-check", "all", "--seed", "1",
                 "--generation-database", "none"],
                capture_output=True, text=True, cwd=FOLDER.name)
            self.assertEqual(result.returncode, 0, result.stdout[-6000:] + result.stderr)
            self.assertEqual(server.metric("whisper_s4y_errors_total"), 0)


if __name__ == "__main__":
    main()
