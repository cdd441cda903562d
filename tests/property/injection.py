"""Names, map keys, values and table names of any text, through everything that makes expressions.

Whatever was put in, an expression is made of keywords and placeholders alone, and each placeholder is declared beside it.
"""

from __future__ import annotations

# Models are made in a loop, so their attributes are unknown to a checker.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
import random
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import msgspec

from dynamorm_async import Attr, Key, UsageError, attr, embedded, index, model, partition_key, sort_key, version
from dynamorm_async.expressions.conditions import Condition
from dynamorm_async.expressions.updates import Update
from dynamorm_async.model.spec import spec_of
from dynamorm_async.plan.batch_get import plan_batch_get, selecting
from dynamorm_async.plan.partiql import execute_statement, quoted_table
from dynamorm_async.plan.reading import Reading, plan_query, plan_scan
from dynamorm_async.plan.statements import Statement
from dynamorm_async.plan.transactions import plan_transaction
from dynamorm_async.plan.writes import Writes

FRAGMENTS: Final = (
    *("#n0", "#n1", ":v0", ":v1", ":now", "#", ":", ".", "[0]", "[", "]", ",", "=", "<>", "(", ")", "+", "-", "?", ";"),
    *(" OR ", " AND ", "NOT ", " = ", " BETWEEN ", " IN (", "SET ", " REMOVE ", " ADD ", " DELETE ", "1=1"),
    *("attribute_exists(x)", ") OR attribute_not_exists(", "size(", "begins_with(", "list_append(", "if_not_exists("),
    *(
        "'",
        '"',
        '""',
        "`",
        "--",
        "/*",
        "*/",
        "\\",
        "\n",
        "\r\n",
        "\t",
        "\0",
        "\x7f",
        " ",
        "${x}",
        "{0}",
        "%s",
        "</script>",
    ),
    *(
        "a",
        "key",
        "name",
        "select",
        "é",
        "ß",
        "\U0001f600",
        "\u2028",
        "\u202e",
        "\ufeff",
        "\uff41",
        "0",
        "1E+1000000",
        "NaN",
    ),
)
_PATH: Final = r"#[a-z]+[0-9]*(?:\.#[a-z]+[0-9]*|\[[0-9]+\])*"
_TOKEN: Final = (
    rf"{_PATH}|:[a-z]+[0-9]*|(?:AND|OR|NOT|BETWEEN|IN|SET|REMOVE|ADD|DELETE)(?![A-Za-z])"
    r"|(?:size|attribute_exists|attribute_not_exists|attribute_type|begins_with|contains|if_not_exists|list_append)(?=\()"
    r"|<=|>=|<>|[=<>+\-(),]| "
)
GRAMMAR: Final = re.compile(rf"(?:{_TOKEN})+")
_PLACEHOLDER: Final = re.compile(r"[#:][a-z]+[0-9]*")
WRITES: Final = Writes(prefix="", clock=lambda: datetime(2026, 1, 1, tzinfo=UTC))


class Injected(msgspec.Struct):
    """What was emitted.

    Attributes:
        requests: how many were made.
        expressions: how many they had, PartiQL statements included.
        findings: expressions that are not made of keywords and declared placeholders, with what is wrong.
    """

    requests: int = 0
    expressions: int = 0
    findings: list[str] = msgspec.field(default_factory=list[str])


def inject(expressions: int, *, seed: int) -> Injected:
    """Make requests of hostile text until they have so many expressions, and judge each.

    Args:
        expressions: how many.
        seed: of the choices.
    """
    chance, result = random.Random(seed), Injected()  # noqa: S311 - reproducible, not secret
    makers = list(MAKERS)
    while result.expressions < expressions:
        try:
            body = chance.choice(makers)(chance)
        except UsageError:
            continue  # refused before it is a request: a key that is empty, say, or paths that overlap
        result.requests += 1
        for found in judged(body):
            result.expressions += 1
            if found is not None:
                result.findings.append(found)
    return result


def judged(body: Any) -> Iterator[str | None]:  # Any: wire JSON
    """For each expression anywhere in a request's body: what is wrong with it, or ``None``."""
    if isinstance(body, list):
        for part in body:
            yield from judged(part)
    elif isinstance(body, Mapping):
        texts = {name: text for name, text in body.items() if name.endswith("Expression")}
        declared = {*body.get("ExpressionAttributeNames", {}), *body.get("ExpressionAttributeValues", {})}
        used = {found for text in texts.values() for found in _PLACEHOLDER.findall(text)}
        for name, text in texts.items():
            wrong = not GRAMMAR.fullmatch(text)
            yield f"{name} {text!r}, declared {declared}" if wrong or used != declared else None
        for name, part in body.items():
            if name in ("TransactItems", "RequestItems", "Put", "Update", "Delete", "ConditionCheck"):
                yield from judged(list(part.values()) if name == "RequestItems" else part)


def hostile(chance: random.Random) -> str:
    """Text that would do harm in an expression."""
    return "".join(chance.choices(FRAGMENTS, k=chance.randint(1, 6)))


# --- models with hostile names ---------------------------------------------------------------------------


class Made(NamedTuple):
    """A model, and the class of its embedded attribute."""

    model: Any
    nested: Any


def _model(chance: random.Random) -> Made:
    names = list(dict.fromkeys(hostile(chance)[:60] for _ in range(40)))

    @embedded
    class Inner:
        text: Attr[str] = attr(default="none", name=names.pop())
        more: Attr[dict[str, str]] = attr(factory=dict, name=names.pop())

    @model(table="hostile")
    class Hostile:
        key: Attr[str] = partition_key(name=names.pop())
        place: Attr[str] = sort_key(name=names.pop())
        text: Attr[str] = attr(default="none", name=names.pop())
        number: Attr[int] = attr(default=0, name=names.pop())
        tags: Attr[set[str]] = attr(factory=set, name=names.pop())
        words: Attr[list[str]] = attr(factory=list, name=names.pop())
        data: Attr[dict[str, str]] = attr(factory=dict, name=names.pop())
        inner: Attr[Inner] = attr(factory=Inner, name=names.pop())
        revision: Attr[int] = version(name=names.pop())

        by_text = index(partition="text", sort="number")

    return Made(Hostile, Inner)


MODELS: Final = [_model(random.Random(seed)) for seed in range(30)]  # noqa: S311 - reproducible, not secret


def _condition(made: Made, chance: random.Random, depth: int = 2) -> Condition:
    if depth and chance.randrange(3) == 0:
        left, right = _condition(made, chance, depth - 1), _condition(made, chance, depth - 1)
        return chance.choice((left & right, left | right, ~left))
    m = made.model
    text, other = hostile(chance), hostile(chance)
    path: Any = chance.choice((m.text, m.data[text], m.words[chance.randrange(9)], m.inner / made.nested.more[other]))
    every: tuple[Callable[[], Condition], ...] = (
        lambda: path == text,
        lambda: path != other,
        lambda: path.between(text, other),
        lambda: path.is_in([text, other]),
        lambda: path.begins_with(text),
        lambda: path.contains(text),
        path.exists,
        lambda: path.attribute_type("S"),
        lambda: path.size() > chance.randrange(9),
        lambda: m.tags.contains(text),
        lambda: m.number >= chance.randrange(9),
        lambda: path == m.text,
    )
    return chance.choice(every)()


def _changes(made: Made, chance: random.Random) -> list[Update]:
    m = made.model
    text, other = hostile(chance), hostile(chance)
    every: list[Callable[[], Update]] = [
        lambda: m.data[text].set(other),
        m.data[other].remove,
        lambda: m.tags.add({text, other}),
        lambda: m.words.append([text]),
        lambda: m.number.set(m.number + 1),
        lambda: m.inner / made.nested.text.set(text),
        lambda: m.inner / made.nested.more[text].set_default(other),
    ]
    return [make() for make in chance.sample(every, chance.randint(1, 4))]


def _item(made: Made, chance: random.Random) -> Any:
    return made.model(
        key=hostile(chance),
        place=hostile(chance),
        text=hostile(chance),
        tags={hostile(chance)},
        words=[hostile(chance)],
        data={hostile(chance): hostile(chance)},
        inner=made.nested(text=hostile(chance), more={hostile(chance): hostile(chance)}),
    )


def _key(made: Made, chance: random.Random) -> Key[Any]:
    return Key(made.model, hostile(chance), hostile(chance))


# --- requests ------------------------------------------------------------------------------------------------


def _put(chance: random.Random) -> Any:
    made = chance.choice(MODELS)
    item = _item(made, chance)
    write = WRITES.put(item, where=_condition(made, chance)) if chance.randrange(3) else WRITES.create(item)
    return write.request.body


def _update(chance: random.Random) -> Any:
    made = chance.choice(MODELS)
    where = _condition(made, chance) if chance.randrange(2) else None
    key, changes = _key(made, chance), _changes(made, chance)
    return WRITES.update(key, changes, where=where, upsert=not chance.randrange(3)).request.body


def _delete(chance: random.Random) -> Any:
    made = chance.choice(MODELS)
    return WRITES.delete(_key(made, chance), where=_condition(made, chance)).request.body


def _save(chance: random.Random) -> Any:
    made = chance.choice(MODELS)
    spec = spec_of(made.model)
    item: Any = spec.codec.decode({**spec.codec.encode(_item(made, chance)), spec.version.wire: {"N": "1"}})  # type: ignore[union-attr]  # pyright: ignore[reportOptionalMemberAccess]  # the models have one
    item.data[hostile(chance)] = hostile(chance)
    item.inner.more[hostile(chance)] = hostile(chance)
    item.text = hostile(chance)
    write = WRITES.save(item)
    assert write is not None
    return write.request.body


def _transaction(chance: random.Random) -> Any:
    made = chance.choice(MODELS)
    writes = [
        WRITES.put(_item(made, chance), where=_condition(made, chance)),
        WRITES.update(_key(made, chance), _changes(made, chance), where=_condition(made, chance)),
        WRITES.check(_key(made, chance), [_condition(made, chance)]),
        WRITES.delete(_key(made, chance), where=_condition(made, chance)),
    ]
    return plan_transaction(writes, {}, "0" * 36).request.body


def _query(chance: random.Random) -> Any:
    made = chance.choice(MODELS)
    m = made.model
    key: list[Condition] = [m.key == hostile(chance)]
    key += chance.choice(([], [m.place.begins_with(hostile(chance))], [m.place > hostile(chance)]))
    if not chance.randrange(3):
        key = [m.text == hostile(chance), m.number > 3]
    select = (m.data, m.inner / made.nested.text, m.words[1]) if chance.randrange(2) else None
    reading = Reading(conditions=(*key, _condition(made, chance)), select=select)
    return [request.body for request in plan_query(spec_of(m), "table", reading).requests]


def _scan(chance: random.Random) -> Any:
    made = chance.choice(MODELS)
    m = made.model
    select = (m.data[hostile(chance)], m.text) if chance.randrange(2) else None
    reading = Reading(conditions=(_condition(made, chance), _condition(made, chance)), select=select)
    return [request.body for request in plan_scan(spec_of(m), "table", reading).requests]


def _batch_get(chance: random.Random) -> Any:
    made = chance.choice(MODELS)
    plan = plan_batch_get([_key(made, chance)], "", consistent=True)
    plan = selecting(plan, (made.model.text, made.model.data[hostile(chance)]))
    return [table.options for table in plan.tables().values()]


def _statement(chance: random.Random) -> Any:
    """A statement is the caller's own text: a quoted table stays within its quotes, and parameters are beside it."""
    index_name = "by_text" if chance.randrange(2) else None
    table = quoted_table(chance.choice(MODELS).model, index_name, prefix=hostile(chance))
    text = f"SELECT * FROM {table} WHERE a = ? AND b = ?"
    statement = Statement(text, hostile(chance), hostile(chance))
    assert execute_statement(statement, consistent=False, page_size=None).body["Statement"] == text
    outside = re.sub(r'"(?:[^"]|"")*"', "", table)
    # Judged like an expression: outside of quotes there is nothing but the dot between table and index.
    return {"StatementExpression": "=" if outside == ("." if index_name else "") else text}


MAKERS: Final[tuple[Callable[[random.Random], Any], ...]] = (
    _put,
    _update,
    _delete,
    _save,
    _transaction,
    _query,
    _scan,
    _batch_get,
    _statement,
)
