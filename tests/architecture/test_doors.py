"""What is loaded when it is first used is not loaded with the package, and is found when it is asked for."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import dynamorm_async

ROOT = Path(__file__).parent.parent.parent
PACKAGE = ROOT / "dynamorm_async"
MARK = "# noqa: PLC0415 - loaded when first used"


def doors(source: str) -> Iterator[str]:
    """The modules of the package that marked imports inside functions load."""
    lines = source.splitlines()
    for function in ast.walk(ast.parse(source)):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.ImportFrom) and node.module and MARK in lines[node.lineno - 1]:
                yield node.module


def exported_later() -> dict[str, str]:
    """The public names that type checkers see imported and that the package loads when asked: name to module."""
    tree = ast.parse((PACKAGE / "__init__.py").read_text())
    blocks = [node for node in tree.body if isinstance(node, ast.If)]
    assert [ast.unparse(block.test) for block in blocks] == ["typing.TYPE_CHECKING"]
    imports = [node for node in blocks[0].body if isinstance(node, ast.ImportFrom)]
    return {alias.name: str(node.module) for node in imports for alias in node.names}


def fresh(code: str) -> set[str]:
    """The names of modules that a fresh interpreter prints as JSON."""
    done = subprocess.run(
        [sys.executable, "-c", f"import json, sys; {code}"],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(done.stdout))


def test_no_door_is_for_nothing() -> None:
    """``import dynamorm_async`` loads no module behind a door, and none of a public name that is loaded when asked for."""
    loaded = fresh("import dynamorm_async; print(json.dumps(sorted(sys.modules)))")
    behind = {module for path in PACKAGE.rglob("*.py") for module in doors(path.read_text())}
    assert len({module for module in behind if module.startswith("dynamorm_async.")}) > 20
    assert loaded & (behind | {*exported_later().values()}) == set()


def test_checkers_see_what_is_loaded() -> None:
    """Each name under TYPE_CHECKING is the very object that the package gives, and is a public name."""
    later = exported_later()
    assert set(later) <= {*dynamorm_async.__all__}
    assert set(later) == set(vars(dynamorm_async)["_LATER"])
    for name, module in later.items():
        assert getattr(dynamorm_async, name) is getattr(sys.modules[module], name)


def test_all_public_names_are_listed_before_they_are_loaded() -> None:
    """``dir()`` of the fresh package has every public name, as completion wants it; ``import *`` binds them."""
    assert {*dynamorm_async.__all__} <= fresh("import dynamorm_async; print(json.dumps(dir(dynamorm_async)))")
    assert {*dynamorm_async.__all__} <= fresh("from dynamorm_async import *; print(json.dumps(dir()))")


def test_a_name_that_there_is_not_is_refused() -> None:
    """A wrong name is an AttributeError of the package, as of any module."""
    with pytest.raises(AttributeError, match="module 'dynamorm_async' has no attribute 'Databse'"):
        _ = getattr(dynamorm_async, "Data" + "bse")


def test_a_door_is_seen() -> None:
    """The check itself sees a marked import in a function, and no other."""
    marked = f"async def late():\n    from a.b import c  {MARK}\n    from d import e\n"
    assert list(doors(f"from x import y\n\n{marked}")) == ["a.b"]
