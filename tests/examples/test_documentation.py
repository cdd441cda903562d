"""What the documentation shows works: its code blocks and the examples are run."""

from __future__ import annotations

import ast
import inspect
import os
import re
import runpy
import subprocess
import sys
import types
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from dynamorm_async import BatchProgress, Database
from tests.engines import call

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    str(path.relative_to(ROOT / "docs").with_suffix(""))
    for path in (ROOT / "docs").rglob("*.md")
    if "decisions" not in path.parts and path.stem not in {"design", "performance"}
)
# What the pages and examples make. The engine is shared by the whole run, so it may have some of them, or none.
TABLES = (
    "accounts",
    "accounts-unique",
    "arena",
    "fleet",
    "games",
    "customers",
    "dynamorm",
    "members",
    "orders",
    "papers",
    "patients",
    "people",
    "prices",
    "readings",
    "reports",
    "sensors",
    "sessions",
    "shop",
    "shop-customers",
    "shop-customers-unique",
    "shop-orders",
    "shop-stock",
    "shop-unique",
    "transfers",
    "users",
    "visitor-counts",
    "visitors",
    "dynamorm",
    "seats",
    "seats-before-holders",
    "shows",
    "tickets",
    "wares",
)
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
VECTOR_BLOCK = re.compile(r"^```py\n(.*?)^```$", re.DOTALL | re.MULTILINE)  # of what the embedded engine has not


LINKING = ["README.md", *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)")
CODE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def blocks(name: str) -> list[str]:
    found = BLOCK.findall((ROOT / name).read_text())
    assert found, f"{name} has no code blocks"
    return found


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, moto_endpoint: str) -> dict[str, str]:
    """A machine set up for AWS, where AWS is the embedded engine."""
    settings = {
        "AWS_ENDPOINT_URL_DYNAMODB": moto_endpoint,
        "AWS_ACCESS_KEY_ID": "documentation",
        "AWS_SECRET_ACCESS_KEY": "documentation",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    for table in TABLES:
        call(moto_endpoint, "DeleteTable", {"TableName": table}, region="eu-west-1")
    return {**os.environ, **settings, "PYTHONWARNINGS": "error"}


def run(program: str, environment: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=environment,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


async def run_block(name: str, block: str, variables: dict[str, Any]) -> None:
    code = compile(block, name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    done = types.FunctionType(code, variables)()
    if inspect.iscoroutine(done):
        await done


def test_the_readme_program_runs(environment: dict[str, str]) -> None:
    """The program on the front page does what it says, copied as it stands, twice in a row."""
    program = blocks("README.md")[0]
    for _ in range(2):
        assert run(program, environment).splitlines() == ["37 {'admin'} 2", "ada@example.com"]


@pytest.mark.anyio
async def test_the_readme_shows_writing(environment: dict[str, str]) -> None:
    """The second block of the front page works on the models of the example that it names."""
    assert environment
    payments: dict[str, Any] = runpy.run_path(str(ROOT / "examples" / "payments.py"))
    account, transfer = payments["Account"], payments["Transfer"]
    told: list[int] = []

    async def show(progress: BatchProgress) -> None:
        told.append(progress.written)

    async with Database(region="eu-west-1") as db:
        await db.tables.ensure(account, transfer)
        for name in ("ada", "bob"):
            await db.create(account(account_id=name, email=f"{name}@example.com", balance=Decimal(10)))
        given: dict[str, Any] = {  # what a module holds
            **payments,
            "db": db,
            "request_id": "r1",
            "received": datetime.now(UTC),
            "amount": Decimal(3),
            "transfers": [transfer(source="ada", transfer_id="r0", target="bob", amount=Decimal(1))],
            "show": show,
        }
        await run_block("README.md", blocks("README.md")[1], given)
    assert (given["ada"].balance, given["bob"].balance, given["report"].written, told) == (7, 13, 1, [1])


@pytest.mark.anyio
async def test_the_readme_shows_single_table_design(environment: dict[str, str]) -> None:
    """The third block of the front page works on the table and the customers of the example that it names."""
    assert environment
    given: dict[str, Any] = runpy.run_path(str(ROOT / "examples" / "shop.py"))
    async with Database(region="eu-west-1") as db:
        await db.tables.ensure(given["Customer"])
        ada = await given["sign_up"](db, "ada", email="ada@example.com", name="Ada")
        given["db"] = db
        await run_block("README.md", blocks("README.md")[2], given)
    order = given["order"]
    assert given["last"] == given["waiting"] == [order]
    assert given["page"][given["Customer"]] == [ada]
    assert [(found.order_id, found.status.value) for found in given["page"][given["Order"]]] == [("o7", "shipped")]


def test_the_quickstart_runs(environment: dict[str, str]) -> None:
    """`make demo` ends well and shows each step of the main job."""
    output = run((ROOT / "examples" / "quickstart.py").read_text(), environment)
    for step in (
        "table",
        "created",
        "refused",
        "read",
        "updated",
        "nested",
        "query",
        "by email",
        "conflict",
        "deleted",
    ):
        assert re.search(rf"^{step} ", output, re.MULTILINE), output


def test_the_page_example_runs(environment: dict[str, str]) -> None:
    """Pages are whole and in order, and each wrong cursor is refused."""
    output = run((ROOT / "examples" / "pages.py").read_text(), environment)
    assert re.findall(r"^page +(.*)$", output, re.MULTILINE) == ["u01 u05 u07 u11", "u13 u17 u19"]
    for wrong in ("foreign", "edited", "rubbish"):
        assert re.search(rf"^{wrong} +400 ", output, re.MULTILINE), output


def test_the_payments_example_runs(environment: dict[str, str]) -> None:
    """A repeated transfer moves nothing twice, a wrong one moves nothing, and all that is imported is there."""
    output = run((ROOT / "examples" / "payments.py").read_text(), environment)
    steps = [line.split(maxsplit=1) for line in output.splitlines()]
    assert [what for step, what in steps if step in ("moved", "again", "together")] == [
        "ada 69.50, bob 50.50",
        "ada 69.50, bob 50.50",
        "ada 59.50, bob 60.50",
    ]
    assert [what for step, what in steps if step == "refused"] == [
        "email taken by Key(Account, 'bob')",
        "this request was made before, and asked for something else",
        "account bob has 50.50",
        "there is no such account",
    ]
    assert [what for step, what in steps if step in ("imported", "report", "total")] == [
        "312",
        "1999-12: nothing",
        "2001-12: 2001",
        "2025-12: 2025",
        "627900",
    ]


def test_the_shop_example_runs(environment: dict[str, str]) -> None:
    """Orders are placed as a whole or refused with the reason, and each question has its answer."""
    output = run((ROOT / "examples" / "shop.py").read_text(), environment)
    assert [line.split(maxsplit=1) for line in output.splitlines()] == [
        ["customer", "Ada, ada@example.com"],
        ["refused", "email taken by Key(Customer, 'ada')"],
        ["placed", "o0 of 30 January: 3.00"],
        ["placed", "o1 of 31 January: 135.00"],
        ["refused", "only 0 of desk left"],
        ["refused", "we have no ink"],
        ["page", "Ada; o1, o0; Paris, London"],
        ["last", "o1"],
        ["january", "o0, o1"],
        ["order", "o1: 1 desk, 10 pen"],
        ["open", "o0; shipped: o1"],
        ["delivered", "none is under way"],
        ["refused", "order o1 is delivered"],
    ]


def anchors(text: str) -> set[str]:
    """What a link can name after its #: the headings, as GitHub writes them."""
    words = (re.sub(r"[^\w\- ]", "", heading).lower() for heading in HEADING.findall(CODE.sub("", text)))
    return {word.replace(" ", "-") for word in words}


@pytest.mark.parametrize("page", LINKING)
def test_links_lead_somewhere(page: str) -> None:
    """Every link within the project names a file that is there, and a heading of it."""
    text = (ROOT / page).read_text()
    for name, anchor in LINK.findall(text):
        target = (ROOT / page).parent / name if name else ROOT / page
        assert target.exists(), f"{page} links to {name}"
        if anchor:
            assert anchor in anchors(target.read_text()), f"{page} links to {name}#{anchor}"


@pytest.mark.anyio
@pytest.mark.parametrize("page", PAGES)
async def test_a_page_of_the_documentation_runs(
    page: str, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every block of a page runs, in order, in one program."""
    assert environment
    program = types.ModuleType(page)
    monkeypatch.setitem(sys.modules, page, program)
    for number, block in enumerate(blocks(f"docs/{page}.md"), 1):
        await run_block(f"docs/{page}.md, block {number}", block, vars(program))


@pytest.mark.anyio
async def test_vector_search_runs_as_shown(
    dynoxide_endpoint: str, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The blocks on vector indexes run on the engine that has them."""
    assert environment
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", dynoxide_endpoint)
    call(dynoxide_endpoint, "DeleteTable", {"TableName": "essays"}, region="eu-west-1")
    program = types.ModuleType("vectors")
    monkeypatch.setitem(sys.modules, "vectors", program)
    found = VECTOR_BLOCK.findall((ROOT / "docs" / "indexes.md").read_text())
    assert len(found) == 3
    for number, block in enumerate(found, 1):
        await run_block(f"docs/indexes.md, vector block {number}", block, vars(program))
