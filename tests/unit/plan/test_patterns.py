"""What models can be read by: each pattern is what the planner does, and the Markdown says the same."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from dynamorm_async import (
    AccessPattern,
    Attr,
    Database,
    Query,
    Table,
    UsageError,
    access_patterns,
    attr,
    model,
    partition_key,
)
from dynamorm_async.model.spec import spec_of
from tests.property.reading_models import Event, Plain
from tests.unit.database.recording import record
from tests.unit.plan.pattern_models import (
    PLAIN,
    SHOP,
    TEMPLATED,
    Address,
    Card,
    CardPayment,
    Customer,
    Kind,
    Line,
    Order,
    Paper,
    Payment,
)

VALUES: Mapping[Any, Any] = {  # by type
    str: "x",
    bytes: b"x",
    int: 1,
    Decimal: Decimal(1),
    datetime: datetime(2026, 1, 1, tzinfo=UTC),
    date: date(2026, 1, 1),
    Kind: Kind.A,
}

PLANNED = [one for model in (*PLAIN, Event, Plain, SHOP) for one in access_patterns(model).patterns]
SHARED = access_patterns(SHOP).patterns


def name_of(pattern: AccessPattern) -> str:
    return f"{pattern.model.__name__}-{pattern.operation}-{pattern.index or 'table'}"


def run(pattern: AccessPattern, db: Database) -> Any:
    """What the example gives, with a value for each variable in it."""
    members = spec_of(pattern.model).attributes.values()
    values = {f"{m.name}_" if m.name == "db" else m.name: VALUES.get(bare(m.shape.type)) for m in members}
    return eval(pattern.example, {"db": db, pattern.model.__name__: pattern.model, **values})  # noqa: S307 - ours


def bare(hint: Any) -> Any:  # of a type annotation
    """The type of an optional attribute's values."""
    return next((one for one in getattr(hint, "__args__", (hint,)) if one is not type(None)), hint)


def named(request: Mapping[str, Any], expression: str) -> list[str]:
    """The attributes that an expression of a request mentions, in order."""
    return [request["ExpressionAttributeNames"][alias] for alias in re.findall(r"#\w+", request.get(expression, ""))]


def only(cls: type, index: str | None, *, operation: str = "query") -> AccessPattern:
    (found,) = [one for one in access_patterns(cls).patterns if (one.index, one.operation) == (index, operation)]
    return found


# --- examples do what their rows say ----------------------------------------------------------


@pytest.mark.parametrize("pattern", [one for one in PLANNED if one.operation == "query"], ids=name_of)
def test_the_planner_takes_the_index_of_the_example(pattern: AccessPattern) -> None:
    """Every example of a query is planned as one Query, of the table or index of its row, with no filter of its own."""
    query = run(pattern, Database(region="eu-west-1"))
    assert isinstance(query, Query)
    explanation = query.explain()
    assert explanation.target == ("the table" if pattern.index is None else f"index {pattern.index}")
    (request,) = explanation.requests
    assert explanation.operation == "Query"
    asked = [key.split() for key in pattern.key]
    assert named(request, "KeyConditionExpression") == [name for name, *_ in asked]
    prefixed = [name for name, operator, *_ in asked if operator == "begins_with"]
    assert request["KeyConditionExpression"].count("begins_with") == len(prefixed)


@pytest.mark.parametrize("pattern", [one for one in PLANNED if one.operation == "query"], ids=name_of)
def test_what_may_follow_becomes_part_of_the_key(pattern: AccessPattern) -> None:
    """With everything that may follow, the last as a range, all of it is asked of the key, and nothing of the filter."""
    members = spec_of(pattern.model).attributes
    query = run(pattern, Database(region="eu-west-1"))
    (before,) = query.explain().requests
    for name in pattern.then:
        attribute, value = getattr(pattern.model, name), VALUES[bare(members[name].shape.type)]
        ranged = name in pattern.ranges and name == pattern.then[-1]
        query = query.where(attribute >= value if ranged else attribute == value)
    explanation = query.explain()
    assert explanation.target == ("the table" if pattern.index is None else f"index {pattern.index}")
    (request,) = explanation.requests
    assert bool(pattern.then) is (request["KeyConditionExpression"] != before["KeyConditionExpression"])
    # Of what the key keeps only a part, the filter has to look at the rest.
    whole = {members[name].wire for name in pattern.then if name in pattern.order}
    assert whole.isdisjoint(named(request, "FilterExpression"))


@pytest.mark.anyio
@pytest.mark.parametrize("pattern", [one for one in PLANNED if one.operation == "get"], ids=name_of)
async def test_the_example_of_a_get_is_one_get(monkeypatch: pytest.MonkeyPatch, pattern: AccessPattern) -> None:
    """Every example of a get takes just the attributes of its row, and sends the whole key."""
    lane = record(monkeypatch)
    async with Database(region="eu-west-1") as db:
        assert await run(pattern, db) is None
    assert [request.operation for request in lane.requests] == ["GetItem"]
    assert [*lane.bodies[0]["Key"]] == [key.partition(" = ")[0] for key in pattern.key]


# --- rows -------------------------------------------------------------------------------------


def test_what_a_row_says_of_plain_keys() -> None:
    """Names are those of Python; the key is in DynamoDB's; nullable keys make an index sparse."""
    assert only(Paper, None, operation="get") == AccessPattern(
        model=Paper,
        table="papers",
        operation="get",
        needs=("db", "written"),
        key=("db = {db}", "written = {written}"),
        example="db.get(Paper, db_, written)",
    )
    assert only(Paper, "by_note") == AccessPattern(
        model=Paper,
        table="papers",
        index="by_note",
        operation="query",
        needs=("note",),
        then=("price",),
        ranges=("price",),
        order=("price",),
        consistent=False,
        sparse=("attribute_exists(note)",),
        projection=("db", "written", "price", "note"),
        key=("note = {note}",),
        example="db.query(Paper).where(Paper.note == note).using(Paper.by_note).hydrate()",
    )
    assert only(Paper, "pages-lsi").consistent
    assert only(Paper, "by_kind").key == ("k = {kind}",)
    assert only(Paper, "by_day").then == only(Paper, "by_day").order == ("price", "pages")
    assert only(Paper, "by_day").needs == ("kind", "day")


def test_an_example_names_an_index_only_where_it_has_to() -> None:
    """By itself the planner takes no index that leaves items or attributes out, and may take another for the same."""
    examples = {one.index: one.example for one in PLANNED if one.model is Paper and one.operation == "query"}
    assert examples == {
        None: "db.query(Paper).where(Paper.db == db_)",
        "pages-lsi": "db.query(Paper).where(Paper.db == db_).using(Paper.by_pages)",
        "by_kind": "db.query(Paper).where(Paper.kind == kind)",
        "by_note": "db.query(Paper).where(Paper.note == note).using(Paper.by_note).hydrate()",
        "by_deletion": "db.query(Paper).where(Paper.kind == kind).using(Paper.by_deletion).with_hidden()",
        "by_day": "db.query(Paper).where(Paper.kind == kind, Paper.day == day).using(Paper.by_day)",
    }


def test_a_table_without_sort_key_has_no_query() -> None:
    """A partition of one item is a get."""
    assert [one.operation for one in access_patterns(Card).patterns] == ["get"]


def test_what_a_row_says_of_templates() -> None:
    """A query gives what the partition key is made of, and asks the sort key for what is known of it then."""
    assert only(Order, None) == AccessPattern(
        model=Order,
        table="shop",
        operation="query",
        needs=("customer_id",),
        then=("placed", "order_id"),
        ranges=("placed", "order_id"),
        order=("placed:%Y-%m-%d", "order_id"),
        key=("pk = CUSTOMER#{customer_id}", "sk begins_with ORDER#"),
        example="db.query(Order).where(Order.customer_id == customer_id)",
    )
    assert only(Order, "gsi1") == AccessPattern(
        model=Order,
        table="shop",
        index="gsi1",
        operation="query",
        needs=("status",),
        then=("placed",),
        ranges=("placed",),
        order=("placed",),
        consistent=False,
        sparse=("status <> 'a|b'",),
        key=("gsi1pk = STATUS#{status}",),
        example='db.query(Order).where(Order.status == status).using("gsi1")',
    )
    assert only(Address, None).key == ("pk = CUSTOMER#{owner}", "sk begins_with ADDRESS#{owner}#")
    assert only(Line, None).key == ("pk = ORDER#{order_id}",)


def test_a_component_without_order_takes_a_value_only() -> None:
    """Where the text of a value does not sort as the value does, there is no range, and no order is promised."""
    found = only(Address, None)
    assert (found.then, found.ranges, found.order) == (("label",), (), ())


def test_a_template_without_components_is_known() -> None:
    """A sort key that is always the same needs no query in the table, and is asked for in an index."""
    assert [one.operation for one in access_patterns(Customer).patterns] == ["get", "query"]
    assert only(Customer, "gsi1").key == ("gsi1pk = EMAIL#{email:lower}", "gsi1sk = PROFILE")
    assert [(one.needs, one.key) for one in SHARED if one.model.__name__ == "Setting"] == [
        ((), ("pk = SETTINGS", "sk = SETTINGS"))
    ]


def test_an_index_of_keys_holds_what_they_tell() -> None:
    """Attributes that the keys are made of are held, but for those of which the key keeps only a part."""
    assert only(Order, "gsi2").projection == ("customer_id", "order_id")


def test_an_index_that_holds_none_of_the_items_is_no_pattern() -> None:
    """The local index holds items with a total, the second global one orders: nobody else's rows name them."""
    assert {(one.model, one.index) for one in SHARED if one.index in ("by_total", "gsi2")} == {
        (Order, "by_total"),
        (Order, "gsi2"),
    }
    assert only(Order, "by_total").sparse == ("attribute_exists(total)",)


# --- models together --------------------------------------------------------------------------


def test_a_variant_adds_only_what_its_base_cannot_do() -> None:
    """Reads of the base return its variants, so their rows would say nothing new; asked for alone it has all of them."""
    both = access_patterns(CardPayment, Payment)
    assert {one.model for one in both.patterns} == {Payment}
    assert [one.index for one in access_patterns(CardPayment).patterns] == [None, "by_payer"]


def test_collections_are_models_that_share_a_partition() -> None:
    """Of equal templates, or of those that make the same keys; where only one model lives, there is none."""
    found = access_patterns(SHOP).collections
    assert [(one.index, one.key, one.models) for one in found] == [
        (None, ("pk = CUSTOMER#{owner}",), (Address, Customer, Order)),
        ("gsi1", ("gsi1pk = STATUS#{status}",), (Line, Order)),
    ]
    assert access_patterns(*PLAIN, CardPayment, Event).collections == ()
    assert access_patterns(Customer, Line).collections == ()


def test_plain_keys_of_one_table_are_a_collection() -> None:
    """Any value may be in both, so it is said."""
    table = Table("both", partition_key="pk", sort_key="sk")

    @model(table, type="one", sk="ONE#{n}")
    class One:
        pk: Attr[str] = partition_key()
        n: Attr[str] = attr()

    @model(table, type="two", pk="P#{p}", sk="TWO")
    class Two:
        p: Attr[str] = attr()

    (found,) = access_patterns(table).collections
    assert (found.key, found.models) == (("pk = {pk}",), (One, Two))


def test_a_partition_of_one_item_is_no_collection() -> None:
    """In a table without a sort key nothing is together with anything."""
    table = Table("single", partition_key="pk")

    @model(table, type="one", pk="ONE#{n}")
    class One:
        n: Attr[str] = attr()

    @model(table, type="two")
    class Two:
        pk: Attr[str] = partition_key()

    assert [one.model.__name__ for one in access_patterns(table).patterns] == ["One", "Two"]
    assert access_patterns(table).collections == ()


def test_unique_values_are_a_guarantee() -> None:
    """They are told apart from the patterns: a marker tells that a value is taken, and is not read."""
    (found,) = access_patterns(Paper).unique
    assert (found.model, found.attributes, found.marker_table) == (Paper, ("day", "kind"), "papers-unique")


def test_patterns_are_in_order() -> None:
    """By table, model, and index, however the models are given, each once; a get stands first."""
    one, other = access_patterns(SHOP, *PLAIN), access_patterns(*reversed((*PLAIN, *TEMPLATED, Order)))
    assert one == other
    places = [(pattern.table, pattern.model.__name__) for pattern in one.patterns]
    assert places == sorted(places)
    assert [(pattern.operation, pattern.index) for pattern in one.patterns if pattern.model is Order] == [
        ("get", None),
        ("query", None),
        ("query", "by_total"),
        ("query", "gsi1"),
        ("query", "gsi2"),
    ]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([], "access_patterns() without models"),
        ([int], "is not a model"),
        ([Table("nobody", partition_key="pk")], "no model of Table('nobody') has been declared yet"),
    ],
)
def test_what_is_no_model_is_refused(given: list[Any], words: str) -> None:
    """An empty report would say that there is nothing to read."""
    with pytest.raises(UsageError, match=re.escape(words)):
        access_patterns(*given)


# --- Markdown ---------------------------------------------------------------------------------


REPORT = """\
## Table `shop`

| Model | Read | Needs | May follow | Sorted by | From | Key | Notes | Example |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
| `Address` | get | `owner`, `label` |  |  | the table | `pk = CUSTOMER#{owner}`<br>`sk = ADDRESS#{owner}#{label:lower}` |  | `db.get(Address, owner, label)` |
| `Address` | query | `owner` | `label` (a value) |  | the table | `pk = CUSTOMER#{owner}`<br>`sk begins_with ADDRESS#{owner}#` |  | `db.query(Address).where(Address.owner == owner)` |
| `Customer` | get | `customer_id` |  |  | the table | `pk = CUSTOMER#{customer_id}`<br>`sk = PROFILE` |  | `db.get(Customer, customer_id)` |
| `Customer` | query | `email` |  |  | index `gsi1` | `gsi1pk = EMAIL#{email:lower}`<br>`gsi1sk = PROFILE` | eventually consistent | `db.query(Customer).where(Customer.email == email)` |

### Collections

- `pk = CUSTOMER#{owner}` in the table: `Address`, `Customer`

### Unique values

- `Customer.email`: no two items have the same; which values are taken is in `shop-unique`
"""


def test_the_markdown_says_it_all() -> None:
    """A heading a table, a row a pattern, then collections and unique values."""
    assert access_patterns(Customer, Address).markdown() == REPORT


def test_the_markdown_has_every_example_once() -> None:
    """What the tests above run is what people copy, with the notes that belong to it."""
    found = access_patterns(SHOP, *PLAIN, Event)
    lines = [line for line in found.markdown().splitlines() if line.endswith(")` |")]
    assert [re.search(r"`([^`]+)` \|$", line)[1] for line in lines] == [one.example for one in found.patterns]  # type: ignore[index]  # the line ends so
    (line,) = [line for line in lines if line.count("by_note)")]
    assert "only items where `attribute_exists(note)`<br>holds `db`, `written`, `price`, `note`" in line
    assert "| `price`, then `pages` | `price`, `pages` |" in found.markdown()


def test_no_text_breaks_a_cell() -> None:
    """Bars, backticks and line ends in a template or a condition stay within their cell, in one row."""
    table = Table("odd", partition_key="pk", sort_key="sk")

    @model(table, type="odd", pk="A|`B``C\n#{odd_id}", sk="X")
    class Odd:
        odd_id: Attr[str] = attr()

    lines = access_patterns(Odd).markdown().splitlines()
    assert "``` pk = A\\|`B``C\\n#{odd_id} ```<br>`sk = X`" in lines[4]
    assert len(re.findall(r"(?<!\\)\|", lines[4])) == len(re.findall(r"\|", lines[2]))
    (row,) = [line for line in access_patterns(Order).markdown().splitlines() if "a\\|b" in line]
    assert len(re.findall(r"(?<!\\)\|", row)) == len(re.findall(r"\|", lines[2]))


def test_the_documentation_shows_what_is_printed() -> None:
    """The report at the end of the page is that of the models at its beginning."""
    page = (Path(__file__).parents[3] / "docs" / "access-patterns.md").read_text()
    declared = re.search(r"^```python\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    assert declared is not None
    names: dict[str, Any] = {"__name__": __name__}
    exec(declared[1], names)  # noqa: S102 - our own page
    assert page.endswith("\n" + access_patterns(names["shop"], names["Reading"]).markdown())
