"""Telling the meters of a database which of the items that it read had to be upcast."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

from dynamorm_async.codec.page import PageContent
from dynamorm_async.database.source import Fetch
from dynamorm_async.model.spec import ModelSpec
from dynamorm_async.types import Request

S = TypeVar("S")
R = TypeVar("R")

Note: TypeAlias = Callable[[object], None]
"""Takes what was read: an instance, or anything else, which is passed over."""


def no_note(_read: object) -> None:
    """Where nobody counts."""


def noting(spec: ModelSpec[Any], make: Callable[[S], R], note: Note) -> Callable[[S], R]:
    """The same maker of results, which notes each; itself where the model has no schema version."""
    if spec.schema is None:
        return make

    def made(source: S) -> R:
        result = make(source)
        note(result)
        return result

    return made


def noting_pages(spec: ModelSpec[Any], fetch: Fetch[R], note: Note) -> Fetch[R]:
    """The same fetching of pages, which notes each row; itself where the model has no schema version."""
    if spec.schema is None:
        return fetch

    async def fetched(request: Request) -> PageContent[R]:
        page = await fetch(request)
        for row in page.items:
            note(row)
        return page

    return fetched
