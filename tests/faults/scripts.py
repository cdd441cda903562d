"""Scripts: which fault a call meets."""

from __future__ import annotations

import random as random_module
from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from tests.faults.fault import Call, Fault

Script: TypeAlias = Callable[[Call], Fault | None]


def plain(_: Call) -> Fault | None:
    """No fault at all."""
    return None


def always(fault: Fault, *, operation: str | None = None) -> Script:
    """The fault at every call that it can happen to.

    Args:
        fault: what goes wrong.
        operation: only at calls of this operation.
    """
    return lambda call: fault if _meets(fault, call, operation) else None


def once(fault: Fault, *, operation: str | None = None) -> Script:
    """The fault at the first call that it can happen to; all later ones are served well."""
    return sequence([fault], operation=operation)


def sequence(faults: Iterable[Fault | None], *, operation: str | None = None) -> Script:
    """One after the other, each at the next call that it can happen to; ``None`` serves one call well.

    Args:
        faults: what goes wrong; when they are used up, all is well.
        operation: only calls of this operation count.
    """
    rest = list(faults)

    def script(call: Call) -> Fault | None:
        if not rest or not _meets(rest[0], call, operation):
            return None
        return rest.pop(0)

    return script


def seeded(random: random_module.Random, rates: Mapping[Fault, float]) -> Script:
    """Faults at random, the same for the same seed and the same order of calls.

    Args:
        random: where the dice come from.
        rates: how often each fault is drawn, from 0 to 1, at most 1 in all. One that cannot happen to the call that it was
            drawn for leaves it alone.

    Raises:
        ValueError: the rates are more than 1 in all.
    """
    if sum(rates.values()) > 1 + 1e-9:
        raise ValueError(f"the rates are {sum(rates.values()):g} in all; they can be 1 at most")
    choices = tuple(rates.items())

    def script(call: Call) -> Fault | None:
        drawn = random.random()
        for fault, rate in choices:
            drawn -= rate
            if drawn < 0:
                return fault if fault.fits(call.operation) else None
        return None

    return script


def _meets(fault: Fault | None, call: Call, operation: str | None) -> bool:
    return (operation is None or call.operation == operation) and (fault is None or fault.fits(call.operation))
