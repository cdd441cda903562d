"""Who takes part: the one list of contestants that every measurement and page goes by."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec

from contestant import Contestant

OURS = "dynamorm-async"
BASE = "aiobotocore"
"""Who the plots and the first ratio compare with."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One contestant.

    Attributes:
        name: how tables call it.
        module: the module of ``peers`` that opens it.
        package: what it needs to be installed.
        versions: the distributions whose versions the report shows.
        imports: the statement whose time is its import time; empty where there is nothing to import.
        kind: ``async``, or ``sync`` where its calls stop the loop.
        answers_get: whether it has more than lists, so that it has a cold start.
        note: what it is and how it is used, for the page.
    """

    name: str
    module: str
    package: str
    versions: tuple[str, ...]
    imports: str
    kind: str = "async"
    answers_get: bool = True
    note: str

    @property
    def installed(self) -> bool:
        """Whether it can take part here."""
        return find_spec(self.package) is not None

    def open(self, port: int) -> AbstractAsyncContextManager[Contestant]:
        """The contestant on the canned server at ``port``; imports it only now."""
        opened: AbstractAsyncContextManager[Contestant] = import_module(f"peers.{self.module}").open_contestant(port)
        return opened


ROSTER = (
    Entry(
        name=BASE,
        module="with_aiobotocore",
        package="aiobotocore",
        versions=("aiobotocore", "botocore", "aiohttp"),
        imports="import aiobotocore.session",
        note="raw, one shared client; items become dicts through boto3's `TypeDeserializer`, and AttributeValues "
        "through its `TypeSerializer`. What a service without an ORM runs.",
    ),
    Entry(
        name="boto3",
        module="with_boto3",
        package="boto3",
        versions=("boto3",),
        imports="import boto3",
        kind="sync",
        note="one shared client, the same two converters. Not async: a call alone is made in the loop's thread, those "
        "of a crowd through `asyncio.to_thread` with the loop's own executor.",
    ),
    Entry(
        name="PynamoDB",
        module="with_pynamodb",
        package="pynamodb",
        versions=("pynamodb",),
        imports="import pynamodb.models, pynamodb.attributes",
        kind="sync",
        note="a model. Not async: called as boto3 is. Two custom attributes, as its documentation shows them, read the "
        "decimal exactly (its own reads floats) and the time stamp as it stands (its own reads one format only).",
    ),
    Entry(
        name="aiodynamo",
        module="with_aiodynamo",
        package="aiodynamo",
        versions=("aiodynamo", "aiohttp"),
        imports="import aiohttp, aiodynamo.client, aiodynamo.http.aiohttp",
        note="one client on an aiohttp session, into dicts; it has no models. `numeric_type=Decimal`, since its default "
        "reads every number as a float.",
    ),
    Entry(
        name="pydynox",
        module="with_pydynox",
        package="pydynox",
        versions=("pydynox",),
        imports="import pydynox",
        note="a model on the default client, with `DecimalAttribute` and `DatetimeAttribute`. Its Rust core cannot be "
        "asked to decode or encode alone, and its `update` returns nothing. "
        "Its `StringSetAttribute` writes a list where the others write a set; that is let pass. It has no setting for the number of "
        "connections. Its warnings about slow calls are switched off.",
    ),
    Entry(
        name="aiopynamodb",
        module="with_aiopynamodb",
        package="aiopynamodb",
        versions=("aiopynamodb",),
        imports="import aiopynamodb.models, aiopynamodb.attributes",
        note="a model with the custom attributes of PynamoDB's, on its own aiobotocore client.",
    ),
    Entry(
        name="floor",
        module="floor",
        package="httptools",
        versions=("httptools",),
        imports="",
        note="no library: an asyncio Protocol, httptools, SigV4 with the day's key cached, CRC32 checked, and nothing "
        "else: no retry, timeout or model; bodies of requests are built beforehand. Lists go through `json.loads`, one "
        "item is not decoded at all. It shares no code with dynamorm-async.",
    ),
    Entry(
        name="floor + msgspec",
        module="floor_msgspec",
        package="msgspec",
        versions=("msgspec",),
        imports="",
        answers_get=False,
        note="the floor where it decodes, with `msgspec.json.decode` into dicts instead.",
    ),
    Entry(
        name=OURS,
        module="dynamorm",
        package="dynamorm_async",
        versions=("dynamorm-async", "attrs"),
        imports="import dynamorm_async",
        note="a model, on the direct lane, with its defaults. Its *render* is the whole plan of the update with all that "
        "it checks, since its expressions cannot be had without.",
    ),
)
NAMES = tuple(entry.name for entry in ROSTER)
