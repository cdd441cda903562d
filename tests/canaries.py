"""Planted secrets, and a search for them in everything that the suite puts out.

The contract suite signs its requests with ``KEYS``. A hit anywhere in captured output, logs (of this library's loggers at
DEBUG), warnings or reports fails the run.
"""

from __future__ import annotations

import base64
import logging
import warnings
from collections.abc import Iterable
from typing import Final

import pytest

SECRET_KEY: Final = "Cn4ryKy7Zq2Vx9LmB3"
SESSION_TOKEN: Final = "Cn4ryTk5Jw8Hd1RsP6"
KEYS: Final = ("test", SECRET_KEY, SESSION_TOKEN)
"""Access key, secret key and session token of the suite; engines keep data apart by the access key, so it is a plain one."""


def forms(secret: str) -> set[str]:
    """The texts by which a secret shows: as it is, in hexadecimal, in base64 at each alignment."""
    raw = secret.encode()
    encoded = {
        base64.b64encode(b"\0" * alignment + raw).decode().rstrip("=")[(8 * alignment + 5) // 6 : -1]
        for alignment in range(3)
    }
    return {secret, secret[::-1], raw.hex(), *encoded}


NEEDLES: Final = tuple(sorted(forms(SECRET_KEY) | forms(SESSION_TOKEN)))


def shows(text: str, needles: Iterable[str] = NEEDLES) -> bool:
    """Whether a secret can be read in a text."""
    return any(needle in text for needle in needles)


class CanarySearch:
    """A pytest plugin: searches reports with what they captured, and warnings."""

    def __init__(self) -> None:
        self.searched = 0
        self.hits: list[str] = []
        logging.getLogger("dynamorm_async").setLevel(logging.DEBUG)

    def look(self, where: str, text: str) -> None:
        self.searched += len(text)
        if shows(text):
            self.hits.append(where)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._look_at(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._look_at(report)

    def pytest_warning_recorded(self, warning_message: warnings.WarningMessage, nodeid: str) -> None:
        self.look(f"a warning of {nodeid}", str(warning_message.message))

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.hits and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        found = f"planted secrets: {len(self.hits)} found in {self.searched} characters of output"
        terminalreporter.write_line(found, red=bool(self.hits))
        for where in self.hits:
            terminalreporter.write_line(f"  a planted secret is in {where}, so the run fails", red=True)

    def _look_at(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        self.look(f"the report of {report.nodeid}", report.longreprtext)
        for title, content in report.sections:
            self.look(f"{title!r} of {report.nodeid}", content)
