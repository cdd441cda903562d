"""``explain()``: what a query or scan would do, without doing it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final

import msgspec

from dynamorm_async.plan.choice import Candidate
from dynamorm_async.plan.reading import ReadPlan
from dynamorm_async.types import Request

_PAGE_BYTES = 1024 * 1024
_UNIT_BYTES = 4096
_ITEM_BYTES = 400 * 1024


@final
class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """What a query or scan would do.

    Attributes:
        operation: ``Query`` or ``Scan``; empty where no item can match, so that nothing is sent.
        target: ``the table`` or ``index NAME``.
        requests: the parameters of the first request of each part: several where several key values are asked for, or
            segments; none where no item can match.
        filtered: whether items that are read (and paid for) may be dropped by a filter.
        candidates: the table and each index, with what speaks for and against it.
        units_per_page: the fewest and the most read capacity units that one page can cost.
        leaves_out: what the model hides and this reading therefore leaves out.
    """

    operation: str
    target: str
    requests: tuple[Mapping[str, Any], ...]
    filtered: bool
    candidates: tuple[Candidate, ...]
    units_per_page: tuple[float, float]
    leaves_out: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = self._costly() if self.requests else ["nothing is sent: no item can match"]
        for candidate in self.candidates:
            mark = "+" if candidate.usable else "-"
            lines.append(f"  {mark} {candidate.name}: {'; '.join(candidate.reasons)}")
        return "\n".join(lines)

    def _costly(self) -> list[str]:
        first, *others = self.requests
        parts = f", in {len(self.requests)} parts at once; the first:" if others else ""
        low, high = self.units_per_page
        filtered = ", items included that the filter drops" if self.filtered else ""
        hidden = (
            [f"  leaves out {' and '.join(self.leaves_out)}; with_hidden() returns them"] if self.leaves_out else []
        )
        return [
            f"{self.operation} of {self.target}{parts}",
            *(f"  {name}: {value}" for name, value in first.items()),
            f"  costs {low:g} to {high:g} read units a page{filtered}",
            *hidden,
        ]


def explain(plan: ReadPlan) -> Explanation:
    """The explanation of a plan."""
    requests: tuple[Request, ...] = plan.requests
    bodies = tuple(request.body for request in requests)
    return Explanation(
        operation=requests[0].operation if requests else "",
        target=plan.target.name,
        requests=bodies,
        filtered=plan.filtered,
        candidates=plan.candidates,
        units_per_page=_units(bodies[0]) if bodies else (0.0, 0.0),
        leaves_out=() if plan.hiding is None else plan.hiding.reasons,
    )


def _units(body: Mapping[str, Any]) -> tuple[float, float]:
    """Half a unit for each 4 KB that are read, a whole one where reads are strongly consistent; up to 1 MB a page."""
    unit = 1.0 if body.get("ConsistentRead") else 0.5
    most = min(_PAGE_BYTES, body.get("Limit", _PAGE_BYTES) * _ITEM_BYTES)
    return unit, unit * (most // _UNIT_BYTES)
