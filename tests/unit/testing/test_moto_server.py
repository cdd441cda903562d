"""The embedded server: one ``with`` block gives a DynamoDB, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import http.client
import logging
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from dynamorm_async.testing import MotoServer
from tests.engines import call

TABLE = {
    "TableName": "users",
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
}


def tables(endpoint: str, region: str = "eu-west-1") -> list[str]:
    names: list[str] = call(endpoint, "ListTables", {}, region=region)[1]["TableNames"]
    return names


def test_it_serves_dynamodb_on_loopback() -> None:
    """A started server answers DynamoDB requests at its endpoint."""
    with MotoServer() as server:
        server.reset()  # other servers of this process share their tables with this one
        assert server.endpoint.startswith("http://127.0.0.1:")
        assert call(server.endpoint, "CreateTable", TABLE)[0] == 200
        assert tables(server.endpoint) == ["users"]


def test_requests_at_once_do_not_fall_into_each_other() -> None:
    """Each of many conditional writes at once, through two servers of a process, sees all those before it."""
    with MotoServer() as one, MotoServer() as other:
        one.reset()
        call(one.endpoint, "CreateTable", TABLE)
        update = {
            "TableName": "users",
            "Key": {"id": {"S": "a"}},
            "UpdateExpression": "ADD seen :one",
            "ExpressionAttributeValues": {":one": {"N": "1"}},
            "ReturnValues": "UPDATED_NEW",
        }

        def count(number: int) -> str:
            status, answer = call((one, other)[number % 2].endpoint, "UpdateItem", update)
            assert status == 200
            seen: str = answer["Attributes"]["seen"]["N"]
            return seen

        usual = sys.getswitchinterval()
        sys.setswitchinterval(1e-6)  # threads change places as often as they can
        try:
            with ThreadPoolExecutor(16) as threads:
                told = list(threads.map(count, range(160)))
        finally:
            sys.setswitchinterval(usual)
    assert sorted(map(int, told)) == list(range(1, 161))


def test_an_answer_has_one_server_header() -> None:
    """Two would be refused by aiohttp where asyncio is in debug mode."""
    with MotoServer() as server:
        connection = http.client.HTTPConnection(server.endpoint.removeprefix("http://"), timeout=30)
        with contextlib.closing(connection):
            connection.request("POST", "/", b"{}", {"X-Amz-Target": "DynamoDB_20120810.ListTables"})
            names = [name.lower() for name, _ in connection.getresponse().getheaders()]
    assert names.count("server") == 1


def test_reset_drops_the_tables_of_every_region() -> None:
    """After a reset the server is as new, whatever account or region a table was in."""
    with MotoServer() as server:
        for region in ("eu-west-1", "us-east-1"):
            call(server.endpoint, "CreateTable", TABLE, region=region)
        server.reset()
        assert tables(server.endpoint) == tables(server.endpoint, "us-east-1") == []


def test_a_new_server_is_empty_and_start_and_stop_repeat() -> None:
    """A second start or stop does nothing; tables do not outlive the server."""
    server = MotoServer()
    server.start()
    first = server.endpoint
    server.start()
    assert server.endpoint == first
    call(first, "CreateTable", TABLE)
    server.stop()
    server.stop()
    with MotoServer() as other:
        assert tables(other.endpoint) == []


def test_a_stopped_server_listens_no_more() -> None:
    """The port is closed when the block ends, by an error too."""

    def fail_inside() -> None:
        with server:
            ports.append(server.endpoint)
            raise LookupError

    server, ports = MotoServer(), list[str]()
    with pytest.raises(LookupError):
        fail_inside()
    with pytest.raises(ConnectionRefusedError):
        call(ports[0], "ListTables", {})


def test_a_server_that_is_not_running_says_so() -> None:
    """Its endpoint and its reset name the ``with`` block that is missing, or that there is nothing to do."""
    server = MotoServer()
    with pytest.raises(RuntimeError, match=r"with MotoServer\(\) as server"):
        _ = server.endpoint
    with pytest.raises(RuntimeError, match="not running"):
        server.reset()


def test_requests_are_not_printed_and_the_logger_is_given_back(capfd: pytest.CaptureFixture[str]) -> None:
    """A served request prints nothing, and werkzeug's logger has its own level again afterwards."""
    level = logging.getLogger("werkzeug").level
    with MotoServer() as server:
        tables(server.endpoint)
    assert logging.getLogger("werkzeug").level == level
    assert capfd.readouterr() == ("", "")


def test_without_moto_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing extra is named with the command that installs it."""
    monkeypatch.setitem(sys.modules, "moto.moto_server.werkzeug_app", None)
    with pytest.raises(ImportError, match=r"dynamorm-async\[testing\]"):
        MotoServer().start()
