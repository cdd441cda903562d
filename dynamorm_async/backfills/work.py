"""What is done with each item of a table, and whose fault it is where it cannot be done."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar, final

import msgspec

from dynamorm_async import (
    ConfigurationError,
    DatabaseClosed,
    DecodeError,
    ItemCollectionTooLarge,
    NotUnique,
    UsageError,
    ValidationFailed,
)
from dynamorm_async.backfills.reading import Found

M = TypeVar("M")


@final
class Done(msgspec.Struct, frozen=True):
    """What became of an item.

    Attributes:
        changed: whether it was written.
        conflicts: how many writes were made again, since somebody else had written it in between.
    """

    changed: bool
    conflicts: int = 0


class Work(Protocol):
    """What is done with each item."""

    async def __call__(self, found: Found[Any], /) -> Done:
        """Do it, under conditions that let other writers win.

        Raises:
            Poisonous: the item is to blame.
            Exception: all else, which ends the run.
        """
        ...


class Poisonous(Exception):
    """An item could not be worked on; ``error`` is why."""

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error = error


def instance_of(found: Found[M]) -> M:
    """The instance that was read.

    Raises:
        Poisonous: the item does not fit the model.
    """
    try:
        return found.instance()
    except DecodeError as misfit:
        raise Poisonous(misfit) from misfit


async def called(function: Callable[[M], object], item: M) -> object:
    """What a function of the caller's gives, or what its awaitable does.

    Raises:
        Poisonous: it raised.
    """
    try:
        result = function(item)
        return await result if inspect.isawaitable(result) else result
    except Exception as error:
        raise Poisonous(error) from error


@contextmanager
def poisoning() -> Generator[None, None, None]:
    """Blame the item for what the library or DynamoDB refuses to store.

    Raises:
        Poisonous: it was refused.
    """
    try:
        yield
    except (ConfigurationError, DatabaseClosed):
        raise
    except (UsageError, DecodeError, NotUnique, ValidationFailed, ItemCollectionTooLarge) as error:
        raise Poisonous(error) from error
