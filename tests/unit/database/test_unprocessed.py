"""Pauses between the rounds of a batch."""

from __future__ import annotations

import pytest

from dynamorm_async import Throttled
from dynamorm_async.database.unprocessed import ROUNDS, Rounds
from dynamorm_async.types import Request, Response

REQUEST = Request(operation="BatchGetItem", body={}, table="users")
ANSWER = Response(b"{}", "R1")


def test_pauses_for_keys_grow_while_answers_bring_nothing() -> None:
    """A random part of 50 ms, doubled with each fruitless round: keys may just not have fitted into the answer."""
    rounds = Rounds("keys", lambda: 1.0)
    fruitless = [False, False, True, True, True, False, True]
    pauses = [rounds.pause(REQUEST, ANSWER, left=3, fruitless=each) for each in fruitless]
    assert pauses == [0.05, 0.05, 0.05, 0.1, 0.2, 0.05, 0.05]
    assert Rounds("keys", lambda: 0.5).pause(REQUEST, ANSWER, left=3, fruitless=True) == 0.025


def test_pauses_for_writes_grow_with_every_round() -> None:
    """Up to five seconds: what is left of writes was throttled."""
    rounds = Rounds("writes", lambda: 1.0)
    pauses = [rounds.pause(REQUEST, ANSWER, left=3, fruitless=False) for _ in range(9)]
    assert pauses == [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]


@pytest.mark.parametrize(
    ("rounds", "left", "message", "code"),
    [
        (Rounds("keys", lambda: 0.0), 1, "1 key was left unprocessed 8 times in a row; read less", "UnprocessedKeys"),
        (Rounds("writes", lambda: 0.0), 2, "2 operations were left unprocessed 8 times .* write", "UnprocessedItems"),
    ],
)
def test_eight_fruitless_rounds_in_a_row_end_it(rounds: Rounds, left: int, message: str, code: str) -> None:
    """Throttled, with all rounds counted as attempts, those that brought something as well."""
    rounds.pause(REQUEST, ANSWER, left=9, fruitless=False)
    for _ in range(ROUNDS - 1):
        rounds.pause(REQUEST, ANSWER, left=left, fruitless=True)
    with pytest.raises(Throttled, match=message) as caught:
        rounds.pause(REQUEST, ANSWER, left=left, fruitless=True)
    error = caught.value
    assert (error.code, error.attempts, error.request_id, error.table) == (code, 9, "R1", "users")
