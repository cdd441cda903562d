"""The package root is the public API: listed, in order, whole and documented."""

from __future__ import annotations

import inspect
import types

import dynamorm_async

EXPORTS: list[str] = list(getattr(dynamorm_async, "__all__", []))


def order(name: str) -> tuple[int, str]:
    """The linter's order: constants, classes, functions, each by name."""
    return (0 if name.isupper() else 1 if name[:1].isupper() else 2, name)


def test_all_is_sorted_and_has_no_name_twice() -> None:
    """A reader finds a name in ``__all__`` where the alphabet puts it."""
    assert sorted(set(EXPORTS), key=order) == EXPORTS


def test_all_is_complete() -> None:
    """Every public name bound in the package root is in ``__all__``, and every name there exists."""
    future = dynamorm_async.__dict__.get("annotations")
    bound = {
        name
        for name, value in vars(dynamorm_async).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType) and value is not future
    }
    assert bound - set(EXPORTS) == set()
    assert [name for name in EXPORTS if not hasattr(dynamorm_async, name)] == []


def test_every_export_is_documented() -> None:
    """Each exported class and function has a docstring of its own."""
    values = {name: getattr(dynamorm_async, name) for name in EXPORTS}
    documented = {name: value for name, value in values.items() if inspect.isclass(value) or inspect.isroutine(value)}
    assert [name for name, value in documented.items() if not value.__dict__.get("__doc__", value.__doc__)] == []
