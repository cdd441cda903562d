"""The file that is written says the same as the models, is what formatters leave, and can be run."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from dynamorm_async import (
    GSI,
    LSI,
    IndexSettings,
    OnDemand,
    PlanRefused,
    Provisioned,
    Replica,
    Table,
    TableSettings,
    UsageError,
    VectorIndex,
    WarmThroughput,
)
from dynamorm_async.migrations.declaring import declaration
from dynamorm_async.migrations.files import read_folder
from dynamorm_async.migrations.generator import slug, source_of, write_next
from dynamorm_async.migrations.loading import load_all
from dynamorm_async.migrations.source import literal, rendered
from dynamorm_async.schema import Plan
from dynamorm_async.schema.live import created
from dynamorm_async.schema.planning import plan_table

TABLES = [
    Table("users", partition_key="pk"),
    Table("users-2", partition_key="pk", sort_key="sk", types={"sk": "N"}, ttl="expires", discriminator=None),
    Table(
        "shop",
        partition_key="pk",
        sort_key="sk",
        indexes=[
            GSI("by_email", "email"),
            GSI("by_many", ("tenant", "region"), ("round", "match"), projection=("name", "it's", 'a "quoted" one')),
            GSI("by_age", "org", "age", projection="keys_only"),
            LSI("by_date", "date"),
        ],
        types={"age": "N", "match": "B"},
        discriminator="type",
        settings=TableSettings(
            billing=Provisioned(read=5, write=2),
            indexes={"by_email": IndexSettings(billing=Provisioned(read=1, write=1), contributor_insights=None)},
            stream="new_and_old_images",
            point_in_time_recovery=7,
            encryption="aws_managed",
            tags={"team": "one", "cost centre": "42"},
            table_class="infrequent_access",
            deletion_protection=False,
            replicas=("eu-central-1", Replica("us-east-1", key="k1")),
            resource_policy={"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["dynamodb:*"]}]},
            contributor_insights="all_keys",
        ),
    ),
    Table(
        "essays",
        partition_key="essay_id",
        indexes=[
            VectorIndex("by_meaning", "embedding", dimensions=3, distance="cosine", partition="year", filters=["topic"])
        ],
        types={"year": "N"},
        settings=TableSettings(
            billing=OnDemand(max_read=100), stream=None, warm_throughput=WarmThroughput(read=12000, write=4000)
        ),
    ),
]


def same(left: Table, right: Table) -> bool:
    return all(getattr(left, field) == getattr(right, field) for field in ("name", *COMPARED))


COMPARED = ("partition_key", "sort_key", "indexes", "vector_indexes", "ttl", "discriminator", "settings")


def creating(*tables: Table) -> Plan:
    plans = [plan_table(table, f"dev-{table.name}", None, frozenset()) for table in tables]
    return Plan(tables=tuple(plans))


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_declaration_is_the_same_table(table: Table) -> None:
    """What is written of a table, run, is that table again, with the names that it says it needs."""
    names: set[str] = set()
    source = rendered(declaration(table, names))
    scope: dict[str, object] = {}
    exec(f"from dynamorm_async import {', '.join(names)}\nmade = {source}", scope)  # noqa: S102 - what is tested
    made = scope["made"]
    assert isinstance(made, Table)
    assert same(made, table)


def test_a_file_can_be_run_and_is_well_formed(tmp_path: Path) -> None:
    """Formatters and linters leave it as it is; it loads; and it applies all the tables."""
    path = write_next(tmp_path / "migrations", 1, "Make the first tables", creating(*TABLES))
    assert path == tmp_path / "migrations" / "0001_make_the_first_tables.py"
    for command in (["format", "--diff"], ["check", "--select", "E4,E7,E9,F,I,UP,B,Q,COM819"]):
        for length in ("88", "120"):
            line = [sys.executable, "-m", "ruff", *command, "--isolated", "--line-length", length, str(path)]
            done = subprocess.run(line, capture_output=True, text=True, check=False)
            assert (done.returncode, done.stdout.replace("All checks passed!\n", "")) == (0, ""), done.stderr
    (file,) = read_folder(tmp_path / "migrations")
    assert file.description == "Make the first tables."
    scope = vars(sys.modules[load_all([file])[1].upgrade.__module__])
    assert all(
        same(scope[name], table) for name, table in zip(("users", "users_2", "shop", "essays"), TABLES, strict=True)
    )
    assert "await context.apply(users, users_2, shop, essays)" in file.text


def test_a_small_file_reads_well() -> None:
    """What differs stands in the docstring, by names without the database's prefix; what is taken away is allowed there alone."""
    before = Table("users", partition_key="pk", indexes=[GSI("by_name", "name"), GSI("by_age", "age")])
    after = Table("users", partition_key="pk", indexes=[GSI("by_age", "age"), GSI("by_email", "email", "pk")])
    plan = plan_table(after, "dev-users", created(before, "dev-users"), frozenset({"delete_index"}))
    text = source_of("Index emails.", Plan(tables=(plan,), allowed=frozenset({"delete_index"})))
    assert text.startswith('"""Index emails.\n\nHow the tables differed from their declarations:\n\ntable users\n  1. ')
    assert text.endswith(
        '''"""

from dynamorm_async import GSI, Table
from dynamorm_async.migrations import Context

users = Table(
    "users",
    partition_key="pk",
    indexes=[GSI("by_age", "age"), GSI("by_email", "email", "pk")],
)


async def upgrade(context: Context) -> None:
    """Make the tables as they are declared above; what is so already is left as it is."""
    await context.apply(users, allow=("delete_index",))
'''
    )
    assert "dev-" not in text


@pytest.mark.parametrize("plan", [None, Plan(tables=())])
def test_without_a_difference_it_is_empty(plan: Plan | None) -> None:
    """A file to be filled, which does nothing as it stands, and cannot be reverted as long as nobody says how."""
    tree = ast.parse(source_of("fill names", plan))
    assert ast.get_docstring(tree) == "Fill names."
    (upgrade,) = [node for node in tree.body if isinstance(node, ast.AsyncFunctionDef)]
    assert (upgrade.name, len(upgrade.body)) == ("upgrade", 1)


def test_what_cannot_be_done_is_not_written(tmp_path: Path) -> None:
    """A table of another key is refused, with the way to a file of one's own, and no file is there."""
    live = created(Table("users", partition_key="pk"), "users")
    plan = plan_table(Table("users", partition_key="other"), "users", live, frozenset())
    with pytest.raises(PlanRefused) as caught:
        write_next(tmp_path, 1, "change the key", Plan(tables=(plan,)))
    assert "new(name, models=())" in caught.value.__notes__[0]
    assert list(tmp_path.iterdir()) == []


def test_text_cannot_leave_its_docstring() -> None:
    """Quotes and backslashes of a name do no harm."""
    text = source_of('Say """hello""" \\', None)
    assert ast.get_docstring(ast.parse(text)) == "Say '''hello''' /."


@pytest.mark.parametrize(
    ("tables", "variables"),
    [
        (["a-b", "a_b", "a.b"], "a_b, a_b_2, a_b_3"),
        (["class", "1st", "context", "Table"], "table_class, table_1st, table_context, table"),
    ],
)
def test_each_table_has_a_name_of_its_own(tables: list[str], variables: str) -> None:
    """No keyword, no name of the file's own, and no two the same."""
    text = source_of(
        "x", creating(*(Table(name if len(name) > 2 else f"{name}--", partition_key="pk") for name in tables))
    )
    assert f"await context.apply({variables})" in text


def test_no_file_is_overwritten(tmp_path: Path) -> None:
    """One that somebody else made in the same moment stays."""
    write_next(tmp_path, 1, "same", None)
    with pytest.raises(FileExistsError):
        write_next(tmp_path, 1, "same", None)


@pytest.mark.parametrize(
    ("name", "part"), [("Add e-mail index!", "add_e_mail_index"), ("  x  ", "x"), ("Über 2", "ber_2")]
)
def test_a_name_becomes_a_file(name: str, part: str) -> None:
    """Words of a-z and digits."""
    assert slug(name) == part


@pytest.mark.parametrize("name", ["", "!!!", "名前", "long " * 30])
def test_no_name_is_refused(tmp_path: Path, name: str) -> None:
    """A name that no file can have is refused before anything is written."""
    with pytest.raises(UsageError):
        write_next(tmp_path, 1, name, None)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ((), "()"),
        (("a",), '("a",)'),
        ([1, None, True, 2.5], "[1, None, True, 2.5]"),
        ({"a": {"b": []}}, '{"a": {"b": []}}'),
        ('a "quoted" one', "'a \"quoted\" one'"),
        ("both \" and '", '"both \\" and \'"'),
        (["x" * 50, "y" * 50], f'[\n    "{"x" * 50}",\n    "{"y" * 50}",\n]'),
    ],
)
def test_literals(value: object, text: str) -> None:
    """Each kind of value is written so that it reads back the same."""
    assert rendered(literal(value, set())) == text
    assert ast.literal_eval(text) == value


def test_what_is_no_literal_is_refused() -> None:
    """Rather than to write what cannot be read back."""
    with pytest.raises(TypeError, match="cannot be written as source"):
        literal(object(), set())
