"""A migration that is killed, wherever it is, loses nothing and does nothing twice: the next ``up`` goes on with it."""

from __future__ import annotations

import signal
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import anyio
import pytest
from hypothesis import settings

from dynamorm_async import Database
from dynamorm_async.database.connection import Connection
from dynamorm_async.leases import Bookkeeping
from dynamorm_async.types import Request, Response
from tests.contract.backfill_models import Person, people
from tests.contract.migrating import PEOPLE, Counter, Skipping, check_once, migrations, write_files
from tests.engines import call
from tests.property.sizing import USUAL

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]
# moto's server has no isolation: a conditional write there may overtake another one.
IS_LONG = settings().max_examples > USUAL
STRIDE = 1 if IS_LONG else 5
REAL = pytest.mark.parametrize(
    "target", [("dynoxide", "direct"), ("dynamodb-local", "direct")], ids="-".join, indirect=True
)
ONE = pytest.mark.parametrize("target", [("dynoxide", "direct")], ids="-".join, indirect=True)


class Killed(BaseException):
    """What a request of a process ends with that is not there any more."""


class Death:
    """Lets so many requests through; after that none is sent any more, as where the process is killed."""

    def __init__(self, requests: int) -> None:
        self.left = requests
        self.sent = 0

    def request(self) -> None:
        if self.sent >= self.left:
            raise Killed
        self.sent += 1


@contextmanager
def dying(requests: int, monkeypatch: pytest.MonkeyPatch) -> Generator[Death]:
    """All databases are of a process that is killed after so many requests."""
    death = Death(requests)
    send, call = Connection.send, Connection.call

    async def sending(self: Connection, request: Request, timeout: float | None) -> Response:
        death.request()
        return await send(self, request, timeout)

    async def calling(self: Connection, operation: str, params: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        death.request()
        return await call(self, operation, params, **more)

    with monkeypatch.context() as patch:
        patch.setattr(Connection, "send", sending)
        patch.setattr(Connection, "call", calling)
        yield death


def was_killed(error: BaseException) -> bool:
    """Whether it, or all that it is a group of, is the end of a killed process or of what waited for it."""
    if isinstance(error, BaseExceptionGroup):
        group = cast("BaseExceptionGroup[BaseException]", error)
        return all(was_killed(one) for one in group.exceptions)
    return isinstance(error, Killed)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_files(tmp_path)
    return tmp_path


async def begin(db: Database, endpoint: str) -> None:
    """People without full names, and nothing else."""
    for table in (Counter, Person, Bookkeeping(db).table):
        call(endpoint, "DeleteTable", {"TableName": db.tables.name(table)})
    await people(db, PEOPLE)


async def go_on(db: Database, folder: Path) -> None:
    """What the next process does: it waits for the leases of the one that is gone, and finishes what that had begun."""
    await migrations(db, folder, timing=Skipping().timing).up()
    assert [status.state for status in await migrations(db, folder).status()] == ["applied", "applied"]
    await check_once(db)


async def killed(db: Database, folder: Path, *, requests: int, monkeypatch: pytest.MonkeyPatch) -> tuple[bool, int]:
    """Migrate until the process is killed after so many requests: whether it was, and how many it had sent."""
    with dying(requests, monkeypatch) as death:
        try:
            await migrations(db, folder).up()
        except BaseException as error:
            if not was_killed(error):
                raise
            return True, death.sent
    return False, death.sent


@ONE
async def test_killed_after_any_request(
    db: Database, endpoint: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After whichever request a process is gone: in the end all is done once, and the ledger says so."""
    await begin(db, endpoint)
    was, needed = await killed(db, folder, requests=10_000, monkeypatch=monkeypatch)
    assert not was
    assert needed > 50
    await check_once(db)
    # Each in a long run; in a usual one every fifth, from the last ones on.
    for requests in range((needed - 1) % STRIDE, needed, STRIDE):
        await begin(db, endpoint)
        assert await killed(db, folder, requests=requests, monkeypatch=monkeypatch) == (True, requests)
        await go_on(db, folder)


@REAL
@pytest.mark.parametrize("event", range(1, 13) if IS_LONG else (3, 5, 9))
async def test_killed_by_sigkill(event: int, db: Database, endpoint: str, folder: Path) -> None:
    """A process of its own that is killed at an event, between two steps or in a backfill, is gone on with by another."""
    await begin(db, endpoint)
    words = [
        sys.executable,
        "-m",
        "tests.contract.migrating",
        endpoint,
        db.tables.name(Counter),
        str(folder),
        str(event),
    ]
    with anyio.fail_after(100):
        done = await anyio.run_process(words, cwd=ROOT, check=False)
    assert (done.returncode, len(done.stdout.splitlines())) == (-signal.SIGKILL, event), done.stderr
    await go_on(db, folder)
