"""The harness fails where an engine is missing or does not start, and leaves no process behind."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.engines import call, process

PYTHON = Path(sys.executable)
SERVER = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b'{"TableNames": ["it"]}')
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def test_a_missing_engine_fails_and_names_the_command() -> None:
    """A test on an engine that was not fetched fails with the make target; it is never skipped."""
    gone = Path("no-such-engine")
    with (
        pytest.raises(pytest.fail.Exception, match=r"engine ghost is missing.*make engines"),
        process("ghost", [gone], program=gone),
    ):
        pytest.fail("it started")


def test_an_engine_that_ends_at_once_shows_its_log() -> None:
    """A failed start tells the exit code and what the engine printed."""
    command: list[str | Path] = [PYTHON, "-c", "import sys; print('port is cursed', file=sys.stderr); sys.exit(3)"]
    with (
        pytest.raises(pytest.fail.Exception, match=r"(?s)exit code 3\. Its log:.*port is cursed"),
        process("broken", command, program=PYTHON),
    ):
        pytest.fail("it started")


def test_an_engine_is_ready_inside_the_block_and_gone_after_it() -> None:
    """The block is entered once ListTables answers; an error inside still ends the process."""
    endpoints: list[str] = []

    def fail_inside() -> None:
        with process("stub", [PYTHON, "-c", SERVER, "{port}"], program=PYTHON) as endpoint:
            endpoints.append(endpoint)
            assert call(endpoint, "ListTables", {}) == (200, {"TableNames": ["it"]})
            raise LookupError

    with pytest.raises(LookupError):
        fail_inside()
    with pytest.raises(ConnectionRefusedError):
        call(endpoints[0], "ListTables", {})
