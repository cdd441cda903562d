"""Files become modules of their own."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import Any, cast

import anyio
import pytest

from dynamorm_async import MigrationRefused
from dynamorm_async.migrations.context import Context
from dynamorm_async.migrations.files import read_folder
from dynamorm_async.migrations.loading import load_all, module_name
from tests.unit.migrations.making import write

pytestmark = pytest.mark.anyio

MODEL = '''
    """Declares a model."""
    from __future__ import annotations

    from dynamorm_async import Attr, Key, model, partition_key


    @model(table="loaded")
    class Loaded:
        key: Attr[str] = partition_key()


    async def upgrade(context):
        return str(Key(Loaded, "a"))
'''
NOBODY = cast("Context", None)


async def test_functions_are_there(tmp_path: Path) -> None:
    """A file is run as it was read, with models and annotations of its own, and without any change of the path."""
    write(tmp_path, "0001_a", MODEL)
    path = list(sys.path)
    files = read_folder(tmp_path)
    (tmp_path / "0001_a.py").write_text("raise SystemExit")
    script = load_all(files)[1]
    assert await script.upgrade(NOBODY) == "Key(Loaded, 'a')"
    assert script.downgrade is None
    assert sys.path == path
    assert [path async for path in anyio.Path(tmp_path).glob("**/*.pyc")] == []


async def test_two_folders_are_apart(tmp_path: Path) -> None:
    """Files of the same name in two folders are two modules, and a file that is loaded again is run again."""
    names: set[str] = set()
    for folder, value in (("one", 1), ("two", 2), ("one", 3)):
        place = tmp_path / folder
        place.mkdir(exist_ok=True)
        write(place, "0001_a", f"async def upgrade(context): return {value}\n")
        files = read_folder(place)
        names.add(module_name(files[0]))
        assert await load_all(files)[1].upgrade(NOBODY) == value
    assert len(names) == 2


def test_what_raises_is_refused(tmp_path: Path) -> None:
    """Every file that cannot be loaded is named with its error, and leaves no module behind."""
    write(tmp_path, "0001_a", "import nowhere.at_all\nasync def upgrade(context): ...\n")
    write(tmp_path, "0002_b", "1 / 0\nasync def upgrade(context): ...\n")
    write(tmp_path, "0003_c")
    files = read_folder(tmp_path)
    with pytest.raises(MigrationRefused) as caught:
        load_all(files)
    first, second = caught.value.reasons
    assert first.startswith("0001_a cannot be loaded: ModuleNotFoundError: No module named 'nowhere'")
    assert second == "0002_b cannot be loaded: ZeroDivisionError: division by zero"
    assert isinstance(caught.value.__cause__, ModuleNotFoundError)
    assert [module_name(file) in sys.modules for file in files] == [False, False, True]


async def test_tracebacks_show_the_file(tmp_path: Path) -> None:
    """An exception of a migration names the file and its line."""
    path = write(tmp_path, "0001_a", "\n\nasync def upgrade(context):\n    raise LookupError('gone')\n")
    script = load_all(read_folder(tmp_path))[1]
    upgrade: Any = script.upgrade
    with pytest.raises(LookupError) as caught:
        await upgrade(NOBODY)
    last = caught.traceback[-1]
    assert (last.path, last.lineno + 1, inspect.iscoroutinefunction(upgrade)) == (path, 4, True)
