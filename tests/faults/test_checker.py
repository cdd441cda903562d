"""The checkers find what is wrong in histories made by hand, and accept what is right."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.faults.checker import amount, check_bank, check_counter, end, linearizable
from tests.faults.history import (
    Change,
    History,
    Impossible,
    Look,
    Operation,
    Outcome,
    State,
    Step,
    becomes,
    differs,
    sets,
    shows,
)
from tests.property.sizing import examples


def op(step: Step, begun: int, ended: int | None, *, repeats: bool = False) -> Operation:
    pure = step.__qualname__.startswith(("shows", "differs"))
    return Operation(text="by hand", step=step, begun=begun, ended=ended, repeats=repeats, pure=pure)


GOOD = {
    "one after the other": [op(sets("a"), 0, 1), op(shows("a"), 2, 3)],
    "a read beside a write sees either": [op(sets("a"), 0, 3), op(shows(None), 1, 2)],
    "two reads beside a write": [op(sets("a"), 0, 9), op(shows(None), 1, 2), op(shows("a"), 3, 4)],
    "an unknown write that happens late": [op(sets("a"), 0, None), op(shows(None), 1, 2), op(shows("a"), 3, 4)],
    "an unknown write that never happens": [op(sets("a"), 0, None), op(shows(None), 1, 2)],
    "a chain of versions": [op(becomes(None, "a"), 0, 5), op(becomes("a", "b"), 1, 6), op(shows("b"), 7, 8)],
    "a true refusal": [op(becomes(None, "a"), 0, 1), op(differs(None, "b"), 2, 3)],
    "a refusal because of an unknown write": [op(becomes(None, "a"), 0, None), op(differs(None, "b"), 1, 2)],
    "a repeated effect within its call": [
        op(sets("a"), 0, 9, repeats=True),
        op(shows("a"), 1, 2),
        op(sets("b"), 3, 4),
        op(shows("b"), 5, 6),
        op(shows("a"), 7, 8),
    ],
}

BAD = {
    "a lost write": [op(sets("a"), 0, 1), op(shows(None), 2, 3)],
    "a stale read": [op(sets("a"), 0, 1), op(sets("b"), 2, 3), op(shows("a"), 4, 5)],
    "a value from nowhere": [op(sets("a"), 0, 1), op(shows("c"), 2, 3)],
    "a lost update": [op(becomes(None, "a"), 0, 3), op(becomes(None, "b"), 1, 4)],
    "time goes back between reads": [op(sets("a"), 0, 9), op(shows("a"), 1, 2), op(shows(None), 3, 4)],
    "two creations of one key": [op(becomes(None, "a"), 0, 3), op(becomes(None, "b"), 1, 2)],
    "a false refusal": [op(becomes(None, "a"), 0, 1), op(differs(None, "a"), 2, 3)],
    "a refusal where nothing was": [op(differs(None, "b"), 0, 1), op(becomes(None, "a"), 2, 3)],
    "an unknown write seen before its call": [op(shows("a"), 0, 1), op(sets("a"), 2, None)],
    "an unknown write that happens twice": [
        op(becomes(None, "a"), 0, None),
        op(becomes("a", None), 1, 2),
        op(shows("a"), 3, 4),
    ],
    "an effect repeated without leave": [
        op(sets("a"), 0, 9),
        op(sets("b"), 3, 4),
        *[op(shows(v), t, t + 1) for v, t in (("a", 1), ("b", 5), ("a", 7))],
    ],
    "an effect repeated after its answer": [
        op(sets("a"), 0, 1, repeats=True),
        op(sets("b"), 2, 3),
        op(shows("a"), 4, 5),
    ],
}


@pytest.mark.parametrize("name", GOOD)
def test_a_good_history_is_linearizable(name: str) -> None:
    """The search accepts what can have happened, operations of unknown outcome at any later time or never."""
    assert linearizable(GOOD[name], None)


@pytest.mark.parametrize("name", BAD)
def test_a_bad_history_is_found(name: str) -> None:
    """Lost updates, stale reads, false refusals and repeated effects have no order that explains them."""
    assert not linearizable(BAD[name], None)


def test_a_wide_history_is_decided() -> None:
    """Memory of what was seen keeps the search small: ten writes at once, half of them of unknown outcome."""
    writes = [op(sets(str(number)), number, None if number % 2 else 100 + number) for number in range(10)]
    assert linearizable([*writes, op(shows("3"), 200, 201)], None)
    assert not linearizable([*writes, op(shows("10"), 200, 201)], None)


@given(st.integers(0, 10**6), st.booleans(), st.booleans())
@examples(60)
def test_the_search_agrees_with_trying_every_order(seed: int, repeats: bool, spoil: bool) -> None:  # noqa: FBT001 - drawn
    """Its short cuts find what a search without any finds, in small histories drawn at random."""
    dice = Random(seed)  # noqa: S311 - drawn by a seed that is told
    operations = [_drawn(dice, repeats=repeats, spoil=spoil) for _ in range(dice.randint(2, 5))]
    assert linearizable(operations, None) is _by_trying(operations, None)


def _drawn(dice: Random, *, repeats: bool, spoil: bool) -> Operation:
    begun = dice.randint(0, 8)
    step = dice.choice((sets, sets, shows, shows, differs))(dice.choice((None, "a", "b") if spoil else ("a", "b")))
    ended = (
        None
        if dice.random() < 0.2 and not step.__qualname__.startswith(("shows", "differs"))
        else begun + dice.randint(1, 6)
    )
    return op(step, begun, ended, repeats=repeats and step.__qualname__.startswith("sets"))


def _by_trying(operations: list[Operation], initial: State) -> bool:
    """Every sequence of operations, with up to two repetitions of each that may be repeated."""
    definite = frozenset(n for n, operation in enumerate(operations) if operation.ended is not None)

    def possible(done: tuple[int, ...], state: State, now: int) -> bool:
        if definite <= set(done):
            return True
        latest = min((end(operation) for n, operation in enumerate(operations) if n not in done), default=0)
        for n, operation in enumerate(operations):
            again = n in done
            if again and (not operation.repeats or done.count(n) > 2 or now >= end(operation)):
                continue
            if not again and operation.begun >= latest:
                continue
            after = operation.step(state)
            if not isinstance(after, Impossible) and possible((*done, n), after, max(now, operation.begun)):
                return True
        return False

    return possible((), initial, 0)


def counter(*outcomes: Outcome, seen: int | None = None) -> History:
    changes = [
        Change(amount=amount(number), outcome=outcome, begun=10 * number, ended=10 * number + 5, seen=seen)
        for number, outcome in enumerate(outcomes)
    ]
    return History("h", "counter", changes=changes)


@pytest.mark.parametrize("final", [0o11, 0o111])
def test_a_counter_may_have_what_is_unknown(final: int) -> None:
    """Acknowledged changes once, failed ones never, unknown ones once or never."""
    history = counter("done", "done", "unknown", "failed")
    check_counter(history, final)
    assert history.violations == []


@pytest.mark.parametrize(
    ("final", "wrong"),
    [
        (0o1, "applied 0 times"),
        (0o12, "applied 2 times"),
        (0o211, "applied 2 times"),
        (0o1011, "told failed and applied 1"),
        (0o10011, "more than all"),
    ],
)
def test_a_wrong_counter_is_found(final: int, wrong: str) -> None:
    """A lost change, a double count, a double count of an unknown one, a false failure, and a change of nobody."""
    history = counter("done", "done", "unknown", "failed")
    check_counter(history, final)
    assert len(history.violations) == 1
    assert wrong in history.violations[0]


@pytest.mark.parametrize(
    ("look", "wrong"),
    [(Look(6, 7, (0,)), "a later read has it 0 times"), (Look(6, 7, (0o11,)), "an earlier read has it 1 times")],
)
def test_a_wrong_read_of_a_counter_is_found(look: Look, wrong: str) -> None:
    """A read that misses a change that was over, and one that has a change that was not begun."""
    history = counter("done", "done")
    history.looks.append(look)
    check_counter(history, 0o11)
    assert [wrong in violation for violation in history.violations] == [True]


def test_an_answer_without_its_own_change_is_found() -> None:
    """The new value that a change is answered with has that change in it."""
    history = counter("done", seen=0)
    check_counter(history, 1)
    assert ["which does not have it" in violation for violation in history.violations] == [True]


def bank(*outcomes: Outcome) -> History:
    changes = [
        Change(amount=3 + number, outcome=outcome, begun=0, ended=1, source=0, target=1)
        for number, outcome in enumerate(outcomes)
    ]
    return History("h", "bank", changes=changes)


@pytest.mark.parametrize("final", [[7, 13], [2, 18]])
def test_accounts_may_have_what_is_unknown(final: list[int]) -> None:
    """Acknowledged transfers, and any of the unknown ones."""
    history = bank("done", "failed", "unknown")
    history.looks.append(Look(0, 1, (10, 10)))
    check_bank(history, [10, 10], final)
    assert history.violations == []


@pytest.mark.parametrize(
    ("final", "wrong"),
    [
        ([10, 13], "not 20 in all"),
        ([10, 10], "not those of the transfers"),
        ([4, 16], "not those of the transfers"),
        ([-3, 23], "below 0"),
    ],
)
def test_wrong_accounts_are_found(final: list[int], wrong: str) -> None:
    """Money made, a lost transfer, one made twice, and an overdraft."""
    history = bank("done")
    check_bank(history, [10, 10], final)
    assert any(wrong in violation for violation in history.violations)


def test_a_torn_audit_is_found() -> None:
    """An audit that sees one half of a transfer."""
    history = bank("done")
    history.looks.append(Look(0, 1, (7, 10)))
    check_bank(history, [10, 10], [7, 13])
    assert ["an audit shows" in violation for violation in history.violations] == [True]
