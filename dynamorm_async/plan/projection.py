"""Which attributes a read asks for."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

from dynamorm_async.errors import UsageError
from dynamorm_async.expressions.attr import Attr
from dynamorm_async.expressions.conditions import Segments
from dynamorm_async.model.spec import ModelSpec


def check_selected(spec: ModelSpec[Any], attributes: Sequence[object]) -> None:
    """Refuse a selection that is none of the model's.

    Raises:
        UsageError: it is empty, or has an attribute of another model.
    """
    if not attributes:
        raise UsageError(
            f"select() without attributes: pass some, such as select({spec.name}.{next(iter(spec.attributes))})"
        )
    names = spec.python_names
    for attribute in attributes:
        root = attribute.segments[0] if isinstance(attribute, Attr) else None
        if root not in names:
            raise UsageError(f"select() takes attributes of {spec.name}, got {attribute!r}")


def projected_paths(selected: Iterable[Attr[Any]], key_names: Iterable[str]) -> list[Segments]:
    """The paths to ask for: the selected ones and the keys, none inside another, as DynamoDB wants it.

    A projected list closes its gaps (``scores[1]`` alone comes back as element 0), so a list is asked for whole.
    """
    wanted: list[Segments] = [tuple(itertools.takewhile(_is_name, attr.segments)) for attr in selected]
    unique = list(dict.fromkeys([*wanted, *((name,) for name in key_names)]))
    return [p for p in unique if not any(p != other and p[: len(other)] == other for other in unique)]


def _is_name(segment: str | int) -> bool:
    return isinstance(segment, str)
