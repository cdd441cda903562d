"""The command line works as its page and its help show: every example is run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from dynamorm_async.cli.app import app
from dynamorm_async.cli.command import Command
from tests.engines import call
from tests.examples.console import Shell, commands, matches, run_page

ROOT = Path(__file__).parents[2]
REGION = "eu-west-1"
STAFF = """\
{"Item": {"team": {"S": "red"}, "email": {"S": "ada@example.com"}, "age": {"N": "37"}, "pin": {"S": "1815"}}}
{"Item": {"team": {"S": "red"}, "email": {"S": "bob@example.com"}, "age": {"N": "17"}}}
{"Item": {"team": {"S": "blue"}, "email": {"S": "eve@example.com"}, "age": {"N": "50"}}}
"""
SHOP = """
from dynamorm_async import Attr, attr, model, partition_key, sort_key


@model(table="users")
class User:
    org: Attr[str] = partition_key()
    email: Attr[str] = sort_key()
    age: Attr[int]
    name: Attr[str | None] = attr(default=None)


def full_name(user: User) -> User:
    user.name = user.email.partition("@")[0].title()
    return user
"""
ITEM = {"org": {"S": "acme"}, "email": {"S": "ada@example.com"}, "age": {"N": "37"}}
TABLE = {
    "KeySchema": [{"AttributeName": "org", "KeyType": "HASH"}, {"AttributeName": "email", "KeyType": "RANGE"}],
    "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in ("org", "email")],
    "BillingMode": "PAY_PER_REQUEST",
}
USERS = json.dumps({"Item": ITEM}) + "\n"
MIGRATION = '''
"""Nothing."""


async def upgrade(context):
    pass


async def downgrade(context):
    pass
'''
# What is done before the examples of a command: they begin with a table that is as declared and has an item.
PREPARED = {"migrate up": [], "migrate down": ["migrate up"], "migrate stamp": [], "migrate status": ["migrate up"]}


def environment_of(endpoint: str, **more: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL_DYNAMODB": endpoint,
        "AWS_ACCESS_KEY_ID": "documentation",
        "AWS_SECRET_ACCESS_KEY": "documentation",
        "AWS_REGION": REGION,
        **more,
    }


def all_commands(group: click.Group, path: str = "") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from all_commands(command, f"{path}{name} ")
        else:
            yield f"{path}{name}", command


COMMANDS = dict(all_commands(app))


def test_every_command_is_there() -> None:
    """The commands that the page promises are the commands that there are."""
    migrations = [f"migrate {name}" for name in ("new", "status", "up", "down", "stamp")]
    others = ["plan", "apply", "diff", "backfill", "scan", "get", "query", "export", "import", "explain"]
    assert set(COMMANDS) == {*migrations, *others, "access-patterns", "iam"}


def test_the_page_runs(dynoxide_endpoint: str, tmp_path: Path) -> None:
    """Every console block of the page prints what it shows, in order, and every command is on the page."""
    for table in ("staff", "dynamorm"):
        call(dynoxide_endpoint, "DeleteTable", {"TableName": table}, region=REGION)
    (tmp_path / "staff.jsonl").write_text(STAFF)
    page = (ROOT / "docs" / "cli.md").read_text()
    assert run_page(page, Shell(tmp_path, environment_of(dynoxide_endpoint))) > 40
    assert [name for name in COMMANDS if f"$ dynamorm {name} " not in page and f"$ dynamorm {name}\n" not in page] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_the_examples_of_the_help_run(name: str, dynoxide_endpoint: str, tmp_path: Path) -> None:
    """The help of every command has a sentence, the way to see a traceback, and examples that work."""
    (tmp_path / "shop.py").write_text(SHOP)
    (tmp_path / "users.jsonl").write_text(USERS)
    if name in PREPARED:
        (tmp_path / "migrations").mkdir()
        for number in (1, 2):
            (tmp_path / "migrations" / f"000{number}_nothing.py").write_text(MIGRATION)
    prefix = f"help-{name.replace(' ', '-')}-"
    call(dynoxide_endpoint, "CreateTable", {"TableName": f"{prefix}users", **TABLE}, region=REGION)
    call(dynoxide_endpoint, "PutItem", {"TableName": f"{prefix}users", "Item": ITEM}, region=REGION)
    shell = Shell(tmp_path, environment_of(dynoxide_endpoint, DYNAMORM_TABLE_PREFIX=prefix))
    for line in PREPARED.get(name, ()):
        prepared = shell.dynamorm(line)
        assert prepared.exit_code == 0, prepared.output
    _bring_files(name, tmp_path, shell)
    command = COMMANDS[name]
    assert isinstance(command, Command)
    help_text = shell.dynamorm(f"{name} --help").output
    assert command.help
    assert command.examples
    assert "--traceback" in help_text
    for example in command.examples:
        assert f"  dynamorm {example}\n" in help_text
        result = shell.dynamorm(example)
        assert result.exit_code == 0, f"dynamorm {example}\n{result.output}"


def _bring_files(name: str, folder: Path, shell: Shell) -> None:
    """The files that an example of ``import`` names; those that one of ``export`` makes are not there yet."""
    if name == "import":
        made = shell.dynamorm("export shop:User users.json.gz --format json")
        assert made.exit_code == 0, made.output
    if name == "export":
        (folder / "users.jsonl").unlink()


@pytest.mark.parametrize(
    ("expected", "printed", "same"),
    [
        ("a\nb\n", "a\nb\n", True),
        ("a ...\n", "a 3 units\n", True),
        ("a\n...\nd\n", "a\nb\nc\nd\n", True),
        ("a\n", "b\n", False),
        ("a\n", "a\nb\n", False),
        ("", "a\n", False),
        ("a.b\n", "a-b\n", False),
    ],
)
def test_what_is_printed_is_compared(expected: str, printed: str, same: bool) -> None:  # noqa: FBT001 - a parameter
    """The comparison itself sees a difference, and takes dots for any text."""
    assert matches(expected, printed) is same


def test_a_page_that_is_wrong_is_seen(tmp_path: Path) -> None:
    """Output that differs, and a failure that the page does not tell, fail the run."""
    shell = Shell(tmp_path, {})
    with pytest.raises(AssertionError, match="the page has"):
        run_page("```console\n$ dynamorm --version\nsomething else\n```\n", shell)
    with pytest.raises(AssertionError, match="exited with 2"):
        run_page("```console\n$ dynamorm nonsense\n...\n```\n", shell)
    assert run_page("```console\n$ dynamorm nonsense\n...\n$ echo $?\n2\n```\n", shell) == 2


def test_long_lines_are_joined() -> None:
    """A command that goes on after a backslash is one line."""
    assert list(commands("$ dynamorm plan \\\n>   staff\nout\n")) == [("dynamorm plan staff", "out\n")]
