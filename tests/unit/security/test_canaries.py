"""Credentials, tokens and items show in no log, repr, error or trace of this library, on either lane."""

from __future__ import annotations

import asyncio
import copy
import io
import logging
import pickle
from collections.abc import Iterator
from typing import Any

import pytest

from dynamorm_async import (
    Credentials,
    Database,
    DynamormError,
    quiet_sdk_logging,
)
from dynamorm_async.transport.base import Endpoint
from dynamorm_async.transport.connection import Answer
from dynamorm_async.transport.credentials import Fetched, StaticCredentials
from dynamorm_async.transport.lanes import OpenLane, TransportSettings
from dynamorm_async.transport.sigv4 import Signer
from dynamorm_async.types import Request, Response
from tests.canaries import SECRET_KEY, SESSION_TOKEN, shows
from tests.engines import LANES, Lane
from tests.unit.security.exposure import ALL, ANSWERS, CURSOR_SECRET, ITEM, User, exposure
from tests.unit.security.peer import Peer
from tests.unit.transport.scripted_server import answer, serving

pytestmark = pytest.mark.anyio
SDK_LOGGERS = ("botocore", "aiobotocore", "boto3", "s3transfer", "aiohttp", "urllib3")


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that any logger says, at DEBUG."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    root, level = logging.getLogger(), logging.getLogger().level
    levels = {name: logging.getLogger(name).level for name in SDK_LOGGERS}
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield text
    root.removeHandler(handler)
    root.setLevel(level)
    for name in [*levels, *(n for n in logging.root.manager.loggerDict if n.startswith(SDK_LOGGERS))]:
        logging.getLogger(name).setLevel(levels.get(name, logging.NOTSET))


@pytest.mark.parametrize("lane", LANES)
async def test_errors_and_reprs_show_nothing(lane: Lane) -> None:
    """Errors, their traces, and the repr of every object behind a Database: no key, no token, no item, no secret."""
    exposed = await exposure(lane)
    assert "a failed condition" in exposed
    assert "a wrong item" in exposed
    for number, line in enumerate(exposed.splitlines()):
        assert not shows(line, ALL), f"line {number} of what {lane} shows"


@pytest.mark.parametrize("lane", LANES)
async def test_our_logs_at_debug_show_nothing(lane: Lane, log: io.StringIO) -> None:
    """With every logger at DEBUG, and the SDK's quieted, nothing of it is in any log; asyncio's debug mode included."""
    quiet_sdk_logging()
    asyncio.get_running_loop().set_debug(True)
    await _exercise(lane)
    logging.getLogger("dynamorm_async").debug("the log is read")
    assert "the log is read" in log.getvalue()
    assert not shows(log.getvalue(), ALL)


async def _exercise(lane: Lane, token: str = SESSION_TOKEN) -> None:
    peer = Peer(ANSWERS["an item"])
    async with (
        serving(peer) as port,
        Database(
            endpoint=f"http://127.0.0.1:{port}",
            region="eu-west-1",
            credentials=("AKIDEXAMPLE", "secret", token),
            lane=lane,
        ) as db,
    ):
        await db.get(User, "1")
        await db.put(User(id="1", note=ITEM))
        peer.parts = [answer(b'{"TableNames":[]}')]
        with pytest.raises(DynamormError):
            await db.tables.describe(User)


async def test_the_sdk_would_show_it(log: io.StringIO) -> None:
    """Not quieted, the SDK's loggers show item and token at DEBUG: this is what the function is for."""
    token = SESSION_TOKEN[::2]  # not the suite's, for which all that is captured here is searched
    await _exercise("sdk", token)
    assert ITEM in log.getvalue()
    assert token in log.getvalue()


def test_quieting_reaches_loggers_with_levels_of_their_own(log: io.StringIO) -> None:
    """A logger that somebody set to DEBUG by name is quieted; one that says less already stays as it is."""
    loud, silent, other = (logging.getLogger(name) for name in ("botocore.auth", "botocore.hooks", "botocorely"))
    loud.setLevel(logging.DEBUG)
    silent.setLevel(logging.ERROR)
    quiet_sdk_logging()
    logging.getLogger("botocore.made.later").debug("later")
    loud.debug("loud")
    other.debug("another library")
    assert "loud" not in log.getvalue()
    assert "later" not in log.getvalue()
    assert "another library" in log.getvalue()
    assert silent.level == logging.ERROR


CREDENTIALS = Credentials("AKIDEXAMPLE", SECRET_KEY, SESSION_TOKEN)


@pytest.mark.parametrize(
    "value",
    [
        CREDENTIALS,
        StaticCredentials(CREDENTIALS, source="a test"),
        Fetched(CREDENTIALS, 1.0),
        TransportSettings(credentials=CREDENTIALS),
        TransportSettings(credentials=("AKIDEXAMPLE", SECRET_KEY, SESSION_TOKEN)),
        Signer("localhost", "eu-west-1", user_agent="x"),
        Request(operation="PutItem", body={"Item": {"note": {"S": ITEM}}}, table="users"),
        Response(ITEM.encode(), "R1"),
        Answer(200, {}, ITEM.encode()),
        Database(credentials=CREDENTIALS, cursor_secrets=[CURSOR_SECRET]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_no_repr_shows_a_secret(value: Any) -> None:
    """Neither repr, str, format nor what the package rich asks for."""
    shown = [repr(value), str(value), f"{value}", f"{[value]}"]
    if hasattr(value, "__rich_repr__"):
        shown += map(repr, value.__rich_repr__())
    assert not shows("\n".join(shown), ALL)


def test_an_open_lane_shows_no_credentials() -> None:
    """The record of an open lane leaves them out."""
    keys = StaticCredentials(CREDENTIALS, source="a test")
    endpoint = Endpoint("https", "x.example", 443, "eu-west-1")
    lane: Any = object()
    opened = OpenLane(lane=lane, name="direct", endpoint=endpoint, credentials=keys, owned=None, ca_bundle=None)
    shown = opened.__rich_repr__()
    assert not shows(f"{opened!r} {shown}", ALL)
    assert [name for name, _ in shown] == ["lane", "name", "endpoint", "ca_bundle"]


def test_credentials_stay_in_their_process() -> None:
    """They are neither pickled nor deeply copied, by themselves or inside something else."""
    for value in (CREDENTIALS, [CREDENTIALS], TransportSettings(credentials=CREDENTIALS)):
        with pytest.raises(TypeError, match="Credentials are not pickled"):
            pickle.dumps(value)
        with pytest.raises(TypeError, match="Credentials are not pickled"):
            copy.deepcopy(value)
