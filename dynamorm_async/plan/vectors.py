"""From what a vector search asks for to its request, and from its answer to items and scores."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, SupportsFloat

import msgspec

from dynamorm_async.codec.answers import parse_answer
from dynamorm_async.codec.numbers import float_text
from dynamorm_async.errors import InvalidValue, NoUsableIndex, UsageError
from dynamorm_async.expressions.attr import Attr
from dynamorm_async.expressions.conditions import Condition
from dynamorm_async.expressions.placeholders import Placeholders
from dynamorm_async.model.spec import ModelSpec, spec_of
from dynamorm_async.model.vector import TableVectorIndex
from dynamorm_async.model.vector_index import ModelVectorIndex
from dynamorm_async.plan.hiding import hiding_names
from dynamorm_async.plan.search_condition import check_search_condition
from dynamorm_async.types import AttributeValue, Request

MAX_TOP_K: Final = 100
_LARGEST: Final = 3.4028234663852886e38  # of a 32-bit float, which vectors are compared as


class SearchPlan(msgspec.Struct, frozen=True, kw_only=True):
    """How a search is done.

    Attributes:
        spec: the model.
        index: the index that is searched.
        body: the request's parameters, without ``TopK``.
        top_k: how many hits are wanted.
        held: the attributes that are asked of the index.
        hydrate: whether only keys are, and the items are read from the table.
    """

    spec: ModelSpec[Any]
    index: TableVectorIndex
    body: dict[str, Any]
    top_k: int
    held: frozenset[str]
    hydrate: bool

    def request(self, top_k: int) -> Request:
        """SearchVectors for so many hits."""
        table = self.body["TableName"]
        return Request(
            operation="SearchVectors", body={**self.body, "TopK": top_k}, table=table, sealed=self.spec.sealed(table)
        )


class Found(msgspec.Struct, frozen=True):
    """One hit as it stands in an answer."""

    Item: msgspec.Raw
    Score: float


class _Answer(msgspec.Struct, frozen=True):
    SearchResults: list[Found] = []


_DECODER: Final = msgspec.json.Decoder(_Answer)


def plan_search(
    attribute: object,
    vector: Iterable[SupportsFloat],
    *,
    prefix: str,
    top_k: int,
    where: Condition | None,
    using: ModelVectorIndex | str | None,
    hydrate: bool,
    with_vector: bool,
    hidden: bool,
) -> SearchPlan:
    """The plan of a search.

    Raises:
        UsageError: no attribute of a model, a number of hits that DynamoDB does not give, or a condition that the index
            cannot take.
        NoUsableIndex: the attribute has no vector index, or not that one, or several and none was named.
        InvalidValue: a vector of another length, or of what are no numbers.
        InvalidExpression: more in the condition than DynamoDB takes.
    """
    spec, name = _searched(attribute)
    index = _chosen(spec, name, using)
    if type(top_k) is not int or not 1 <= top_k <= MAX_TOP_K:
        raise UsageError(f"top_k={top_k!r}: a search gives 1 to {MAX_TOP_K} hits")
    check_search_condition(spec, index, where)
    keys = frozenset(part.name for part in spec.table.key_parts())
    held = keys if hydrate else _held(spec, index, with_vector=with_vector)
    if not hidden and not hydrate:
        _check_hiding(spec, index, held)
    body = {"TableName": prefix + spec.table.name, "IndexName": index.name, "SearchVector": _numbers(index, vector)}
    _add_expressions(body, spec, where, held)
    return SearchPlan(spec=spec, index=index, body=body, top_k=top_k, held=held, hydrate=hydrate)


def found_in(body: bytes) -> Sequence[Found]:
    """The hits of an answer, the nearest first.

    Raises:
        DecodeError: it is no answer of SearchVectors.
    """
    answer: _Answer = parse_answer(body, _DECODER)
    return answer.SearchResults


def _add_expressions(body: dict[str, Any], spec: ModelSpec[Any], where: Condition | None, held: frozenset[str]) -> None:
    """What is searched in, and what is asked for: by name, since an index of everything leaves out the vector unasked."""
    placeholders = Placeholders()
    condition = "" if where is None else where.render(placeholders)
    known = [name for name in spec.python_names if name in held]
    names = [*known, *sorted(held.difference(known))]
    projection = ", ".join(placeholders.path((name,)) for name in names)
    placeholders.into(body, SearchConditionExpression=condition, ProjectionExpression=projection)


def _searched(attribute: object) -> tuple[ModelSpec[Any], str]:
    if not isinstance(attribute, Attr):
        raise UsageError(
            f"search() takes the attribute that holds the vectors, such as Article.embedding, got {attribute!r}"
        )
    spec: ModelSpec[Any] = spec_of(attribute.owner)
    name, *inside = attribute.segments
    if inside or name not in spec.python_names:
        raise UsageError(f"search() takes an attribute of {spec.name} itself, got {attribute!r}")
    return spec, str(name)


def _chosen(spec: ModelSpec[Any], attribute: str, using: object) -> TableVectorIndex:
    label = spec.python_names[attribute]
    indexes = {index.name: index for index in spec.table.vector_indexes if index.attribute == attribute}
    if not indexes:
        raise NoUsableIndex(
            f"{spec.name}.{label} has no vector index, so it cannot be searched: declare one with "
            f'vector_index("{label}", dimensions=..., distance="cosine"), or as VectorIndex(...) of its Table'
        )
    known = ", ".join(indexes)
    if using is None:
        if len(indexes) > 1:
            raise NoUsableIndex(f"{spec.name}.{label} has several vector indexes ({known}): name one with using=...")
        return next(iter(indexes.values()))
    name = using.name if isinstance(using, ModelVectorIndex) else using
    if not isinstance(name, str) or name not in indexes:
        raise NoUsableIndex(f"{spec.name}.{label} has no vector index {name!r}; it has {known}")
    return indexes[name]


def _held(spec: ModelSpec[Any], index: TableVectorIndex, *, with_vector: bool) -> frozenset[str]:
    """The attributes to ask the index for: all that it holds, the vector itself only where that is wanted."""
    known = set(spec.python_names)
    keys = {part.name for part in (*spec.table.key_parts(), *index.schema)}
    extra = set[str]() if isinstance(index.projection, str) else set(index.projection)
    held = known if index.projection == "all" else keys | extra
    if with_vector and index.attribute not in held:
        raise UsageError(
            f"vector index {index.name} does not hold {spec.python_names[index.attribute]} itself: name it in the index's "
            "projection, or read whole items with hydrate=True"
        )
    return frozenset((held & known) - (set() if with_vector else {index.attribute}))


def _check_hiding(spec: ModelSpec[Any], index: TableVectorIndex, held: frozenset[str]) -> None:
    missing = [spec.python_names[name] for name in (hiding_names(spec) if spec.hides else ()) if name not in held]
    if missing:
        raise UsageError(
            f"vector index {index.name} does not hold {', '.join(missing)}, so it cannot leave out what {spec.name} hides: "
            "ask with hidden=True, widen its projection, or read whole items with hydrate=True"
        )


def _numbers(index: TableVectorIndex, vector: Iterable[SupportsFloat]) -> list[AttributeValue]:
    try:
        given = list(vector)
    except TypeError:
        raise InvalidValue(f"a vector is a sequence of numbers, got {vector!r}") from None
    if len(given) != index.dimensions:
        raise InvalidValue(
            f"the vector has {len(given)} numbers; vector index {index.name} has {index.dimensions} dimensions"
        )
    return [{"N": _number(place, value)} for place, value in enumerate(given)]


def _number(place: int, value: object) -> str:
    # bool is a number to Python only.
    if isinstance(value, bool) or not isinstance(value, SupportsFloat):
        raise InvalidValue(f"the vector's element {place} is {value!r}, which is no number")
    number = float(value)
    if not -_LARGEST <= number <= _LARGEST:  # nor is NaN
        raise InvalidValue(
            f"the vector's element {place} is {value!r}: DynamoDB compares vectors as finite 32-bit floats"
        )
    return float_text(number)
