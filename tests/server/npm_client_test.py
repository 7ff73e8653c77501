#!/usr/bin/env python3
"""OpenAI's client for JavaScript at the running server.

    npm_client_test.py WHISPER_S4Y SHARED_FOLDER

WHISPER_S4Y_NODE_MODULES names a folder with the package openai; without it, or without Node.js, the
test exits with 77.
"""

import json
import os
import shutil
import subprocess
import sys
import unittest

from running_server import SPEECH, Server, main, model, transcript

MODULES = os.environ.get("WHISPER_S4Y_NODE_MODULES", "")
if not shutil.which("node") or not os.path.exists(f"{MODULES}/openai"):
    print("SKIPPED: needs Node.js, and WHISPER_S4Y_NODE_MODULES with the package openai")
    sys.exit(77)

SCRIPT = """
const fs = require("node:fs");
const { createRequire } = require("node:module");
const { OpenAI } = createRequire(process.env.WHISPER_S4Y_NODE_MODULES + "/")("openai");
const [baseURL, path] = process.argv.slice(1);
const client = new OpenAI({ baseURL, apiKey: "any", maxRetries: 0 });
const file = () => fs.createReadStream(path);
(async () => {
  const create = client.audio.transcriptions.create.bind(client.audio.transcriptions);
  const plain = await create({ file: file(), model: "whisper-1" });
  const verbose = await create({ file: file(), model: "whisper-1", language: "en",
    response_format: "verbose_json", timestamp_granularities: ["word", "segment"] });
  const srt = await create({ file: file(), model: "whisper-1", response_format: "srt" });
  const events = [];
  for await (const event of await create({ file: file(), model: "whisper-1", stream: true })) {
    events.push(event);
  }
  const models = [];
  for await (const one of client.models.list()) models.push(one.id);
  let refusal = null;
  try {
    await create({ file: file(), model: "whisper-1", response_format: "diarized_json" });
  } catch (error) {
    refusal = { name: error.constructor.name, status: error.status, param: error.param };
  }
  console.log(JSON.stringify({ plain, verbose, srt, events, models, refusal }));
})();
"""


class NpmClient(unittest.TestCase):
    def test_transcriptions(self):
        recording = SPEECH / "jfk.flac"
        expected = transcript("base", recording)["text"].strip()
        with Server(f"base={model('base')}") as server:
            result = subprocess.run(["node", "-e", SCRIPT, server.url + "/v1", recording],
                                    capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, 0, result.stderr)
        said = json.loads(result.stdout)
        self.assertEqual(said["plain"]["text"], expected)
        self.assertEqual(said["verbose"]["language"], "english")
        self.assertEqual(len(said["verbose"]["words"]), len(expected.split()))
        self.assertTrue(said["srt"].startswith("1\n00:00:00,000 --> "))
        *deltas, done = said["events"]
        self.assertEqual("".join(event["delta"] for event in deltas), expected)
        self.assertEqual((done["type"], done["text"]), ("transcript.text.done", expected))
        self.assertEqual(said["models"], ["base"])
        self.assertEqual(said["refusal"], {"name": "BadRequestError", "status": 400,
                                           "param": "response_format"})


if __name__ == "__main__":
    main()
