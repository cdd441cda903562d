"""Runs of characters: which texts they are, and whether two kinds of text meet."""

from __future__ import annotations

import re

import pytest

from dynamorm_async.codec.runs import ANYTHING, Run, literal, meet, width_of

A, B, NOT_A = Run(frozenset("a")), Run(frozenset("b")), Run(frozenset("a"), others=True)


@pytest.mark.parametrize(("runs", "text", "fits"), [
    ((A,), "", True), ((A,), "aaa", True), ((A,), "ab", False), (literal("a^-]\\b"), "a^-]\\b", True),
    (literal("a.c"), "abc", False), ((Run(frozenset("^-]")),), "]-^", True), ((Run(frozenset("a"), count=2),), "aa", True),
    ((Run(frozenset("a"), count=2),), "aaa", False), ((NOT_A,), "b\n\0#", True), ((NOT_A,), "a", False), ((ANYTHING,), "\n\0", True),
])  # fmt: skip
def test_pattern(runs: tuple[Run, ...], text: str, *, fits: bool) -> None:
    """The regular expression of runs fits their texts and no other."""
    assert bool(re.fullmatch("".join(run.pattern for run in runs), text)) == fits


def test_width() -> None:
    """The width is known where every run's is."""
    assert width_of(literal("abc")) == 3
    assert width_of((*literal("abc"), Run(frozenset("a"), count=4))) == 7
    assert width_of((*literal("abc"), A)) is None
    assert width_of(()) == 0


@pytest.mark.parametrize(("one", "other", "met"), [
    ((A,), (B,), True),  # the empty text
    ((A, *literal("x")), (B, *literal("x")), True),
    ((*literal("x"), A), literal("xa"), True),
    ((*literal("x"), A), literal("y"), False),
    ((*literal("a"), A), (*literal("b"), B), False),
    ((NOT_A, *literal("a")), (NOT_A,), False),
    ((NOT_A, *literal("a")), (ANYTHING,), True),
    ((NOT_A,), (Run(frozenset("b"), others=True),), True),
    ((Run(frozenset("ab"), count=3),), (A,), True),
    ((Run(frozenset("ab"), count=3),), literal("ab"), False),
    ((), (), True), ((), (A,), True), ((), literal("a"), False),
])  # fmt: skip
def test_meet(one: tuple[Run, ...], other: tuple[Run, ...], *, met: bool) -> None:
    """Two kinds of text meet where some text is of both, asked either way round."""
    assert meet(one, other) == meet(other, one) == met
