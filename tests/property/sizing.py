"""How many examples a property takes: enough in every run, many more in a long one."""

from __future__ import annotations

from hypothesis import settings

USUAL = 100  # examples of a test that names no number, by Hypothesis's own profile


def examples(number: int) -> settings:
    """Settings for so many examples, times the share of the chosen profile: ``--hypothesis-profile=long`` has tenfold."""
    share = settings().max_examples / USUAL
    return settings(max_examples=round(number * share))
