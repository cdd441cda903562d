"""Codec, expressions, model and plan are pure: arguments in, values out."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent / "dynamorm_async"
LAYERS = ("codec", "expressions", "model", "plan")
MODULES = sorted(path for layer in LAYERS for path in (ROOT / layer).rglob("*.py"))
FORBIDDEN = frozenset(
    {"aiobotocore", "aiohttp", "anyio", "asyncio", "boto3", "botocore", "httptools", "http", "selectors", "socket"}
    | {"ssl", "subprocess", "threading", "urllib"}
)
AWAITING = (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)


def impurities(source: str) -> list[str]:
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, AWAITING) or (isinstance(node, ast.comprehension) and node.is_async):
            found.append(type(node).__name__)
        elif isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.split(".")[0] in FORBIDDEN]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            sleeps = node.module == "time" and any(alias.name == "sleep" for alias in node.names)
            found += [node.module] if sleeps or node.module.split(".")[0] in FORBIDDEN else []
        elif isinstance(node, ast.Attribute) and ast.unparse(node) == "time.sleep":
            found.append("time.sleep")
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_core_neither_waits_nor_talks(path: Path) -> None:
    """No coroutine, no event loop, no socket and no SDK below the database layer."""
    assert impurities(path.read_text()) == []


@pytest.mark.parametrize(
    "source",
    [
        "async def read(): ...",
        "def outer():\n    import asyncio",
        "from botocore.exceptions import ClientError",
        "import aiohttp.web as web",
        "from time import sleep",
        "import time\ntime.sleep(1)",
        "if TYPE_CHECKING:\n    from anyio import Event",
    ],
)
def test_an_impurity_is_found(source: str) -> None:
    """The check itself sees every forbidden form."""
    assert len(impurities(source)) == 1


def test_the_plain_clock_is_allowed() -> None:
    """Lifecycle attributes read the time; only sleeping is refused."""
    assert impurities("import time\nnow = time.time()\nfrom datetime import UTC, datetime") == []
