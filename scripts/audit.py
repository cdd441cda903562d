"""Look every locked package up among known vulnerabilities. A finding fails; advisories out of reach are said, and do not.

``make audit`` runs it in an environment of its own, with pip-audit.
"""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ("requirements/dev.txt", "requirements/tools.txt")
TIME_LIMIT = 300  # seconds

ACCEPTED: Mapping[str, str] = {}
"""Advisories that do not concern this project, by their id, with the reason why not."""


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What an audit says: one line each, and the exit code."""

    lines: tuple[str, ...]
    code: int


def judge(answer: str, complaint: str) -> Verdict:
    """What pip-audit's answer means.

    Args:
        answer: its JSON; empty or broken where it could not finish.
        complaint: what it wrote to standard error.
    """
    try:
        packages: list[dict[str, Any]] = json.loads(answer)["dependencies"]  # Any: pip-audit's own format
    except (ValueError, KeyError, TypeError):
        last = complaint.strip().rpartition("\n")[2] or "it said nothing"
        return Verdict((f"NOT AUDITED: the source of advisories could not be asked ({last[:200]})",), 0)
    audited = [package for package in packages if "vulns" in package]
    skipped = [package["name"] for package in packages if "vulns" not in package]
    lines = [
        f"VULNERABLE: {package['name']} {package['version']}: {found['id']}, "
        f"fixed in {', '.join(found['fix_versions']) or 'no version yet'}"
        for package in audited
        for found in package["vulns"]
        if not {found["id"], *found.get("aliases", ())} & ACCEPTED.keys()
    ]
    if lines:
        return Verdict((*lines, "take a fixed version with `make lock upgrade=1`, or accept it in scripts/audit.py"), 1)
    if not audited:
        return Verdict(
            (f"NOT AUDITED: the source of advisories knows none of the {len(skipped)} packages from here",), 0
        )
    known = f"{len(audited)} packages audited, no known vulnerability"
    return Verdict((known, *(f"NOT AUDITED: {', '.join(skipped)}" for _ in skipped[:1])), 0)


def audit() -> Verdict:
    """Ask pip-audit about everything that is locked."""
    command = [sys.executable, "-m", "pip_audit", "--format", "json", "--progress-spinner", "off", "--disable-pip"]
    command += ["--no-deps", *(part for lock in LOCKS for part in ("--requirement", lock))]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=TIME_LIMIT, check=False)
    except subprocess.TimeoutExpired:
        return judge("", f"no answer within {TIME_LIMIT} s")
    return judge(done.stdout, done.stderr)


def main() -> int:
    """Print the verdict; 1 where there is a finding."""
    verdict = audit()
    for line in verdict.lines:
        print(f"audit: {line}")
    return verdict.code


if __name__ == "__main__":
    sys.exit(main())
