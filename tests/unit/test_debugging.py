"""The code that is generated for a model, as text."""

from __future__ import annotations

import ast
import re
from decimal import Decimal

import pytest

from dynamorm_async import Attr, Database, UsageError, attr, embedded, model, partition_key, sort_key
from dynamorm_async.codec.names import SOURCE, Names
from dynamorm_async.debugging import generated_code
from dynamorm_async.model.spec import spec_of


@embedded
class Place:
    street: Attr[str]
    number: Attr[int | None] = attr(default=None)


@model(table="houses")
class House:
    town: Attr[str] = partition_key()
    plot: Attr[int] = sort_key(name="p l o t")
    place: Attr[Place] = attr()
    rooms: Attr[list[Place]] = attr(factory=list)
    doors: Attr[set[int]] = attr(factory=set)
    price: Attr[Decimal] = attr(default=Decimal(31337))
    owner: Attr[str | None] = attr(default=None)
    notes: Attr[str] = attr(default="n" * 200)


def functions_in(text: str) -> list[ast.FunctionDef]:
    return [statement for statement in ast.parse(text).body if isinstance(statement, ast.FunctionDef)]


def test_it_is_python_with_every_function() -> None:
    """lift, encode and key of the model, an encode for each key attribute, lift and encode of the class inside; each once."""
    functions = functions_in(generated_code(House))
    assert [function.name for function in functions[:5]] == ["lift", "encode", "key", "encode", "encode"]
    assert sorted(function.name for function in functions[5:] if function.name != "one") == ["encode", "lift"]


def test_it_is_what_runs() -> None:
    """The same syntax tree as the source that was compiled: only lines are broken."""
    codec = spec_of(House).codec
    shown = {ast.dump(function) for function in functions_in(generated_code(House))}
    for function in (*codec.compiled.generated, codec.encode_key_values):
        assert ast.dump(ast.parse(vars(function)[SOURCE]).body[0]) in shown
    lines = generated_code(House).splitlines()
    assert "        'place': lift_Place_" in "\n".join(lines)  # an entry a line
    assert "    return {'town': a0, 'p l o t': a1}" in lines


def test_every_name_is_explained() -> None:
    """What stands for an object is told in a comment of its function, with the attributes that are read."""
    for part in generated_code(House).split("\n\n")[1:]:
        comment = "\n".join(line for line in part.splitlines() if line.startswith("#"))
        (function,) = functions_in(part)
        used = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
        assert {name for name in used if re.search(r"_\d+$", name) and f"#   {name}: " not in comment} == set()
    assert "#   s.plot: the attribute 'p l o t'" in generated_code(House)
    assert "the class tests.unit.test_debugging.Place" in generated_code(House)


def test_bound_values_are_not_shown() -> None:
    """What is bound, such as a default, is named by its class."""
    text = generated_code(House)
    assert "31337" not in text
    assert "an object of decimal.Decimal" in text


@pytest.mark.parametrize("other", [Place, Database, int])
def test_what_is_no_model(other: type) -> None:
    """As everywhere else."""
    with pytest.raises(UsageError):
        generated_code(other)


def test_a_model_whose_items_msgspec_cannot_read() -> None:
    """There is no lift for stored names that it takes no field of; what writes them is there."""

    @model(table="odd")
    class Odd:
        key: Attr[str] = partition_key(name='"')

    assert [function.name for function in functions_in(generated_code(Odd))] == ["encode", "key", "encode"]


def test_a_generated_function_keeps_its_source() -> None:
    """The source that names.function() was given."""
    function = Names().function("twice", "def twice(v):\n    return v + v\n")
    assert function(2) == 4
    assert vars(function)[SOURCE] == "def twice(v):\n    return v + v\n"
