"""Sessions at the command line: what each command does where the page does not show it."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from tests.engines import call
from tests.examples.console import Shell

ROOT = Path(__file__).parents[2]
STOCK = """
from dynamorm_async import Attr, Database, LocalKeyring, attr, encrypted, index, model, partition_key, version


@model(table="stock")
class Ware:
    number: Attr[int] = partition_key()
    shelf: Attr[str] = attr(default="a")
    price: Attr[int] = attr(default=0)
    note: Attr[str | None] = encrypted(default=None)
    revision: Attr[int] = version()

    by_shelf = index(partition="shelf", sort="price", projection="keys_only")


def database():
    return Database(keys=LocalKeyring({"k1": bytes(32)}), table_prefix=PREFIX)


async def later():
    return database()


opened_before = database()
wrong = 3
"""
WITHOUT_INDEX = "by_shelf = index"
SLOW = """
import anyio
from pathlib import Path


async def slow(ware):
    print("begun", flush=True)
    if not Path("quick").exists():
        await anyio.sleep_forever()
    ware.shelf = "b"
    return ware
"""


def lines(*numbers: int) -> str:
    return "".join(
        f'{{"Item": {{"number": {{"N": "{n}"}}, "shelf": {{"S": "a"}}, "price": {{"N": "{n}"}}}}}}\n' for n in numbers
    )


@pytest.fixture
def prefix() -> str:
    return f"cli{uuid.uuid4().hex[:8]}-"


@pytest.fixture
def shell(dynoxide_endpoint: str, tmp_path: Path, prefix: str) -> Shell:
    """A folder with models, and a table of their own."""
    (tmp_path / "stock.py").write_text(STOCK.replace("PREFIX", repr(prefix)))
    (tmp_path / "wares.jsonl").write_text(lines(1, 2, 3))
    call(
        dynoxide_endpoint,
        "CreateTable",
        {
            "TableName": f"{prefix}stock",
            "KeySchema": [{"AttributeName": "number", "KeyType": "HASH"}],
            "AttributeDefinitions": [
                {"AttributeName": name, "AttributeType": tag}
                for name, tag in (("number", "N"), ("shelf", "S"), ("price", "N"))
            ],
            "GlobalSecondaryIndexes": [
                {
                    "IndexName": "by_shelf",
                    "KeySchema": [
                        {"AttributeName": "shelf", "KeyType": "HASH"},
                        {"AttributeName": "price", "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "KEYS_ONLY"},
                }
            ],
            "BillingMode": "PAY_PER_REQUEST",
        },
        region="eu-west-1",
    )
    environment = {
        "AWS_ENDPOINT_URL_DYNAMODB": dynoxide_endpoint,
        "AWS_ACCESS_KEY_ID": "documentation",
        "AWS_SECRET_ACCESS_KEY": "documentation",
        "AWS_REGION": "eu-west-1",
        "DYNAMORM_TABLE_PREFIX": prefix,
    }
    return Shell(tmp_path, environment)


def done(shell: Shell, line: str, *, code: int = 0, typed: str | None = None) -> str:
    result = shell.dynamorm(line, typed=typed)
    assert result.exit_code == code, result.output
    return result.output


def test_stdout_holds_json_alone(shell: Shell) -> None:
    """With --json every line of stdout is JSON; what people are told is on stderr."""
    done(shell, "import stock:Ware wares.jsonl")
    result = shell.dynamorm("scan stock:Ware --all --json")
    assert sorted(json.loads(line)["number"] for line in result.stdout.splitlines()) == [1, 2, 3]
    assert "3 items" in result.stderr
    for line in (
        "plan stock",
        "diff stock",
        "explain stock:Ware --where number=1",
        "apply stock",
        "iam stock --access read",
    ):
        json.loads(shell.dynamorm(line if line.startswith("iam") else f"{line} --json").stdout)
    assert json.loads(shell.dynamorm("get stock:Ware 9 --json").stdout) is None
    assert json.loads(shell.dynamorm("import stock:Ware wares.jsonl --json").stdout)["existing"] == 3


def test_items_go_through_pipes(shell: Shell, tmp_path: Path) -> None:
    """``-`` is stdout and stdin, and nothing but items goes there."""
    done(shell, "import stock:Ware wares.jsonl")
    exported = shell.dynamorm("export stock:Ware - --where number=2")
    assert [json.loads(line)["Item"]["number"] for line in exported.stdout.splitlines()] == [{"N": "2"}]
    assert "1 item written" in done(shell, "import stock:Ware -", typed=lines(7))
    assert "--json prints the result on stdout" in done(shell, "export stock:Ware - --json", code=2)
    assert list(tmp_path.glob("*.part")) == []


def test_a_limit_says_that_there_is_more(shell: Shell) -> None:
    """A look shows as many items as were asked for, and whether there are others."""
    done(shell, "import stock:Ware wares.jsonl")
    assert "2 items, and there are more: --limit or --all; " in done(shell, "scan stock:Ware --limit 2")
    assert "3 items; " in done(shell, "scan stock:Ware --limit 3")
    assert "0 items; " in done(shell, "scan stock:Ware --where price=99")


def test_an_index_shows_what_it_holds(shell: Shell) -> None:
    """Of an index that holds keys only, only these are shown; --hydrate brings the rest."""
    done(shell, "import stock:Ware wares.jsonl")
    query = "query stock:Ware --where shelf=a --index by_shelf --descending --limit 1 --json"
    assert json.loads(shell.dynamorm(query).stdout) == {"number": 3, "shelf": "a", "price": 3}
    assert json.loads(shell.dynamorm(f"{query} --hydrate").stdout)["note"] is None


def test_an_encrypted_value_is_not_shown(shell: Shell, tmp_path: Path) -> None:
    """With the keys at hand, the value of an encrypted attribute is masked, and stays out of files unless it is asked for."""
    (tmp_path / "secret.json").write_text("")
    (tmp_path / "seal.py").write_text(
        "from stock import Ware\n\n\ndef sealed(ware):\n    ware.note = 'treasure'\n    return ware\n"
    )
    shell = Shell(tmp_path, {**shell.environment, "DYNAMORM_DATABASE": "stock:database"})
    done(shell, "import stock:Ware wares.jsonl")
    done(shell, "backfill stock:Ware seal:sealed --name seal --segments 1")
    for line in ("get stock:Ware 1", "get stock:Ware 1 --json", "scan stock:Ware", "scan stock:Ware --json"):
        printed = done(shell, line)
        assert "***" in printed
        assert "treasure" not in printed
    assert "Say --decrypt where that is meant" in done(shell, "export stock:Ware out.json --format json", code=1)
    done(shell, "export stock:Ware out.json --format json --decrypt")
    assert "treasure" in (tmp_path / "out.json").read_text()


@pytest.mark.parametrize("name", ["database", "later", "opened_before"])
def test_a_database_of_the_users_is_taken(shell: Shell, name: str) -> None:
    """A Database, or a function of either kind that makes one."""
    assert "as declared" in done(shell, f"plan stock --database stock:{name}")


def test_a_wrong_database_is_refused(shell: Shell) -> None:
    """What is no database, and options beside one, are mistakes of the command line."""
    assert "a Database is wanted" in done(shell, "plan stock --database stock:wrong", code=2)
    both = done(shell, "plan stock --database stock:database --region eu-west-1 --lane sdk", code=2)
    assert "--database brings its own settings: leave --region, --lane out" in both


def test_what_takes_something_away_is_asked_for(shell: Shell, tmp_path: Path) -> None:
    """An index that is not declared any more is left alone, then refused, then deleted."""
    text = (tmp_path / "stock.py").read_text()
    (tmp_path / "stock.py").write_text("\n".join(line for line in text.split("\n") if WITHOUT_INDEX not in line))
    assert "--allow delete_index lets the plan do it" in done(shell, "plan stock --check", code=3)
    assert "1 left alone" in done(shell, "apply stock")
    refused = done(shell, "apply stock --allow delete_index", code=4)
    assert "Refused: this would delete index by_shelf" in refused
    assert "done: 1 step taken" in done(shell, "apply stock --allow delete_index --yes")
    assert "no drift" in done(shell, "diff stock")


def test_what_dynamodb_cannot_do_is_refused(shell: Shell, tmp_path: Path) -> None:
    """Another key is refused with 4 and a way out, and nothing is changed."""
    text = (tmp_path / "stock.py").read_text().replace("number: Attr[int] =", "code: Attr[str] =")
    (tmp_path / "stock.py").write_text(text)
    printed = done(shell, "apply stock --yes", code=4)
    assert "DynamoDB cannot change the key of a table" in printed
    assert "and nothing was changed" in printed


def test_an_import_says_where_to_go_on(shell: Shell, tmp_path: Path) -> None:
    """A line that cannot be imported stops with the option that goes on from there; or all are collected."""
    (tmp_path / "cut.jsonl").write_text(lines(1) + '{"Item": {"number": {"S": "x"}}}\n' + lines(3))
    stopped = done(shell, "import stock:Ware cut.jsonl", code=1)
    assert "Mend line 2 and run the same command with --start-at 2" in stopped
    assert "Traceback" not in stopped
    collected = done(shell, "import stock:Ware cut.jsonl --on-error collect", code=1)
    assert "1 item written, 1 left as they were, 1 line failed" in collected
    assert "line 2: " in collected


def test_a_status_makes_no_table(shell: Shell, dynoxide_endpoint: str, prefix: str) -> None:
    """To look at a backfill that nobody began changes nothing; a reset of it neither."""
    assert done(shell, "backfill stock:Ware --name none --status") == "none: not begun\n"
    assert done(shell, "backfill stock:Ware --name none --status --json") == "null\n"
    done(shell, "backfill stock:Ware --name none --reset --yes")
    status, _ = call(dynoxide_endpoint, "DescribeTable", {"TableName": f"{prefix}dynamorm"}, region="eu-west-1")
    assert status == 400
    assert "exclude each other" in done(shell, "backfill stock:Ware --name none --reset --status", code=2)


def test_without_credentials_a_line_says_so(shell: Shell, tmp_path: Path) -> None:
    """A failure is one clear line and exit code 1."""
    without = {name: value for name, value in shell.environment.items() if "KEY" not in name}
    printed = done(Shell(tmp_path, without), "get stock:Ware 1", code=1)
    assert printed.startswith("Error: ")
    assert "Traceback" not in printed


def test_an_interrupted_backfill_goes_on(shell: Shell, tmp_path: Path) -> None:
    """Ctrl-C ends a backfill cleanly with 130 and says how to go on; the same command then finishes it."""
    (tmp_path / "slow.py").write_text(SLOW)
    done(shell, "import stock:Ware wares.jsonl")
    line = ["backfill", "stock:Ware", "slow:slow", "--name", "slow", "--segments", "1", "--concurrency", "1"]
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "dynamorm_async", *line],
        cwd=tmp_path,
        env={**os.environ, **shell.environment, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    process.send_signal(signal.SIGINT)
    printed, told = process.communicate(timeout=30)
    assert process.returncode == 130, told
    assert printed == ""
    assert told.startswith("Interrupted: run the same command again, which goes on at the last checkpoint; items of")
    (tmp_path / "quick").touch()
    assert "3 changed" in done(shell, " ".join(line))


def test_a_terminal_is_asked(shell: Shell, tmp_path: Path) -> None:
    """On a real terminal the question is answered by typing."""
    done(shell, "import stock:Ware wares.jsonl")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "dynamorm_async", "import", "stock:Ware", "wares.jsonl", "--mode", "overwrite"],
        cwd=tmp_path,
        env={**os.environ, **shell.environment, "PYTHONPATH": str(ROOT)},
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.write(ours, b"y\n")
    printed, told = process.communicate(timeout=30)
    os.close(ours)
    os.close(theirs)
    assert process.returncode == 0, told
    assert "This will replace items of Ware that are there by those of wares.jsonl. Go on? [y/N]" in told
    assert printed == "3 items written, 0 left as they were\n"
