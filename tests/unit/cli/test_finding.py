"""What ``module:attribute`` names."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import pytest

from dynamorm_async import Table
from dynamorm_async.cli.finding import Function, Model, Models, Reference, import_from_here, only_target
from dynamorm_async.model.spec import spec_of

SHOP = """
from dynamorm_async import GSI, Attr, Table, model, partition_key

empty = Table("empty", partition_key="pk")
shared = Table("shared", partition_key="pk", discriminator="type")


@model(shared, type="user", pk="USER#{name}")
class User:
    name: Attr[str]


@model(table="orders")
class Order:
    number: Attr[str] = partition_key()


both = [User, [Order]]
number = 3


class Names:
    order = Order


def change(order):
    return order
"""
PACKAGE = "from collections import OrderedDict\nfrom {name}_shop import User as Stranger\nfrom {name}_pack.inner import Thing\n"
INNER = """
from dynamorm_async import Attr, model, partition_key


@model(table="things")
class Thing:
    number: Attr[str] = partition_key()
"""


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The beginning of the names of some modules."""
    folder = tmp_path_factory.mktemp("modules")
    name = "found"
    (folder / f"{name}_shop.py").write_text(SHOP)
    (folder / f"{name}_pack").mkdir()
    (folder / f"{name}_pack" / "__init__.py").write_text(PACKAGE.format(name=name))
    (folder / f"{name}_pack" / "inner.py").write_text(INNER)
    (folder / f"{name}_broken.py").write_text("import json\nraise RuntimeError('no settings')\n")
    (folder / f"{name}_needy.py").write_text("import there_is_no_such_module\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(folder), *sys.path])
        yield name
    for loaded in [module for module in sys.modules if module.startswith(f"{name}_")]:
        del sys.modules[loaded]


def names(found: Sequence[type | Table]) -> list[str]:
    return [one.name if isinstance(one, Table) else one.__name__ for one in found]


@pytest.mark.parametrize(
    ("reference", "wanted"),
    [
        ("shop:User", ["User"]),
        ("shop:shared", ["shared"]),
        ("shop:both", ["User", "Order"]),
        ("shop:Names.order", ["Order"]),
        ("shop", ["User", "Order", "empty"]),
        ("pack", ["Thing"]),
    ],
)
def test_models_are_found(modules: str, reference: str, wanted: list[str]) -> None:
    """A model, a table, a list, a path of attributes; of a module its own models, and tables that none of them lives in."""
    assert names(Models().convert(f"{modules}_{reference}", None, None)) == wanted


@pytest.mark.parametrize(
    ("kind", "reference", "said"),
    [
        (Models, "shop:Usr", "has no 'Usr'; its models are empty, shared, User, Order"),
        (Models, "shop:number", "is the int, which is no model, no Table and no list of them"),
        (Models, "shop:change", "is the function change, which is no model"),
        (Models, "shop:Names", "is the class Names, which is no model"),
        (Models, "gone", "there is no module 'found_gone'"),
        (Models, "gone.inner", "there is no module 'found_gone'"),
        (Models, "shop.py", "is no name of a module: write found_shop"),
        (Models, "my shop", "is no name of a module"),
        (Model, "shop", "one model is wanted, and the module found_shop has found_shop:User, found_shop:Order"),
        (Model, "shop:shared", "is the Table, and a model is wanted"),
        (Function, "shop:number", "is no function but the int"),
    ],
)
def test_what_is_not_found_is_refused(modules: str, kind: type[Reference], reference: str, said: str) -> None:
    """The refusal says what was found instead, and where the right one may be."""
    with pytest.raises(click.BadParameter) as caught:
        kind().convert(f"{modules}_{reference}", None, None)
    assert said in caught.value.format_message()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("broken", "RuntimeError: no settings"),
        ("needy", "ModuleNotFoundError: No module named 'there_is_no_such_module'"),
    ],
)
def test_a_module_that_fails_is_told(modules: str, name: str, said: str) -> None:
    """An error of the user's own module is not taken for a wrong name."""
    with pytest.raises(click.ClickException, match=f"cannot be imported: {said}") as caught:
        Models().convert(f"{modules}_{name}", None, None)
    assert not isinstance(caught.value, click.UsageError)


def test_a_model_and_a_function_are_found(modules: str) -> None:
    """One model by its name or as the only one of its module; a function by its name."""
    assert spec_of(Model().convert(f"{modules}_shop:Order", None, None)).name == "Order"
    assert spec_of(Model().convert(f"{modules}_pack", None, None)).name == "Thing"
    assert Function().convert(f"{modules}_shop:change", None, None).__name__ == "change"


def test_one_target_is_wanted() -> None:
    """A command for one model refuses several."""
    assert only_target([int]) is int
    with pytest.raises(click.UsageError, match="one model or table is wanted"):
        only_target([int, str])


def test_the_current_folder_is_importable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder goes to the front of the path, once."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["elsewhere"])
    import_from_here()
    import_from_here()
    assert sys.path == [str(tmp_path), "elsewhere"]
