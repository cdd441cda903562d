"""The size of an attribute as an operand."""

from __future__ import annotations

from typing import final

from dynamorm_async.errors import InvalidValue
from dynamorm_async.expressions.conditions import Comparator, Comparison, Condition, Literally, Path, Segments


@final
class Size:
    """The size of an attribute, to compare with a number or with another size."""

    def __init__(self, segments: Segments) -> None:
        self._path = Path(segments, size=True)

    def __eq__(self, other: int | Size) -> Condition:  # type: ignore[override]  # conditions are not bools
        return self._compare("=", other)

    def __ne__(self, other: int | Size) -> Condition:  # type: ignore[override]  # conditions are not bools
        return self._compare("<>", other)

    __hash__ = object.__hash__

    def __lt__(self, other: int | Size) -> Condition:
        return self._compare("<", other)

    def __le__(self, other: int | Size) -> Condition:
        return self._compare("<=", other)

    def __gt__(self, other: int | Size) -> Condition:
        return self._compare(">", other)

    def __ge__(self, other: int | Size) -> Condition:
        return self._compare(">=", other)

    def _compare(self, comparator: Comparator, other: int | Size) -> Condition:
        if isinstance(other, Size):
            return Comparison(self._path, comparator, other._path)  # noqa: SLF001 - of the same class
        if type(other) is not int:
            raise InvalidValue(f"a size is compared with an int, got {other!r}")
        return Comparison(self._path, comparator, Literally({"N": str(other)}))
