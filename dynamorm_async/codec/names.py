"""The namespace of a generated function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

SOURCE: Final = "dynamorm_source"
"""The attribute of a generated function that has its source."""


class Names:
    """Binds objects to the global names that generated source uses; one name an object."""

    def __init__(self) -> None:
        self.namespace: dict[str, Any] = {"__builtins__": {}}  # generated code uses only what is bound
        self._bound: dict[int, str] = {}
        self._fresh = 0

    def bind(self, value: object, hint: str = "") -> str:
        """The name that stands for an object in the source."""
        name = self._bound.get(id(value))
        if name is None:
            label = hint or getattr(value, "__name__", type(value).__name__)
            # ASCII only: Python folds other identifiers to another spelling when it compiles them.
            name = f"{label if label.isascii() and label.isidentifier() else 'value'}_{len(self._bound)}"
            self._bound[id(value)] = name
            self.namespace[name] = value  # keeps the object alive, so that its id stays its own
        return name

    def fresh(self) -> str:
        """A local name that no other part of the source uses."""
        self._fresh += 1
        return f"e{self._fresh}"

    def function(self, name: str, source: str) -> Callable[..., Any]:
        """Compile the source of one function and return it."""
        # The source is made of identifiers bound here and of repr() of attribute names: nothing a stored
        # item or a caller's value says becomes source.
        exec(compile(source, f"<dynamorm {name}>", "exec"), self.namespace)  # noqa: S102
        function: Callable[..., Any] = self.namespace[name]
        vars(function)[SOURCE] = source  # for whoever wants to read it: dynamorm_async.debugging
        return function
