"""Write down what development installs, pinned with hashes, for every supported Python and system; or say what is out of date.

``make lock`` runs it with uv, which it needs for nothing else.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "requirements"
HEADER = """\
# Made by `make lock` from {source}; do not edit. Install it with `pip install --require-hashes --no-deps --requirement`.
# sha256 of what it was made from: {digest}
"""
_DIGEST = re.compile(r"^# sha256 of what it was made from: ([0-9a-f]{64})$", re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Lock:
    """One file of pinned packages, and the requirements that it is made from."""

    name: str
    source: str
    requirements: tuple[str, ...]
    python: str

    @property
    def path(self) -> Path:
        return FOLDER / self.name

    @property
    def digest(self) -> str:
        """Of what it is made from: it tells a lock that is older than that."""
        made_from = json.dumps([self.python, *self.requirements])
        return hashlib.sha256(made_from.encode()).hexdigest()

    @property
    def is_current(self) -> bool:
        """Whether the file was made from these very requirements."""
        if not self.path.is_file():
            return False
        found = _DIGEST.search(self.path.read_text())
        return found is not None and found[1] == self.digest


def locks() -> tuple[Lock, ...]:
    """What development needs, and the tools that stand apart from it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    about = project["project"]
    # The project's own extras name each other; what they come to is the same for all who ask for [dev].
    extras = [line for extra in about["optional-dependencies"].values() for line in extra]
    wanted = [*about["dependencies"], *extras, *project["build-system"]["requires"], "editables"]
    third_party = tuple(line for line in wanted if not line.startswith(about["name"]))
    oldest = about["requires-python"].removeprefix(">=")
    tools = tuple(line for line in (FOLDER / "tools.in").read_text().splitlines() if line and not line.startswith("#"))
    return (
        Lock("dev.txt", "pyproject.toml", third_party, oldest),
        Lock("tools.txt", "requirements/tools.in", tools, oldest),
    )


def compile_lock(lock: Lock, *, upgrade: bool) -> str:
    """The text of a lock file."""
    command = ["uv", "pip", "compile", "-", "--universal", "--python-version", lock.python, "--generate-hashes"]
    command += ["--no-header", "--no-annotate", "--quiet", "--output-file", str(lock.path)]
    command += ["--upgrade"] if upgrade else []
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    text = "\n".join(lock.requirements)
    subprocess.run(command, input=text, text=True, check=True, env=os.environ | {"PATH": path}, cwd=ROOT)
    return HEADER.format(source=lock.source, digest=lock.digest) + lock.path.read_text()


def main() -> int:
    """Make the locks anew, or with ``--check`` name those that are out of date."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--check", action="store_true", help="only say which are out of date")
    arguments.add_argument("--upgrade", action="store_true", help="take the newest versions, not those pinned before")
    given = arguments.parse_args()
    for lock in locks():
        if not given.check:
            lock.path.write_text(compile_lock(lock, upgrade=given.upgrade))
            print(f"requirements/{lock.name} is new")
        elif not lock.is_current:
            print(f"requirements/{lock.name} is older than {lock.source}: run `make lock`", file=sys.stderr)
    return int(given.check and not all(lock.is_current for lock in locks()))


if __name__ == "__main__":
    sys.exit(main())
