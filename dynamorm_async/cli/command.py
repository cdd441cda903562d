"""Commands: their examples in ``--help``, and an exit code and one clear line instead of a traceback."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar, final

import anyio
import click

from dynamorm_async.cli.failures import INTERRUPTED, clear_failure, exit_code
from dynamorm_async.cli.saying import say
from dynamorm_async.cli.words import in_options

T = TypeVar("T")

TRACEBACK: Final = "dynamorm_async.traceback"
_RESUME: Final = "dynamorm_async.resume"

EXIT_CODES: Final = (
    ("0", "done; of diff and plan --check: no drift"),
    ("1", "failed"),
    ("2", "the command line is wrong"),
    ("3", "drift: tables are not as declared"),
    ("4", "refused: DynamoDB cannot do it, or it was not confirmed"),
    ("130", "interrupted"),
)
"""What the exit codes of all commands mean."""


@final
class Command(click.Command):
    """A command of ours: with ``--traceback``, and with examples that the tests run.

    Args:
        arguments: as of ``click.Command``.
        examples: command lines, each without ``dynamorm``; they are shown in the help.
        options: as of ``click.Command``.
    """

    # Any: what click's own constructor takes.
    def __init__(self, *arguments: Any, examples: Sequence[str] = (), **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.examples = tuple(examples)
        self.params.append(
            click.Option(
                ["--traceback"],
                is_flag=True,
                is_eager=True,
                expose_value=False,
                callback=_remember,
                help="Show where an error was raised.",
            )
        )

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - as click calls it
        """Write the examples."""
        if self.examples:
            with formatter.section("Examples"):
                for example in self.examples:
                    formatter.write(f"{'':>{formatter.current_indent}}dynamorm {example}\n")

    def invoke(self, ctx: click.Context) -> Any:  # what a command's function returns, which is nothing
        """Run it; an error of ours becomes a line and an exit code."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            say(f"Interrupted: {ctx.meta.get(_RESUME, 'nothing is under way any more.')}", err=True)
            ctx.exit(INTERRUPTED)
        except Exception as error:
            failure = clear_failure(error)
            if failure is None or ctx.meta.get(TRACEBACK):
                raise
            say(f"Error: {in_options(failure, self)}", err=True)
            ctx.exit(exit_code(error))


@final
class Group(click.Group):
    """The commands together; the help says what the exit codes mean."""

    command_class: type[click.Command] | None = Command

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - as click calls it
        """The commands in the order of their use, not of the alphabet."""
        return list(self.commands)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what the exit codes mean, once, in the help of all commands."""
        if ctx.parent is None:
            with formatter.section("Exit codes"):
                formatter.write_dl(list(EXIT_CODES))


def _remember(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:  # noqa: FBT001 - as click calls it
    ctx.meta[TRACEBACK] = value


def resume_with(advice: str) -> None:
    """Note what is said where the command is interrupted: how to go on.

    Args:
        advice: a sentence.
    """
    click.get_current_context().meta[_RESUME] = advice


def run(function: Callable[[], Awaitable[T]]) -> T:
    """Run the async part of a command. Ctrl-C cancels it, waits until it has ended, and raises ``KeyboardInterrupt``."""
    return anyio.run(function)
