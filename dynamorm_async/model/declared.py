"""What a class declares: its attributes by role, and what stands beside them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

import attrs

from dynamorm_async.codec.layout import Layout, Member, options_of

D = TypeVar("D")


def declarations(cls: type, kind: type[D]) -> Iterator[D]:
    """What is declared on the class and its bases beside the attributes: indexes, unique constraints."""
    seen: set[str] = set()
    for base in cls.__mro__:
        for name, value in vars(base).items():
            if isinstance(value, kind) and name not in seen:
                seen.add(name)
                yield value


def members_by_role(layout: Layout) -> Iterator[tuple[str, Member]]:
    """Each attribute with its role, in order."""
    for field in attrs.fields(layout.cls):
        member = layout.member(field.name)
        if member is not None:
            yield options_of(field).role, member
