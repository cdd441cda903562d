"""Imports point left only."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = "dynamorm_async"
ROOT = Path(__file__).parent.parent.parent / PACKAGE
BASE = frozenset({"errors", "types"})
CORE = BASE | {"codec", "expressions", "model", "plan"}

# A layer and what it may import besides itself; "" is the package's root, the public names.
ALLOWED: dict[str, frozenset[str]] = {
    "errors": frozenset(),
    "types": frozenset(),
    "codec": BASE,
    "expressions": BASE,
    "model": BASE | {"codec", "expressions"},
    "plan": BASE | {"codec", "expressions", "model"},
    "transport": BASE,
    "database": CORE | {"transport"},
    "leases": CORE | {""},
    "transfer": CORE | {""},
    "testing": frozenset({""}),
    "cli": CORE | {"", "schema", "leases", "backfills", "migrations", "transfer"},
    "__main__": frozenset({"cli"}),
    "backfills": CORE | {"", "leases"},
    "schema": CORE | {"", "leases", "backfills"},
    "migrations": CORE | {"", "leases", "backfills", "schema"},
    "debugging": BASE | {"codec", "model"},
    "": CORE | {"transport", "database"},
}

MODULES = sorted(ROOT.rglob("*.py"))


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT.parent).with_suffix("").parts)


def layer_of(module: str) -> str:
    """The layer of a dotted name below the package; the root's own names belong to the root."""
    part = module.split(".")[1] if "." in module else "__init__"
    is_module = part in ALLOWED or (ROOT / part).exists() or (ROOT / f"{part}.py").exists()
    return part if is_module and part != "__init__" else ""


def imported(tree: ast.AST, module: str) -> Iterator[str]:
    """Every module of the package that a module imports, at its top, in a function or for types only."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parent = ".".join(module.split(".")[: -node.level]) if node.level else ""
            source = ".".join(filter(None, (parent, node.module)))
            # `from package import layer` and `from package import PublicName` look the same: the name decides.
            yield from (f"{source}.{alias.name}" for alias in node.names)


def violations(source: str, module: str) -> list[str]:
    layer = layer_of(module)
    if layer not in ALLOWED:
        return [f"{module}: the layer {layer!r} is not in ALLOWED; add it with what it may import"]
    names = (name for name in imported(ast.parse(source), module) if name.split(".")[0] == PACKAGE)
    return [f"{module} imports {name}" for name in names if layer_of(name) not in ALLOWED[layer] | {layer}]


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_point_left_only(path: Path) -> None:
    """Each module imports its own layer and the layers to its left, type-only and local imports included."""
    assert violations(path.read_text(), name_of(path)) == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("errors", "import dynamorm_async.types"),
        ("codec.encode", "from dynamorm_async.expressions import Path"),
        ("expressions.nodes", "from dynamorm_async import codec"),
        ("model.meta", "def late():\n    from dynamorm_async.plan import reads"),
        ("plan.reads", "if TYPE_CHECKING:\n    from dynamorm_async.transport.base import Lane"),
        ("plan.reads", "from ..database import Database"),
        ("transport.pool", "from dynamorm_async.model import model"),
        ("transport.pool", "from dynamorm_async import Database"),
        ("transport.pool", "import dynamorm_async"),
        ("database.tables", "from dynamorm_async.testing import MotoServer"),
        ("testing.plugin", "from dynamorm_async.database import Database"),
        ("__init__", "from .testing import MotoServer"),
    ],
)
def test_a_wrong_import_is_found(module: str, source: str) -> None:
    """The check itself sees every form of import."""
    assert len(violations(source, f"{PACKAGE}.{module}")) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("codec.encode", "from . import shapes\nfrom ..types import Request\nimport decimal"),
        ("plan.reads", "from dynamorm_async.model.meta import Meta\nfrom dynamorm_async import errors"),
        ("testing.plugin", "from dynamorm_async import Database\nfrom dynamorm_async.testing import MotoServer"),
        ("__init__", "from dynamorm_async.database import Database\nfrom .errors import UsageError"),
    ],
)
def test_a_right_import_passes(module: str, source: str) -> None:
    """The check refuses nothing that the layers allow."""
    assert violations(source, f"{PACKAGE}.{module}") == []
