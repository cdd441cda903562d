"""The files of migrations: which there are, in which order, and whether they can be run. Nothing of them is executed here."""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final, final

import msgspec

from dynamorm_async import MigrationInvalid

LONGEST_NAME: Final = 100
"""Characters of a file's name at most: it is part of names that DynamoDB stores."""

_NAME: Final = re.compile(r"(?P<number>\d{4})_[a-z0-9][a-z0-9_]*\Z")


@final
class MigrationFile(msgspec.Struct, frozen=True, kw_only=True):
    """One migration as it stands in its file.

    Attributes:
        number: its place in the order, from 1.
        name: the file's name without ``.py``, such as ``0002_add_email_index``.
        path: where the file is.
        text: what was read, and will be run.
        checksum: the SHA-256 of the text, apart from line ends and blanks at the ends of lines.
        description: the first line of its docstring; empty where it has none.
        has_downgrade: whether it can be reverted.
    """

    number: int
    name: str
    path: Path
    text: str
    checksum: str
    description: str
    has_downgrade: bool


def read_folder(folder: Path) -> tuple[MigrationFile, ...]:
    """The migrations of a folder, by their numbers. Files that begin with ``_`` or ``.`` are no migrations.

    Raises:
        MigrationInvalid: there is no such folder; a file's name is not like ``0001_name.py``; a number is there twice, or one
            is left out; a file is no Python, or has no ``async def upgrade(context)``.
    """
    if not folder.is_dir():
        raise MigrationInvalid(
            [f"there is no folder {folder}: Migrations(db, folder).new(name) makes it with its first file"]
        )
    wrong: list[str] = []
    files: list[MigrationFile] = []
    for path in sorted(folder.glob("*.py")):
        if path.name.startswith(("_", ".")):  # an editor's, or the system's
            continue
        try:
            files.append(read_file(path))
        except MigrationInvalid as error:
            wrong.extend(error.reasons)
    files.sort(key=lambda file: (file.number, file.name))
    wrong.extend(_wrong_order(files))
    if wrong:
        raise MigrationInvalid(wrong)
    return tuple(files)


def read_file(path: Path) -> MigrationFile:
    """One file.

    Raises:
        MigrationInvalid: as of :func:`read_folder`.
    """
    found = _NAME.match(path.stem)
    if found is None or int(found["number"]) == 0 or len(path.stem) > LONGEST_NAME:
        reason = (
            f"{path.name}: the name of a migration is like 0001_add_email_index.py: four digits, from 0001, and words of "
            f"a-z, 0-9 and _, {LONGEST_NAME} characters at most. What begins with _ is no migration"
        )
        raise MigrationInvalid([reason])
    try:
        text = path.read_text(encoding="utf-8-sig")
        tree = ast.parse(text, str(path))
    except (SyntaxError, ValueError) as error:  # of bytes that are no UTF-8, a ValueError
        raise MigrationInvalid([f"{path.name} is no Python: {error}"]) from error
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    wrong = list(_wrong_functions(path.name, functions))
    if wrong:
        raise MigrationInvalid(wrong)
    return MigrationFile(
        number=int(found["number"]),
        name=path.stem,
        path=path,
        text=text,
        checksum=checksum_of(text),
        description=next(iter((ast.get_docstring(tree) or "").splitlines()), "").strip(),
        has_downgrade="downgrade" in functions,
    )


def checksum_of(text: str) -> str:
    """What tells whether a file was changed: not by line ends, nor by blanks at the ends of lines or of the file."""
    lines = [line.rstrip() for line in text.rstrip().splitlines()]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _wrong_functions(name: str, functions: dict[str, ast.FunctionDef | ast.AsyncFunctionDef]) -> Iterator[str]:
    if "upgrade" not in functions:
        yield f"{name} has no upgrade: write `async def upgrade(context: Context) -> None:` at its top level"
    for function in (functions[which] for which in ("upgrade", "downgrade") if which in functions):
        given = function.args
        is_one = len(given.posonlyargs) + len(given.args) == 1 and not given.kwonlyargs
        if not isinstance(function, ast.AsyncFunctionDef) or not is_one:
            yield (
                f"{name}, line {function.lineno}: write `async def {function.name}(context: Context) -> None:`: it is awaited, "
                "and gets the context alone"
            )


def _wrong_order(files: Sequence[MigrationFile]) -> Iterator[str]:
    for before, after in pairwise(files):
        if after.number == before.number:
            yield f"{before.name} and {after.name} have the same number: give the one that was not applied yet the next one"
        elif after.number > before.number + 1:
            left_out = f"{before.number + 1:04}"
            yield f"{after.name} comes after {before.name}, and {left_out} is missing: restore that file, or number them anew"
