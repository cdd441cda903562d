"""A database that is closed under a thousand calls: each ends with its answer, or with an error that tells the truth."""

from __future__ import annotations

import pytest

from dynamorm_async.transport.lanes import LaneName
from tests.unit.database.closing import CALLS, drained, forced

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(("lane", "count"), [("direct", CALLS), ("sdk", 300)])  # the sdk lane takes seconds for more
async def test_a_close_waits_for_calls_under_way(lane: LaneName, count: int) -> None:
    """Every call that was made before the close gets its answer, and is applied once; every later one is refused."""
    closing = await drained(lane, count)
    assert closing.told == {"done": count, "not sent": 1}
    assert (closing.cancelled, closing.lies, closing.in_use) == (0, {}, (0, 0))


@pytest.mark.parametrize("lane", ["direct", "sdk"])
async def test_a_forced_close_tells_what_was_sent(lane: LaneName) -> None:
    """A close that does not wait ends every call: none is cancelled, no claim is false, and what was sent is not denied."""
    closing = await forced(lane)
    unknown = closing.told["unknown"]
    assert unknown == closing.sent > 0
    assert closing.told == {"done": 100, "unknown": unknown, "not sent": CALLS - 100 - unknown}
    assert (closing.cancelled, closing.lies, closing.in_use) == (0, {}, (0, 0))
