"""A program: its steps, its outcomes on the dict model, and its text as a script that anyone can run."""

from __future__ import annotations

import ast
import types
from random import Random
from typing import Any

import attrs

from dynamorm_async import DynamormError
from tests.differential.drawing import Drawing
from tests.differential.plain import Item, instance_of
from tests.differential.steps import Raised, Returned, Step
from tests.differential.world import Place, World

_SCRIPT = """\
# {title}
# Run it from the project's root with an endpoint: python script.py http://127.0.0.1:8000
import asyncio
import sys

from dynamorm_async import Database, DynamormError
from tests.differential.models import *  # noqa: F403

P = "p-"


async def main() -> None:
    moment = START
    db = Database(
        endpoint=sys.argv[1], region="eu-west-1", credentials=("test", "test"), table_prefix="shown-", clock=lambda: moment
    )
    async with db:
        await db.tables.delete(Ware, missing_ok=True)
        await db.tables.delete(Paper, missing_ok=True)
        await db.tables.delete(Coin, missing_ok=True)
        await db.tables.ensure(Ware, Paper, Coin)
{steps}

asyncio.run(main())
"""


@attrs.frozen
class Expected:
    """What the dict model says of one step.

    Attributes:
        outcome: of the call.
        hand: the instances in hand after it, by their names; none where nobody looks at them.
        told_otherwise: known differences of engines that its outcome may show.
        done_otherwise: known differences of engines after which their tables are others.
    """

    outcome: Returned | Raised
    hand: dict[str, Any]
    told_otherwise: frozenset[str]
    done_otherwise: frozenset[str]


@attrs.frozen
class Program:
    """Some steps."""

    number: int
    steps: tuple[Step, ...]
    empties: bool

    def expected(self, prefix: str) -> tuple[list[Expected], dict[type[Any], dict[Place, Item]]]:
        """What each step comes to, and the tables in the end.

        Raises:
            Meaningless: a step uses what no step before has made.
        """
        world = World(prefix)
        # Instances are looked at now and then: all that were harmed still are in the end.
        last = len(self.steps) - 1
        found = [
            expect(step, world, number, looks=number in (last // 2, last)) for number, step in enumerate(self.steps)
        ]
        return found, world.tables

    def compiled(self) -> list[types.CodeType]:
        """The text of each step, to be evaluated with ``db``, ``P`` and the models' names."""
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        return [
            compile("\n".join(step.text()), f"<step {number} of program {self.number}>", "exec", flags)
            for number, step in enumerate(self.steps)
        ]

    def script(self, title: str) -> str:
        """A script that does the same and prints what each step comes to."""
        lines: list[str] = []
        for number, step in enumerate(self.steps):
            body = [f"    {line}" for line in [*step.text(), "print(result)"]]
            tried = ["try:", *body, "except DynamormError as error:", "    print(type(error).__name__, error)"]
            lines += [f"moment = START + {number} * MINUTE", *tried]
        comment = title.replace("\n", "\n# ")
        return _SCRIPT.format(title=comment, steps="\n".join(f"        {line}" for line in lines))


def expect(step: Step, world: World, number: int, *, looks: bool) -> Expected:
    """Run a step on the dict model, and look at the instances in hand if asked."""
    world.begin(number)
    outcome = step.run(world)
    hand = {name: instance_of(held.model, held.item) for name, held in world.hand.items()} if looks else {}
    return Expected(outcome, hand, frozenset(world.told_otherwise), frozenset(world.done_otherwise))


def drawn(seed: int, number: int) -> Program:
    """The program of this number, the same for the same seed."""
    random = Random(f"{seed}:{number}")  # noqa: S311 - programs are to be the same again
    world = World("")
    drawing = Drawing(random, world)
    steps: list[Step] = []
    for position in range(random.randrange(5, 16)):
        step = drawing.step() if position else drawing.first()
        expect(step, world, position, looks=False)
        steps.append(step)
    return Program(number, tuple(steps), drawing.empties)


def kind_of(error: BaseException) -> type[DynamormError]:
    """The class of an error of this library; any other is a bug, and raised.

    Raises:
        BaseException: what was given.
    """
    if isinstance(error, DynamormError):
        return type(error)
    raise error
