"""Processes share a backfill, and any of them may die."""

from __future__ import annotations

import pytest

from tests.contract.backfill_check import check
from tests.engines import Lane

pytestmark = pytest.mark.anyio


# moto's server has no isolation: a conditional write there may overtake another one.
@pytest.mark.parametrize("target", [("dynoxide", "direct"), ("dynamodb-local", "direct")], ids="-".join, indirect=True)
async def test_one_of_three_processes_is_killed(endpoint: str, lane: Lane) -> None:
    """Every item is changed exactly once, though a process dies in the middle of its pages, and no change of others is lost."""
    assert "400 items" in await check(endpoint, lane, items=400)
