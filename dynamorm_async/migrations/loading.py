"""Files of migrations become modules, each on its own, without any change of ``sys.path``."""

from __future__ import annotations

import hashlib
import linecache
import sys
from collections.abc import Awaitable, Callable, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Final, TypeAlias, cast, final

import msgspec

from dynamorm_async import MigrationRefused
from dynamorm_async.migrations.files import MigrationFile

if TYPE_CHECKING:
    from dynamorm_async.migrations.context import Context

Change: TypeAlias = "Callable[[Context], Awaitable[object]]"
"""``upgrade`` or ``downgrade``."""

_PREFIX: Final = "dynamorm_migration"


@final
class Script(msgspec.Struct, frozen=True, kw_only=True):
    """A migration that can be run.

    Attributes:
        file: where it is from.
        upgrade: applies it.
        downgrade: reverts it; ``None`` where it cannot be.
    """

    file: MigrationFile
    upgrade: Change
    downgrade: Change | None


def load_all(files: Sequence[MigrationFile]) -> dict[int, Script]:
    """The files as scripts, by their numbers. Their top level is executed.

    Raises:
        MigrationRefused: files raised; all of them are named.
    """
    scripts: dict[int, Script] = {}
    failures: list[tuple[MigrationFile, Exception]] = []
    for file in files:
        try:
            scripts[file.number] = _load(file)
        except Exception as error:  # noqa: BLE001 - whatever a file raises, it cannot be run
            failures.append((file, error))
    if failures:
        reasons = [f"{file.name} cannot be loaded: {type(error).__name__}: {error}" for file, error in failures]
        raise MigrationRefused(reasons) from failures[0][1]
    return scripts


def module_name(file: MigrationFile) -> str:
    """The name of a file's module: another one for each folder, so that no two are mistaken for each other."""
    folder = hashlib.sha256(str(file.path.resolve().parent).encode()).hexdigest()[:8]
    return f"{_PREFIX}_{folder}_{file.name}"


def _load(file: MigrationFile) -> Script:
    module = ModuleType(module_name(file))
    module.__file__ = str(file.path)
    # The very text that the checksum is of, not what a cache or the file has meanwhile.
    code = compile(file.text, str(file.path), "exec", dont_inherit=True)
    linecache.checkcache(str(file.path))
    # Models that it declares are resolved by the name of their module, also later.
    before = sys.modules.get(module.__name__)
    sys.modules[module.__name__] = module
    try:
        exec(code, vars(module))  # noqa: S102 - to run the application's own file is what it is for
    except BaseException:
        if before is None:
            del sys.modules[module.__name__]
        else:
            sys.modules[module.__name__] = before
        raise
    # That both are async functions of one argument was read off the file.
    upgrade = cast("Change", vars(module)["upgrade"])
    return Script(file=file, upgrade=upgrade, downgrade=cast("Change | None", vars(module).get("downgrade")))
