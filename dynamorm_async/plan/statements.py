"""PartiQL statements as records: checked, and encoded, where they are made."""

from __future__ import annotations

import re
from typing import Final, Generic, Literal, TypeAlias, TypeVar, cast, final, overload

import attrs

from dynamorm_async.codec.plain import Row, StatementParameter, encode_parameter
from dynamorm_async.errors import InvalidValue, UsageError
from dynamorm_async.model.spec import spec_of
from dynamorm_async.types import AttributeValue

R_co = TypeVar("R_co", covariant=True)
M = TypeVar("M")

StatementKind: TypeAlias = Literal["read", "write", "check", "other"]
"""SELECT; INSERT, UPDATE and DELETE; EXISTS; and what this library does not know, which DynamoDB judges."""

MAX_LENGTH: Final = 8192
_KINDS: Final[dict[str, StatementKind]] = {
    "SELECT": "read",
    "INSERT": "write",
    "UPDATE": "write",
    "DELETE": "write",
    "EXISTS": "check",
}
# What a placeholder cannot stand in, and placeholders. A doubled quote inside quotes reads as two quoted parts.
_TOKENS: Final = re.compile(r"""'[^']*'|"[^"]*"|--[^\n]*|/\*.*?\*/|['"]|\?""", re.DOTALL)
_WORD: Final = re.compile(r"[A-Za-z]+")


@final
@attrs.frozen(init=False, repr=False)
class Statement(Generic[R_co]):
    """One PartiQL statement with its parameters, for ``db.partiql.batch`` and ``db.partiql.transact``.

    Args:
        text: the statement, with a ``?`` for each parameter; up to 8192 characters.
        parameters: a value for each ``?``, in order. They are encoded at once: later changes of a list do not count.
        into: the model of the items that it returns; without one they are plain values.

    Attributes:
        kind: ``read`` for SELECT, ``write`` for INSERT, UPDATE and DELETE, ``check`` for EXISTS, else ``other``.
        values: the parameters as AttributeValues.

    Raises:
        UsageError: no text, too long a text, a quote that is not closed, more or fewer parameters than ``?``, or
            ``into`` is not a model.
        InvalidValue: a parameter that DynamoDB cannot hold; the message names its position.
    """

    text: str
    parameters: tuple[StatementParameter, ...]
    into: type[R_co] | None
    kind: StatementKind
    values: tuple[AttributeValue, ...] = attrs.field(eq=False)

    @overload
    def __init__(self: Statement[Row], text: str, /, *parameters: StatementParameter, into: None = None) -> None: ...
    @overload
    def __init__(self: Statement[M], text: str, /, *parameters: StatementParameter, into: type[M]) -> None: ...
    def __init__(self, text: str, /, *parameters: StatementParameter, into: object = None) -> None:
        if into is not None:
            spec_of(cast("type[object]", into))
        set_field = object.__setattr__
        set_field(self, "text", text)
        set_field(self, "parameters", parameters)
        set_field(self, "into", into)
        set_field(self, "kind", _checked_kind(text, len(parameters)))
        set_field(self, "values", tuple(_encoded(number, value) for number, value in enumerate(parameters, 1)))

    def __repr__(self) -> str:
        """The text; the parameters, which can be anybody's data, are only counted."""
        into = "" if self.into is None else f" into={self.into.__name__}"
        return f"<Statement {shortened(self.text)!r} parameters={len(self.parameters)}{into}>"


def statement_kind(text: str) -> StatementKind:
    """What a statement does, by its first word; comments and white space aside."""
    word = _WORD.search(_TOKENS.sub(" ", text))
    return "other" if word is None else _KINDS.get(word[0].upper(), "other")


def check_together(statements: tuple[Statement[object], ...], *, most: int, what: str) -> None:
    """Refuse statements that DynamoDB does not take in one request.

    Raises:
        UsageError: something is no statement, none, too many, or reads beside writes.
    """
    for statement in statements:
        if not isinstance(statement, Statement):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers without a type checker
            raise UsageError(f"{what}() takes Statement(...) records, got {statement!r}")
    if not 1 <= len(statements) <= most:
        raise UsageError(f"{what}() with {len(statements)} statements: DynamoDB takes 1 to {most} in one request")
    kinds = {statement.kind for statement in statements}
    if {"read", "write"} <= kinds:
        raise UsageError(f"{what}() of SELECT beside INSERT, UPDATE or DELETE: DynamoDB takes all reads or all writes")


def _checked_kind(text: str, parameters: int) -> StatementKind:
    if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers without a type checker
        raise UsageError(f"a PartiQL statement is text, got {text!r}")
    if not _TOKENS.sub(_comments_out, text).strip():
        raise UsageError("the PartiQL statement is empty: write one, such as 'SELECT * FROM \"users\" WHERE org = ?'")
    if len(text) > MAX_LENGTH:
        raise UsageError(
            f"the PartiQL statement has {len(text)} characters, DynamoDB takes {MAX_LENGTH}: pass values as parameters"
        )
    tokens: list[str] = _TOKENS.findall(text)
    if "'" in tokens or '"' in tokens:
        raise UsageError(f"a quote is not closed in {shortened(text)!r}: inside quotes write '' for ' and \"\" for \"")
    placeholders = tokens.count("?")
    if placeholders != parameters:
        raise UsageError(
            f"the PartiQL statement {shortened(text)!r} has {placeholders} placeholders (?) outside of quotes, "
            f"and got {parameters} parameters: pass one for each"
        )
    return statement_kind(text)


def _comments_out(token: re.Match[str]) -> str:
    return " " if token[0].startswith(("--", "/*")) else token[0]


def _encoded(number: int, value: object) -> AttributeValue:
    try:
        return encode_parameter(value)
    except InvalidValue as error:
        raise InvalidValue(f"parameter {number} of the PartiQL statement: {error}") from None


def shortened(text: str) -> str:
    """A statement as messages show it."""
    return text if len(text) <= 80 else f"{text[:77]}..."  # noqa: PLR2004 - what fits in a line
