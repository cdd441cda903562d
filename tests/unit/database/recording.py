"""A lane and a control client that record what they are asked and answer what a test scripted."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import anyio
import pytest

from dynamorm_async import Credentials, Endpoint
from dynamorm_async.database import connection
from dynamorm_async.transport.credentials import StaticCredentials
from dynamorm_async.transport.lanes import OpenLane, TransportSettings
from dynamorm_async.types import Request, Response

ENDPOINT = Endpoint(scheme="https", host="dynamodb.eu-west-1.amazonaws.com", port=443, region="eu-west-1")


EMPTY: Mapping[str, bytes] = dict.fromkeys(("ExecuteStatement", "Query", "Scan"), b'{"Items":[]}')
"""What an operation answers that finds nothing; all others ``{}``."""


class RecordingLane:
    """Answers each attempt with the next of the script, and as one that finds nothing once it has run out.

    Attributes:
        requests: every request that arrived.
        timeouts: the seconds that each had.
        script: answers to come: a body, or an error to raise.
        opened: how many times a lane was opened.
        failures: errors that the next openings raise.
        gate: what openings wait for, where it is set.
        closed: whether it was closed.
    """

    def __init__(self, *script: bytes | Exception) -> None:
        self.requests: list[Request] = []
        self.timeouts: list[float] = []
        self.script = deque(script)
        self.opened = 0
        self.failures: deque[Exception] = deque()
        self.gate: anyio.Event | None = None
        self.closed = False

    async def attempt(self, request: Request, timeout: float) -> Response:
        assert timeout > 0
        self.requests.append(request)
        self.timeouts.append(timeout)
        answer = self.script.popleft() if self.script else EMPTY.get(request.operation, b"{}")
        if isinstance(answer, Exception):
            raise answer
        return Response(body=answer)

    async def aclose(self) -> None:
        self.closed = True

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [request.body for request in self.requests]


class RecordingControl:
    """Answers control-plane calls: for each operation the next of its answers, the last one for ever."""

    def __init__(self, answers: Mapping[str, Sequence[dict[str, Any] | Exception]]) -> None:
        self.answers = {operation: deque(script) for operation, script in answers.items()}
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.closed = False

    async def call(
        self, operation: str, params: Mapping[str, Any], *, table: str | None, timeout: float | None
    ) -> dict[str, Any]:
        assert table == params.get("TableName")
        assert timeout is not None
        assert timeout > 0
        self.calls.append((operation, dict(params)))
        script = self.answers[operation]
        answer = script.popleft() if len(script) > 1 else script[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def aclose(self) -> None:
        self.closed = True

    @property
    def operations(self) -> list[str]:
        return [operation for operation, _params in self.calls]


def record(
    monkeypatch: pytest.MonkeyPatch,
    *script: bytes | Exception,
    control: RecordingControl | None = None,
    search: RecordingLane | None = None,
) -> RecordingLane:
    """Let every database of this test use one recording lane, that control client, and that lane for vector searches."""
    lane = RecordingLane(*script)

    async def open_lane(_settings: TransportSettings, *, environ: Mapping[str, str]) -> OpenLane:
        assert environ
        lane.opened += 1
        if lane.gate is not None:
            await lane.gate.wait()
        if lane.failures:
            raise lane.failures.popleft()
        keys = StaticCredentials(Credentials("AKIA", "secret"), source="the test")
        return OpenLane(lane=lane, name="direct", endpoint=ENDPOINT, credentials=keys, owned=None, ca_bundle=None)

    def open_control(_settings: TransportSettings, opened: OpenLane) -> RecordingControl:
        assert opened.lane is lane
        assert control is not None
        return control

    async def open_search(
        _settings: TransportSettings, opened: OpenLane, *, environ: Mapping[str, str]
    ) -> RecordingLane | None:
        assert opened.lane is lane
        assert environ
        if search is not None:
            search.opened += 1
        return search  # without one, the lane takes searches, too

    monkeypatch.setattr(connection, "open_lane", open_lane)
    monkeypatch.setattr(connection, "open_search", open_search)
    monkeypatch.setattr(connection, "open_control", open_control)
    return lane
