"""Collecting what does not fit, with the path to it."""

from __future__ import annotations

# Values of any type pass through here, so their types are unknown to a checker.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownLambdaType=false, reportUnknownMemberType=false
from collections.abc import Callable, Iterable
from typing import Any

from dynamorm_async.errors import Problem


class Misfit(ValueError):
    """A stored value that does not fit its type; every wrong place in it, by path."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(map(str, self.problems)))


def expected(what: str, value: object) -> Misfit:
    """The misfit of one value that is of another kind."""
    text = repr(value)
    shown = text if len(text) <= 60 else f"{text[:57]}..."  # noqa: PLR2004 - what fits in a message
    return Misfit([Problem("", f"expected {what}, found {shown}")])


def problems_of(error: BaseException, prefix: str) -> list[Problem]:
    """The problems of an error, below a path."""
    if isinstance(error, Misfit):
        return [type(problem)(join(prefix, problem.path), problem.message) for problem in error.problems]
    if isinstance(error, BaseExceptionGroup):  # cattrs groups what its own hooks find
        return [problem for inner in error.exceptions for problem in problems_of(inner, prefix)]
    return [Problem(prefix, str(error) or type(error).__name__)]


def join(prefix: str, path: str) -> str:
    """Two parts of a path: names joined by a dot, indexes as they are."""
    return f"{prefix}.{path}" if prefix and path and not path.startswith("[") else prefix + path


class Collector:
    """Runs one conversion an element and collects what fails."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def run(self, path: str, convert: Callable[..., Any], *arguments: object) -> Any:  # whatever convert returns
        """What ``convert`` returns, or ``None`` with its problems noted."""
        try:
            return convert(*arguments)
        except Exception as error:  # noqa: BLE001 - a user's hook may raise anything; all of it is reported
            self.problems.extend(problems_of(error, path))
            return None

    def check(self) -> None:
        """Raise what was collected.

        Raises:
            Misfit: there was something.
        """
        if self.problems:
            raise Misfit(self.problems)
