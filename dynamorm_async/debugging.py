"""Looking inside: the code that is generated for a model. Imported by nothing; import it where you need it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType, MethodType
from typing import Any

from dynamorm_async.codec.compiler import LayoutCodec
from dynamorm_async.codec.layout import Layout
from dynamorm_async.codec.names import SOURCE
from dynamorm_async.model.spec import spec_of

_WIDTH = 100
_ROLES = {
    "lift": "an instance, from what msgspec made of an item's JSON",
    "encode": "the item as it is sent, from an instance (o) or from one value (v)",
    "key": "the key of a request, from key values",
}


def generated_code(model: type[Any], /) -> str:
    """The Python code that reads and writes the items of a model, as text to be read.

    It is generated on the first use of the model, or by this call; nothing of it is ever written to a file. Each function
    stands under comments that say what the names in it are: those that end in a number stand for an object.

    Args:
        model: the class of a model.

    Returns:
        The functions, the model's own first, then those of the classes and values inside of its attributes. Longer lines are
        broken; otherwise it is what runs.

    Raises:
        UsageError: it is no model.

    Costs nothing; sends no request.
    """
    spec = spec_of(model)
    codec = spec.codec
    own = [*codec.compiled.generated, codec.encode_key_values]
    own += [codec.compiled.member_encoder(member) for member in codec.layout.members if member.key_of]
    title = f"# What dynamorm_async generated for the model {spec.name} of the table {spec.table.name}"
    return "\n\n".join([title, *(_described(function, codec.layout) for function in _with_inner(own))]) + "\n"


def _with_inner(functions: list[Callable[..., Any]]) -> Iterator[Callable[..., Any]]:
    """The functions, and the generated ones that they call, each once."""
    waiting, seen = list(functions), set[int]()
    while waiting:
        function = waiting.pop(0)
        if id(function) not in seen:
            seen.add(id(function))
            yield function
            waiting += [inner for value in _bound(function).values() for inner in _generated_in(value)]


def _generated_in(value: object) -> tuple[Callable[..., Any], ...]:
    """The generated functions behind an object that source calls."""
    if isinstance(value, MethodType) and isinstance(value.__self__, LayoutCodec):
        return value.__self__.generated
    return (value,) if isinstance(value, FunctionType) and SOURCE in vars(value) else ()


def _bound(function: Callable[..., Any]) -> dict[str, object]:
    """The names that a generated function uses, and what they stand for."""
    if not isinstance(function, FunctionType):
        return {}
    used = {name for code in _codes(function.__code__) for name in code.co_names}
    return {name: value for name, value in function.__globals__.items() if name in used}


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _described(function: Callable[..., Any], layout: Layout) -> str:
    """A function under the meaning of its names."""
    lines = [f"# {function.__name__}: {_ROLES.get(function.__name__, 'one value inside of an attribute')}"]
    bound = _bound(function)
    if layout.cls in bound.values():
        lines += [f"#   s.{member.name}: the attribute {member.wire!r}" for member in layout.members]
    lines += [f"#   {name}: {_meaning(value)}" for name, value in bound.items()]
    return "\n".join([*lines, *_laid_out(vars(function)[SOURCE])])


def _meaning(value: object) -> str:
    """An object in words. Values of the model's own are not shown, for a default may be secret."""
    if isinstance(value, type):
        return f"the class {value.__module__}.{value.__qualname__}"
    name = getattr(value, "__qualname__", None)
    if isinstance(name, str):
        generated = " (generated, below)" if _generated_in(value) else ""
        module = getattr(value, "__module__", None)
        return f"the function {f'{module}.' if module else ''}{name}{generated}"
    return f"an object of {type(value).__module__}.{type(value).__qualname__}"


def _laid_out(source: str) -> list[str]:
    """The lines of a function's source, with a line for each entry of a long dict."""
    (function,) = ast.parse(source).body
    assert isinstance(function, ast.FunctionDef), "one function is compiled at a time"  # noqa: S101 - an invariant of Names
    lines = [f"def {function.name}({ast.unparse(function.args)}):"]
    for statement in function.body:
        text = ast.unparse(statement)
        value = getattr(statement, "value", None)
        if len(text) <= _WIDTH or not isinstance(value, ast.Dict):
            lines += [f"    {line}" for line in text.splitlines()]
            continue
        entries = zip(value.keys, value.values, strict=True)
        lines.append(f"    {text[: text.index('{')]}{{")
        lines += [f"        {ast.unparse(key)}: {ast.unparse(entry)}," for key, entry in entries if key is not None]
        lines.append("    }")
    return lines
