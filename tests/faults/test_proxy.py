"""The proxy does to a plain socket, and to the engine behind it, what its faults say."""

from __future__ import annotations

import asyncio
import json
import uuid
import zlib
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from dynamorm_async.errors import Throttled
from tests.engines import call as ask
from tests.faults.answers import OVERSIZE
from tests.faults.catalogue import CATALOGUE, FAULTS
from tests.faults.fault import Call, Fault
from tests.faults.proxy import FaultProxy, fault_proxy
from tests.faults.raw_client import Socket, connected
from tests.faults.scripts import always, once, seeded, sequence
from tests.unit.transport.scripted_server import until

pytestmark = pytest.mark.anyio

TABLE = "faults"
AT_REQUESTS = [fault for fault in FAULTS if fault.at == "request"]
GENERAL = [fault for fault in AT_REQUESTS if not fault.operations and not fault.reused_only]


@pytest.fixture(scope="session")
def engine(dynoxide_endpoint: str) -> str:
    """An engine with one table, whose key is ``id``."""
    definition = {
        "TableName": TABLE,
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
    }
    assert ask(dynoxide_endpoint, "CreateTable", definition)[0] == 200
    return dynoxide_endpoint


def key_of(name: str) -> dict[str, Any]:
    return {"TableName": TABLE, "Key": {"id": {"S": name}}, "ConsistentRead": True}


def put_of(name: str) -> dict[str, Any]:
    return {"TableName": TABLE, "Item": {"id": {"S": name}, "note": {"S": "kept" * 20}}, "ReturnValues": "ALL_OLD"}


def stored(engine: str, name: str) -> bool:
    return "Item" in ask(engine, "GetItem", key_of(name))[1]


def fresh(prefix: str = "k") -> str:
    return f"{prefix}-{uuid.uuid4().hex}"


# --- the catalogue --------------------------------------------------------------------------------


def test_the_catalogue_is_whole() -> None:
    """Names are unique, every record says what it is, and no family of faults is missing."""
    assert len(CATALOGUE) == len(FAULTS) >= 45
    assert all(fault.description and fault.name == name for name, fault in CATALOGUE.items())
    assert all((fault.applied is None) == (fault.part is not None) for fault in FAULTS)
    befores = {name.removesuffix("_before") for name in CATALOGUE if name.endswith("_before")}
    assert befores == {name.removesuffix("_after") for name in CATALOGUE if name.endswith("_after")} - {
        name.removesuffix("_after") for name in CATALOGUE if name.endswith("_retry_after")
    }


def test_a_fault_knows_what_a_client_can_tell() -> None:
    """A lost answer and a 5xx leave the outcome unknown; a refusal, a refused connection and a good answer do not."""
    unknown = ("reset_before", "reset_after", "no_answer_before", "http_500_before", "crc_wrong_after", "redirect_307")
    known = ("throttled_table", "connection_refused", "interim_answers", "expired_token", "batch_half_unprocessed")
    assert all(CATALOGUE[name].outcome_unknown for name in unknown)
    assert not any(CATALOGUE[name].outcome_unknown for name in known)


# --- what each fault does -------------------------------------------------------------------------


@pytest.mark.parametrize("fault", GENERAL, ids=str)
async def test_a_fault_applies_what_it_says(engine: str, fault: Fault) -> None:
    """The engine has the item exactly where the record says so, and the connection ends as the record says."""
    name = fresh()
    async with fault_proxy(engine, once(fault)) as proxy, connected(proxy) as client:
        client.send("PutItem", put_of(name))
        await until(lambda: proxy.calls == 1)
        await proxy.settle()
        assert stored(engine, name) is fault.applied
        [record] = proxy.records
        assert (record.forwarded, record.fault, proxy.played) == (fault.applied, fault, {fault.name: 1})
        assert (record.reply is not None) is fault.applied
        await ends_as(fault, client, proxy)


async def ends_as(fault: Fault, client: Socket, proxy: FaultProxy) -> None:
    if fault.then == "keep":
        await client.read()
        client.send("ListTables", {})
        assert (await client.read())[0] == 200  # the connection serves on
    elif fault.then == "close":
        assert (await client.rest() == b"") is (fault.make is None)
    elif fault.then == "reset":
        with pytest.raises(ConnectionResetError):
            await client.rest()
    elif fault.then == "hold":
        held = await client.reader.read(65536) if fault.make else b""
        seen = proxy.bytes_received
        client.send("ListTables", {})
        await until(lambda: proxy.bytes_received > seen)
        assert (await client.waiting(), bool(held)) == (b"", fault.make is not None)
    else:
        least = 130 if fault.then == "drip" else OVERSIZE
        assert len(await client.reader.readexactly(least)) == least  # and on it goes
        assert proxy.open_connections == 1


Answer = tuple[int, dict[str, str], bytes]


def intact(answer: Answer) -> bool:
    return answer[1].get("x-amz-crc32") == str(zlib.crc32(answer[2]))


def error_of(answer: Answer) -> str:
    return str(json.loads(answer[2])["__type"]).rpartition("#")[2] if intact(answer) else ""


SAYS: dict[str, Callable[[Answer], bool]] = {
    "throttled_table": lambda it: error_of(it) == "ProvisionedThroughputExceededException" and b"Reasons" in it[2],
    "throttled_table_retry_after": lambda it: it[1]["x-amz-retry-after"] == "30",
    "throttled_partition": lambda it: error_of(it) == "ThrottlingException" and b"KeyRange" in it[2],
    "throttled_partition_retry_after": lambda it: it[1]["x-amz-retry-after"] == "30",
    "throttled_account": lambda it: error_of(it) == "RequestLimitExceeded",
    "throttled_account_retry_after": lambda it: it[1]["x-amz-retry-after"] == "30",
    "http_429": lambda it: it[0] == 429 and intact(it),
    "gateway_429": lambda it: it[0] == 429 and it[2].startswith(b"<html>"),
    "waf_403": lambda it: it[0] == 403 and it[2].startswith(b"<html>"),
    "waf_413": lambda it: it[0] == 413 and it[2].startswith(b"<html>"),
    "expired_token": lambda it: error_of(it) == "ExpiredTokenException",
    "unrecognized_client": lambda it: error_of(it) == "UnrecognizedClientException",
    "clock_skew": lambda it: error_of(it) == "InvalidSignatureException" and "2032" in it[1]["date"],
    "request_time_too_skewed": lambda it: error_of(it) == "RequestTimeTooSkewed" and "2032" in it[1]["date"],
    "internal_server_error": lambda it: it[0] == 500 and error_of(it) == "InternalServerError",
    "http_500": lambda it: it[0] == 500 and it[1]["content-type"] == "text/html",
    "http_502": lambda it: it[0] == 502 and it[1]["content-type"] == "text/html",
    "http_503": lambda it: it[0] == 503 and it[2] == b"",
    "http_504": lambda it: it[0] == 504 and it[1]["content-type"] == "text/html",
    "keep_alive_closed_after_answer": lambda it: it[0] == 200 and intact(it) and "connection" not in it[1],
    "crc_wrong": lambda it: it[0] == 200 and it[1]["x-amz-crc32"].isdigit() and not intact(it),
    "crc_garbage": lambda it: it[1]["x-amz-crc32"] == "teapot",
    "crc_absent": lambda it: it[0] == 200 and "x-amz-crc32" not in it[1] and bool(json.loads(it[2]) is not None),
    "ok_html": lambda it: it[0] == 200 and it[2].startswith(b"<html>"),
    "ok_empty": lambda it: it[0] == 200 and it[2] == b"" and intact(it),
    "ok_cut_json": lambda it: (
        it[0] == 200 and it[2][:1] == b"{" and it[2].count(b"{") > it[2].count(b"}") and intact(it)
    ),
    "ok_unclosed_json": lambda it: it[2][-1:] == b"}" and it[2].count(b"{") == it[2].count(b"}") + 1 and intact(it),
    "ok_array": lambda it: it[2] == b"[]" and intact(it),
    "ok_null": lambda it: it[2] == b"null" and intact(it),
    "ok_bad_utf8": lambda it: b"\xff" in it[2] and "x-amz-crc32" not in it[1],
    "ok_gzip": lambda it: it[2].startswith(b"\x1f\x8b") and "content-encoding" not in it[1] and intact(it),
    "ok_nesting_bomb": lambda it: it[2].count(b"{") > 20_000 and it[2].count(b"{") == it[2].count(b"}") and intact(it),
    "content_type_wrong": lambda it: it[1]["content-type"] == "text/plain" and intact(it),
    "oversized": lambda it: len(it[2]) > 20_000_000 and json.loads(it[2]) == {"Attributes": {}} and intact(it),
    "too_many_headers": lambda it: it[0] == 200 and len(it[1]) > 10_000 and intact(it),
    "interim_answers": lambda it: it[0] == 200 and intact(it),
    "set_cookie": lambda it: "tracked" in it[1]["set-cookie"] and intact(it),
}
WHOLE = [fault for fault in GENERAL if fault.then == "keep" or fault.name == "keep_alive_closed_after_answer"]


@pytest.mark.parametrize("fault", [fault for fault in WHOLE if not fault.name.startswith("redirect_")], ids=str)
async def test_a_whole_answer_says_what_the_record_says(fault: Fault) -> None:
    """Status, headers and body of every fault that is answered."""
    name = fault.name if fault.name in SAYS else fault.name.removesuffix("_before").removesuffix("_after")
    async with fault_proxy(script=always(fault)) as proxy, connected(proxy) as client:
        client.send("PutItem", put_of("a"))
        answer = await client.read()
        assert SAYS[name](answer), answer[:2]
        assert client.interim == ([100, 103] if fault.name == "interim_answers" else [])


@pytest.mark.parametrize("applied", ["before", "after"])
@pytest.mark.parametrize("name", ["half_answer", "cut_body"])
async def test_a_cut_answer_promises_more_than_comes(name: str, applied: str) -> None:
    """The bytes end before the announced length, cut_body by exactly one."""
    async with fault_proxy(script=always(CATALOGUE[f"{name}_{applied}"])) as proxy, connected(proxy) as client:
        client.send("PutItem", put_of("a"))
        head, separator, body = (await client.rest()).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK\r\n")
        if name == "cut_body":
            assert separator
            announced = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            assert int(announced.partition(b":")[2]) == len(body) + 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_leads_to_an_origin_that_notices(status: int) -> None:
    """The location is another origin; it counts what reaches it, and whoever follows is lured by a good answer."""
    async with fault_proxy(script=always(CATALOGUE[f"redirect_{status}"])) as proxy, connected(proxy) as client:
        client.send("PutItem", put_of("a"))
        found, headers, _ = await client.read()
        assert found == status
        assert headers["location"] != f"{proxy.endpoint}/"
        assert (proxy.foreign_connections, proxy.foreign_bytes) == (0, 0)
        assert await asyncio.to_thread(ask, headers["location"].rstrip("/"), "ListTables", {}) == (200, {})
        assert proxy.foreign_connections == 1
        assert proxy.foreign_bytes > 100


# --- connections ----------------------------------------------------------------------------------


async def test_a_kept_connection_is_closed_at_reuse_and_a_new_one_is_served() -> None:
    """Only the second request of a connection finds it closed."""
    async with fault_proxy(script=always(CATALOGUE["keep_alive_closed_at_reuse"])) as proxy:
        for _ in range(2):
            async with connected(proxy) as client:
                client.send("ListTables", {})
                assert (await client.read())[0] == 200
                client.send("ListTables", {})
                assert await client.rest() == b""
        assert [record.forwarded for record in proxy.records] == [True, False] * 2


async def test_connections_are_refused_until_the_port_is_open_again() -> None:
    """Nobody listens meanwhile; afterwards the same port serves. Open connections live on until they are dropped."""
    async with fault_proxy() as proxy, connected(proxy) as kept:
        endpoint = proxy.endpoint
        kept.send("ListTables", {})
        assert (await kept.read())[0] == 200
        await proxy.on_connect(CATALOGUE["connection_refused"])
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", proxy.port)
        kept.send("ListTables", {})
        assert (await kept.read())[0] == 200
        proxy.drop_connections()
        with pytest.raises(ConnectionResetError):
            await kept.rest()
        await proxy.on_connect(None)
        async with connected(proxy) as client:
            client.send("ListTables", {})
            assert (await client.read())[0] == 200
        assert proxy.endpoint == endpoint


async def test_a_connection_is_reset_before_its_request_is_read() -> None:
    """As many connections as told; the next one is served."""
    async with fault_proxy() as proxy:
        await proxy.on_connect(CATALOGUE["reset_on_connect"], times=2)
        for _ in range(2):
            async with connected(proxy) as client:
                client.send("ListTables", {})
                with pytest.raises(ConnectionResetError):
                    await client.rest()
        async with connected(proxy) as client:
            client.send("ListTables", {})
            assert (await client.read())[0] == 200
        assert (proxy.calls, proxy.connections, proxy.played["reset_on_connect"]) == (1, 3, 2)


async def test_a_connection_hangs_from_its_beginning() -> None:
    """It is open, takes the request, and nothing is made of it; when the client leaves, it is gone."""
    async with fault_proxy() as proxy:
        await proxy.on_connect(CATALOGUE["hang_on_connect"])
        async with connected(proxy) as client:
            client.send("ListTables", {})
            await until(lambda: proxy.bytes_received > 0)
            assert (await client.waiting(), proxy.calls, proxy.open_connections) == (b"", 0, 1)
        await until(lambda: proxy.open_connections == 0)


@pytest.mark.parametrize(("name", "times"), [("reset_after", None), ("connection_refused", 1)])
async def test_only_faults_of_connections_happen_to_them(name: str, times: int | None) -> None:
    """A fault of requests, or a number of refusals, is a mistake of the test."""
    async with fault_proxy() as proxy:
        with pytest.raises(ValueError, match=f"{name} does not happen to a connection, or cannot be counted"):
            await proxy.on_connect(CATALOGUE[name], times=times)


# --- transactions, batches, pages -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("transaction_cancelled_conflict", ["TransactionConflict", "None", "None"]),
        ("transaction_cancelled_throttled", ["ThrottlingError", "None", "None"]),
        ("transaction_cancelled_mixed", ["ProvisionedThroughputExceeded", "TransactionConflict", "None"]),
        ("transaction_cancelled_for_good", ["ItemCollectionSizeLimitExceeded", "TransactionConflict", "None"]),
    ],
)
async def test_a_cancelled_transaction_has_a_reason_for_each_operation(name: str, codes: list[str]) -> None:
    """As many reasons as operations, also where there are fewer operations than failures."""
    async with fault_proxy(script=always(CATALOGUE[name])) as proxy, connected(proxy) as client:
        for number in (3, 1):
            puts = [{"Put": {"TableName": TABLE, "Item": {"id": {"S": str(n)}}}} for n in range(number)]
            client.send("TransactWriteItems", {"TransactItems": puts})
            answer = await client.read()
            assert error_of(answer) == "TransactionCanceledException"
            assert [reason["Code"] for reason in json.loads(answer[2])["CancellationReasons"]] == codes[:number]


REFUSED = [fault for fault in FAULTS if fault.operations and fault.part is None and fault.applied is False]


@pytest.mark.parametrize("fault", REFUSED, ids=str)
async def test_a_fault_of_some_operations_is_not_applied(fault: Fault) -> None:
    """It is played at its operations, served to no engine, and leaves all other operations alone."""
    bodies: dict[str, dict[str, Any]] = {
        "TransactWriteItems": {"TransactItems": [{}]},
        "TransactGetItems": {"TransactItems": [{}]},
        "BatchWriteItem": {"RequestItems": {TABLE: [{}]}},
        "BatchGetItem": {"RequestItems": {TABLE: {"Keys": [{}]}}},
    }
    async with fault_proxy(script=always(fault)) as proxy, connected(proxy) as client:
        for operation in sorted(fault.operations):
            client.send(operation, bodies.get(operation, {}))
            assert (await client.read())[0] == (200 if fault.error is Throttled else 400)
        client.send("DescribeTable", {})
        assert (await client.read())[0] == 200
        assert [record.forwarded for record in proxy.records] == [False] * len(fault.operations) + [True]


async def test_half_of_a_batch_is_written_and_the_rest_handed_back(engine: str) -> None:
    """What is handed back is exactly what was not written; sent again and again, all is written in the end."""
    names = [fresh() for _ in range(5)]
    puts = [{"PutRequest": {"Item": {"id": {"S": name}}}} for name in names]
    rest: dict[str, Any] = {TABLE: puts}
    left: list[int] = []
    async with (
        fault_proxy(engine, always(CATALOGUE["batch_half_unprocessed"])) as proxy,
        connected(proxy) as client,
    ):
        while rest:
            client.send("BatchWriteItem", {"RequestItems": rest})
            answer = await client.read()
            assert intact(answer)
            rest = json.loads(answer[2])["UnprocessedItems"]
            missing = [put for put, name in zip(puts, names, strict=True) if not stored(engine, name)]
            assert rest == ({TABLE: missing} if missing else {})
            left.append(len(missing))
    assert left == [2, 1, 0]


async def test_half_of_a_batch_is_read_and_the_rest_handed_back(engine: str) -> None:
    """The keys that are handed back keep their table's options."""
    names = [fresh() for _ in range(3)]
    for name in names:
        ask(engine, "PutItem", put_of(name))
    options: dict[str, Any] = {"ProjectionExpression": "id", "ConsistentRead": True}
    asked = {TABLE: {"Keys": [{"id": {"S": name}} for name in names], **options}}
    async with (
        fault_proxy(engine, always(CATALOGUE["batch_half_unprocessed"])) as proxy,
        connected(proxy) as client,
    ):
        client.send("BatchGetItem", {"RequestItems": asked})
        answer = json.loads((await client.read())[2])
    assert sorted(item["id"]["S"] for item in answer["Responses"][TABLE]) == sorted(names[:2])
    assert answer["UnprocessedKeys"] == {TABLE: {"Keys": [{"id": {"S": names[2]}}], **options}}


@pytest.mark.parametrize(
    ("operation", "entries", "more"),
    [
        ("BatchWriteItem", [{"DeleteRequest": {"Key": {"id": {"S": "a"}}}}], {}),
        ("BatchGetItem", {"Keys": [{"id": {"S": "a"}}]}, {"Responses": {TABLE: []}}),
    ],
)
async def test_all_of_a_batch_is_handed_back(operation: str, entries: Any, more: dict[str, Any]) -> None:
    """Again and again the whole request comes back."""
    async with fault_proxy(script=always(CATALOGUE["batch_all_unprocessed"])) as proxy, connected(proxy) as client:
        for _ in range(3):
            client.send(operation, {"RequestItems": {TABLE: entries}})
            name = "UnprocessedItems" if operation == "BatchWriteItem" else "UnprocessedKeys"
            assert json.loads((await client.read())[2]) == {name: {TABLE: entries}, **more}


async def test_a_page_ends_where_it_began(engine: str) -> None:
    """The first page is the engine's; every later one has the cursor that it was asked with."""
    for _ in range(3):
        ask(engine, "PutItem", put_of(fresh()))
    async with fault_proxy(engine, always(CATALOGUE["cursor_repeated"])) as proxy, connected(proxy) as client:
        body: dict[str, Any] = {"TableName": TABLE, "Limit": 1}
        cursors: list[Any] = []
        for _ in range(3):
            client.send("Scan", body)
            cursors.append(json.loads((await client.read())[2])["LastEvaluatedKey"])
            body["ExclusiveStartKey"] = cursors[-1]
    assert cursors[0] == cursors[1] == cursors[2]


def dice(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - the same each time, on purpose


# --- scripts --------------------------------------------------------------------------------------


def call_of(number: int, operation: str = "PutItem") -> Call:
    return Call(number, operation, b"{}", number)


def test_scripts_choose_the_calls() -> None:
    """Always, once, and a sequence go by what a fault can happen to and by the operation that was named."""
    reset, conflict = CATALOGUE["reset_after"], CATALOGUE["transaction_conflict"]
    script = always(reset, operation="GetItem")
    assert [script(call_of(1)), script(call_of(2, "GetItem"))] == [None, reset]
    script = once(conflict)
    assert [script(call_of(n, name)) for n, name in enumerate(["GetItem", "PutItem", "PutItem"])] == [
        None,
        conflict,
        None,
    ]
    script = sequence([reset, None, conflict], operation="PutItem")
    operations = ["GetItem", "PutItem", "PutItem", "PutItem", "PutItem"]
    assert [script(call_of(n, name)) for n, name in enumerate(operations)] == [None, reset, None, conflict, None]


def test_seeded_faults_are_the_same_for_the_same_seed() -> None:
    """The same dice give the same faults, about as many as asked for, and none where it does not fit."""
    rates = {CATALOGUE["reset_after"]: 0.1, CATALOGUE["transaction_conflict"]: 0.3}
    runs = [[seeded(dice(7), rates)] * 1000 for _ in range(2)]
    drawn = [[script(call_of(n)) for n, script in enumerate(run)] for run in runs]
    assert drawn[0] == drawn[1]
    counts = [drawn[0].count(fault) for fault in (*rates, None)]
    assert 60 < counts[0] < 140
    assert 230 < counts[1] < 370
    gets = seeded(dice(7), rates)
    assert {gets(call_of(n, "GetItem")) for n in range(1000)} == {CATALOGUE["reset_after"], None}
    with pytest.raises(ValueError, match=r"the rates are 1\.5 in all"):
        seeded(dice(7), dict.fromkeys(rates, 0.75))


# --- the proxy ------------------------------------------------------------------------------------


async def test_attempts_count_the_same_bytes() -> None:
    """The same operation with the same body is another attempt, whatever connection it comes on."""
    async with fault_proxy() as proxy:
        for operation, body in [
            ("PutItem", {}),
            ("PutItem", {}),
            ("PutItem", {"a": 1}),
            ("GetItem", {}),
            ("PutItem", {}),
        ]:
            async with connected(proxy) as client:
                client.send(operation, body)
                await client.read()
        assert [record.call.attempt for record in proxy.records] == [1, 2, 1, 1, 3]
        assert [record.call.number for record in proxy.sent("GetItem")] == [4]
        assert (proxy.connections, proxy.most_connections) == (5, 1)


async def test_settling_waits_for_a_client_that_has_gone(engine: str) -> None:
    """A request that was only just sent is applied, and its answer known, when settle() is over."""
    async with fault_proxy(engine) as proxy:
        names = [fresh() for _ in range(20)]
        for name in names:
            async with connected(proxy) as client:
                client.send("PutItem", put_of(name))
                await until(lambda count=proxy.calls: proxy.calls > count)  # type: ignore[misc]  # mypy cannot infer the default
        await proxy.settle()
        assert proxy.pending == 0
        assert all(record.reply is not None and record.reply.status == 200 for record in proxy.records)
        assert all(stored(engine, name) for name in names)


async def test_a_proxy_without_an_upstream_answers_from_a_function() -> None:
    """The function gets the call; its answer has the right CRC32."""
    async with (
        fault_proxy(engine=lambda call: {"Number": call.number, **json.loads(call.body)}) as proxy,
        connected(proxy) as client,
    ):
        client.send("GetItem", {"a": 1})
        answer = await client.read()
        assert (json.loads(answer[2]), intact(answer)) == ({"Number": 1, "a": 1}, True)


async def test_a_long_run_remembers_the_last_calls_only() -> None:
    """Records and attempts stay bounded, the counts go on."""
    async with fault_proxy(remember=10) as proxy, connected(proxy) as client:
        for number in range(100):
            client.send("GetItem", {"n": number})
            await client.read()
        assert proxy.calls == 100
        assert 10 <= len(proxy.records) <= 20
        assert proxy.records[-1].call.number == 100


def descriptors() -> int:
    return sum(1 for _ in Path("/dev/fd").iterdir())


async def test_nothing_of_a_proxy_is_left(engine: str) -> None:
    """Descriptors and tasks are those of before, whatever was under way."""
    names = ["no_answer_after", "dripping_before", "endless_after", "keep_alive_closed_after_answer"]
    rates = dict.fromkeys((CATALOGUE[name] for name in names), 0.2)
    before = descriptors(), asyncio.all_tasks()
    for seed in range(3):
        async with fault_proxy(engine, seeded(dice(seed), rates)) as proxy:
            clients = [connected(proxy) for _ in range(20)]
            for client in clients:
                (await client.__aenter__()).send("PutItem", put_of(fresh()))
            await until(lambda proxy=proxy: proxy.calls == 20)  # type: ignore[misc]  # mypy cannot infer the default
        assert proxy.open_connections == 0
        for client in clients:
            await client.__aexit__(None, None, None)
    assert (descriptors(), asyncio.all_tasks()) == before


async def test_an_engine_that_fails_fails_the_test() -> None:
    """No connection to the engine is an error when the block ends, and the client gets no answer."""
    with pytest.raises(ExceptionGroup, match="the test itself failed") as failure:  # noqa: PT012 - the block's end raises
        async with fault_proxy("http://127.0.0.1:1") as proxy, connected(proxy) as client:
            client.send("ListTables", {})
            with pytest.raises(ConnectionResetError):
                await client.rest()
    assert isinstance(failure.value.exceptions[0], ConnectionRefusedError)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("connection_refused", r"connection_refused happens to connections, not to a call: use on_connect\(\)"),
        ("transaction_conflict", "transaction_conflict cannot happen to ListTables"),
    ],
)
async def test_a_script_that_is_wrong_fails_the_test(name: str, message: str) -> None:
    """A fault where it cannot be is an error when the block ends."""
    with pytest.raises(ExceptionGroup) as failure:  # noqa: PT012 - as above
        async with fault_proxy(script=lambda _: CATALOGUE[name]) as proxy, connected(proxy) as client:
            client.send("ListTables", {})
            with pytest.raises(ConnectionResetError):
                await client.rest()
    [error] = failure.value.exceptions
    with pytest.raises(ValueError, match=message):
        raise error
