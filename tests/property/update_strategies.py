"""Changes of every kind, of paths that conditions and their items have as well."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from dynamorm_async.expressions.conditions import Literally, Path
from dynamorm_async.expressions.updates import (
    Alternative,
    Assignment,
    Calculation,
    Concatenation,
    Default,
    Element,
    Nothing,
    Update,
)
from tests.property.strategies import operands, paths

set_operands: SearchStrategy[Any] = operands | st.builds(Alternative, paths.map(Path), operands)
assignments: SearchStrategy[Update] = (
    st.builds(Update, st.just("SET"), paths, operands.map(Assignment) | operands.map(Default))
    | st.builds(
        Update,
        st.just("SET"),
        paths,
        st.builds(Calculation, set_operands, st.sampled_from(["+", "-"]), set_operands).map(Assignment)
        | set_operands.map(Assignment),
    )
    | st.builds(
        Update, st.just("SET"), paths, st.builds(Concatenation, st.just(Literally({"L": [{"N": "1"}]})), st.booleans())
    )
)
updates: SearchStrategy[Update] = (
    assignments
    | st.builds(Update, st.just("REMOVE"), paths, st.just(Nothing()))
    | st.builds(Update, st.just("ADD"), paths, st.just(Element(Literally({"N": "1"}))))
    | st.builds(Update, st.just("DELETE"), paths, st.just(Element(Literally({"SS": ["a"]}))))
)
