"""What development installs is pinned with hashes and current; known vulnerabilities fail the audit."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scripts import audit, lock
from scripts.audit import judge

ROOT = Path(__file__).parent.parent.parent.parent
LOCKS = {made.name: made for made in lock.locks()}
PIN = re.compile(r"([a-z0-9][a-z0-9.-]*)==([^ ;]+)(?: ; [^\\]+)?")
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def pins(name: str) -> dict[str, list[str]]:
    """The versions of each package, and a check that every line is a pin with its hashes."""
    found: dict[str, list[str]] = {}
    text = (ROOT / "requirements" / name).read_text()
    for entry in text.replace("\\\n", "").splitlines():
        if entry.startswith("#"):
            continue
        pin, *hashes = re.split(r"\s+(?=--hash=)", entry.strip())
        matched = PIN.fullmatch(pin.strip())
        assert matched is not None, entry[:80]
        assert hashes, pin
        assert all(HASH.fullmatch(value) for value in hashes), pin
        found.setdefault(matched[1], []).append(matched[2])
    return found


@pytest.mark.parametrize("name", LOCKS)
def test_the_lock_is_current(name: str) -> None:
    """After a change of what it is made from, `make lock` has to be run."""
    assert LOCKS[name].is_current, f"requirements/{name} is older than {LOCKS[name].source}: run `make lock`"


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_is_pinned_with_hashes(name: str) -> None:
    """Nothing but pins with hashes: no place to download from, no path, no option."""
    assert len(pins(name)) > 10
    text = (ROOT / "requirements" / name).read_text()
    assert "://" not in text
    assert not re.search(r"^-|@ |file:", text, re.MULTILINE)


def test_everything_declared_is_locked() -> None:
    """Each requirement of the project, its extras and its build is met by a pinned version."""
    found = pins("dev.txt")
    for line in LOCKS["dev.txt"].requirements:
        wanted = Requirement(line)
        versions = found[canonicalize_name(wanted.name)]
        assert all(wanted.specifier.contains(version, prereleases=True) for version in versions), line
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert set(project["dependencies"]) <= set(LOCKS["dev.txt"].requirements)


def test_an_old_lock_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock that was made from other requirements, or is missing, is out of date."""
    monkeypatch.setattr(lock, "FOLDER", tmp_path)
    made = lock.Lock("x.txt", "somewhere", ("anyio>=4",), "3.11")
    assert not made.is_current
    made.path.write_text(lock.HEADER.format(source="somewhere", digest=made.digest))
    assert made.is_current
    assert not lock.Lock("x.txt", "somewhere", ("anyio>=5",), "3.11").is_current
    assert not lock.Lock("x.txt", "somewhere", ("anyio>=4",), "3.12").is_current


# Any: pip-audit's own format.
def answer(*packages: dict[str, Any]) -> str:
    return json.dumps({"dependencies": list(packages), "fixes": []})


FINE: dict[str, Any] = {"name": "anyio", "version": "4.0", "vulns": []}
BAD: dict[str, Any] = {
    "name": "h11",
    "version": "0.1",
    "vulns": [{"id": "PYSEC-1", "aliases": ["CVE-1"], "fix_versions": ["0.2"]}],
}
UNKNOWN: dict[str, Any] = {"name": "ours", "skip_reason": "not found"}


def test_a_finding_fails_the_audit() -> None:
    """It names package, version, advisory and the version that fixes it, whatever else could not be audited."""
    verdict = judge(answer(FINE, BAD, UNKNOWN), "")
    assert verdict.code == 1
    assert "VULNERABLE: h11 0.1: PYSEC-1, fixed in 0.2" in verdict.lines


def test_an_accepted_finding_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that was accepted with a reason, by its id or an alias, passes."""
    monkeypatch.setattr(audit, "ACCEPTED", {"CVE-1": "the function is not called"})
    assert judge(answer(FINE, BAD), "").code == 0


@pytest.mark.parametrize(
    ("text", "complaint"),
    [("", "a trace\nConnectionError: no name"), ("{}", ""), ("<html>", ""), (answer(UNKNOWN), ""), (answer(), "")],
)
def test_advisories_out_of_reach_are_said(text: str, complaint: str) -> None:
    """Then nothing was audited: the run says so in capitals, and does not fail."""
    verdict = judge(text, complaint)
    assert verdict.code == 0
    assert verdict.lines[0].startswith("NOT AUDITED: ")


def test_a_whole_audit_says_how_much() -> None:
    """It counts what it looked up, and names what it could not."""
    assert judge(answer(FINE, FINE), "").lines == ("2 packages audited, no known vulnerability",)
    assert judge(answer(FINE, UNKNOWN), "").lines[1] == "NOT AUDITED: ours"
