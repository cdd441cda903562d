"""The options that all looks at data have."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, final

import click
import msgspec

from dynamorm_async import Query, Scan
from dynamorm_async.cli.conditions import where_option

Q = TypeVar("Q", Query[Any], Scan[Any])  # of a model that the command line names


@final
class ReadOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How a look at data is narrowed.

    Attributes:
        where: the conditions, as they were typed.
        index: the index to read; ``None`` leaves the choice to the planner.
        limit: how many items are shown at most.
        all_items: whether all are shown, whatever the limit.
        consistent: whether reads are strongly consistent.
        with_hidden: whether soft-deleted and expired items are shown.
        hydrate: whether whole items are shown, also through an index that does not hold them.
    """

    where: Sequence[str]
    index: str | None
    limit: int
    all_items: bool
    consistent: bool
    with_hidden: bool
    hydrate: bool

    def narrowed(self, reader: Q) -> Q:
        """A query or scan with these options, but without conditions and limit."""
        reader = reader if self.index is None else reader.using(self.index)
        reader = reader.consistent() if self.consistent else reader
        reader = reader.with_hidden() if self.with_hidden else reader
        return reader.hydrate() if self.hydrate else reader


_OPTIONS = (
    where_option,
    click.option("--index", metavar="NAME", help="Read this index, rather than what the planner chooses."),
    click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="Items at most."),
    click.option("--all", "all_items", is_flag=True, help="All items, whatever the limit."),
    click.option("--consistent", is_flag=True, help="Strongly consistent reads: twice the capacity."),
    click.option("--with-hidden", is_flag=True, help="Soft-deleted and expired items, too."),
    click.option("--hydrate", is_flag=True, help="Whole items, also through an index that does not hold them."),
)


def read_options(function: Callable[..., None]) -> Callable[..., None]:
    """The options of :class:`ReadOptions`; the function gets them as ``options``."""

    @functools.wraps(function)
    def with_options(**given: Any) -> None:  # Any: as click parsed the options
        names = ReadOptions.__struct_fields__
        function(options=ReadOptions(**{name: given.pop(name) for name in names}), **given)

    for option in reversed(_OPTIONS):
        with_options = option(with_options)
    return with_options
