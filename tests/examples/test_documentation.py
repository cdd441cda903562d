"""What the documentation shows works: its code blocks and the examples are run."""

from __future__ import annotations

import ast
import inspect
import os
import re
import subprocess
import sys
import types
from pathlib import Path

import pytest

from tests.engines import call

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


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
    for table in (
        "users",
        "prices",
        "orders",
        "members",
    ):  # the engine is shared by the whole run; there may be none of them
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


def test_the_readme_program_runs(environment: dict[str, str]) -> None:
    """The program on the front page does what it says, copied as it stands, twice in a row."""
    (program,) = blocks("README.md")
    for _ in range(2):
        assert run(program, environment).splitlines() == ["37 {'admin'} 2", "ada@example.com"]


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


@pytest.mark.anyio
@pytest.mark.parametrize("page", ["guide", "reading"])
async def test_a_page_of_the_documentation_runs(
    page: str, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every block of a page runs, in order, in one program."""
    assert environment
    program = types.ModuleType(page)
    monkeypatch.setitem(sys.modules, page, program)
    for number, block in enumerate(blocks(f"docs/{page}.md"), 1):
        code = compile(block, f"docs/{page}.md, block {number}", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        done = types.FunctionType(code, vars(program))()
        if inspect.iscoroutine(done):
            await done
