"""Runs a job of a GitHub workflow here, step by step: ``run:`` steps really, with their inputs and
the outputs of those before; composite actions of this repository too. Of GitHub's own actions only
uploading is known: the files must be there, and are remembered."""

from __future__ import annotations

import glob
import os
import pathlib
import re
import subprocess
from typing import Any, Dict, List, Mapping, Optional

import yaml

#: The repository's own name in ``uses:``.
OWN = "s4ysolutions/whisper-s4y/"


class Runner:
    """A machine that jobs run on.

    Args:
        root: the checkout.
        temporary: a folder, RUNNER_TEMP.
        environment: of all steps.
        without: names of steps that are left out.
    """

    def __init__(
        self,
        root: pathlib.Path,
        temporary: pathlib.Path,
        environment: Mapping[str, str],
        without: tuple = (),
    ) -> None:
        self.root = root
        self.temporary = temporary
        self.environment = dict(environment, RUNNER_TEMP=str(temporary))
        self.without = without
        self.ran: List[str] = []
        self.uploaded: Dict[str, List[str]] = {}

    def job(self, workflow: str, job: str, inputs: Mapping[str, str]) -> Dict[str, str]:
        """The outputs of a job of a reusable workflow."""
        parsed = yaml.safe_load((self.root / workflow).read_text())
        called = parsed[True]["workflow_call"]  # "on" is true in YAML
        given = self._inputs(called["inputs"], inputs)
        description = parsed["jobs"][job]
        return self._steps(description["steps"], description["outputs"], given)

    @staticmethod
    def _inputs(declared: Mapping[str, Any], given: Mapping[str, str]) -> Dict[str, str]:
        unknown = set(given) - set(declared)
        assert not unknown, f"there are no inputs {unknown}"
        for name, one in declared.items():
            assert not one.get("required") or given.get(name), f"the input {name} is required"
        return {name: given.get(name, one.get("default", "")) for name, one in declared.items()}

    def _steps(
        self, steps: List[Any], outputs: Mapping[str, Any], inputs: Mapping[str, str]
    ) -> Dict[str, str]:
        values: Dict[str, str] = {f"inputs.{name}": value for name, value in inputs.items()}
        for step in steps:
            name = step["name"]
            if name in self.without and "run" in step:
                continue
            if "run" in step:
                found = self._run(step, values)
            else:
                found = self._use(
                    step["uses"], {k: self._fill(v, values) for k, v in step["with"].items()}
                )
            values.update(
                {f"steps.{step.get('id')}.outputs.{key}": value for key, value in found.items()}
            )
        return {
            name: self._fill(one["value"] if isinstance(one, dict) else one, values)
            for name, one in outputs.items()
        }

    def _fill(self, text: Any, values: Mapping[str, str]) -> str:
        """A text with its expressions computed: names, texts and ``||``."""

        def value(expression: str) -> str:
            expression = expression.strip()
            if expression.startswith("'"):
                return expression.strip("'")
            if expression.startswith("secrets."):
                return ""
            assert expression in values, f"{expression} is not known"
            return values[expression]

        def compute(match: "re.Match[str]") -> str:
            alternatives: List[Optional[str]] = [value(one) for one in match[1].split("||")]
            return next((one for one in alternatives if one), "") or ""

        return re.sub(r"\$\{\{(.*?)\}\}", compute, str(text))

    def _run(self, step: Mapping[str, Any], values: Mapping[str, str]) -> Dict[str, str]:
        assert "${{" not in step["run"], "inputs come by the environment, never into a script"
        assert step["shell"] == "bash"
        files = {name: self.temporary / name for name in ("GITHUB_OUTPUT", "GITHUB_PATH")}
        for file in files.values():
            file.write_text("")
        environment = {
            **self.environment,
            **{name: self._fill(value, values) for name, value in step.get("env", {}).items()},
            **{name: str(file) for name, file in files.items()},
        }
        # As GitHub runs it.
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            env=environment,
            cwd=self.root,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(f"{step['name']}: {done.stdout}{done.stderr}")
        self.ran.append(step["name"])
        added = files["GITHUB_PATH"].read_text().split()
        self.environment["PATH"] = os.pathsep.join([*added, self.environment["PATH"]])
        lines = files["GITHUB_OUTPUT"].read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def _use(self, action: str, inputs: Mapping[str, str]) -> Dict[str, str]:
        if action.startswith(OWN):
            folder, _, revision = action[len(OWN) :].partition("@")
            assert revision
            parsed = yaml.safe_load((self.root / folder / "action.yml").read_text())
            assert parsed["runs"]["using"] == "composite"
            given = self._inputs(parsed["inputs"], inputs)
            return self._steps(parsed["runs"]["steps"], parsed["outputs"], given)
        assert action.startswith("actions/upload-artifact@"), action
        files = glob.glob(inputs["path"])
        assert files, f"there is nothing at {inputs['path']}"
        self.uploaded[inputs["name"]] = files
        return {}
