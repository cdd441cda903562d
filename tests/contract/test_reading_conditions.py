"""Conditions mean the same to the engines as to an evaluator written from the developer guide."""

from __future__ import annotations

from decimal import Decimal

import pytest

from dynamorm_async import Condition, Database
from dynamorm_async.expressions.placeholders import Placeholders
from dynamorm_async.model.spec import spec_of
from tests.contract.reading_models import Case, Place, connect, put_all
from tests.engines import endpoint_of
from tests.property.evaluator import Parser

pytestmark = pytest.mark.anyio

PARIS, LYON = Place(city="Paris", postcode="75"), Place(city="Lyon")

CASES = (
    Case(name="nothing"),
    Case(name="null", maybe=None),
    Case(name="text", text="apple", other="apple"),
    Case(name="other text", text="Apple", other="banana"),
    Case(name="long text", text="apple pie with cream", other="pie"),
    Case(name="accents", text="äpple", other="set"),
    Case(name="zero", size=0, exact=Decimal(0), low=Decimal(0)),
    Case(name="one", size=1, exact=Decimal("1.0"), low=Decimal("0.5")),
    Case(name="ten", size=10, exact=Decimal(10), low=Decimal(9)),
    Case(name="minus", size=-10, exact=Decimal("-0.001"), low=Decimal(-1)),
    Case(name="large", size=10**30, exact=Decimal("1E+30"), low=Decimal("1E+30")),
    Case(name="yes", flag=True, text="true"),
    Case(name="no", flag=False, size=3),
    Case(name="binary", blob=b"\x00\xff", text="set"),
    Case(name="words", words={"a", "apple"}, text="a"),
    Case(name="more words", words={"b"}, other="b"),
    Case(name="numbers", numbers=[1, 2, 3], size=3),
    Case(name="no numbers", numbers=[], names={}),
    Case(name="places", place=PARIS, places=[LYON, PARIS], names={"a": "x", "b.c": "y"}),
    Case(name="a place", place=LYON, places=[], maybe="Lyon", names={"a": "Lyon"}),
)

CITY = Case.place / Place.city
POSTCODE = Case.place / Place.postcode

CONDITIONS: tuple[Condition, ...] = (
    Case.text == "apple",
    Case.text != "apple",
    Case.text < "apple",
    Case.text <= "apple",
    Case.text > "apple",
    Case.text >= "apple",
    Case.size == 0,
    Case.size != 0,
    Case.size < 3,
    Case.size >= 10,
    Case.exact == Decimal(1),
    Case.exact > Decimal("-0.01"),
    Case.exact < Decimal("9.5"),
    Case.exact.between(Decimal(-1), Decimal(1)),
    Case.size.between(3, 10),
    Case.text.between("a", "b"),
    Case.size.is_in([1, 3, 10**30]),
    Case.text.is_in(["apple", "true"]),
    ~Case.text.is_in(["apple", "true"]),
    Case.flag == True,  # noqa: E712 - a condition
    Case.flag != True,  # noqa: E712 - a condition
    Case.blob == b"\x00\xff",
    Case.blob != b"\x00\xff",
    Case.words == {"apple", "a"},
    Case.words != {"b"},
    Case.numbers == [1, 2, 3],
    Case.place == LYON,
    Case.text.begins_with("apple"),
    Case.text.begins_with("Ä".lower()),
    ~Case.text.begins_with("a"),
    Case.text.contains("pie"),
    Case.words.contains("a"),
    Case.numbers.contains(2),
    ~Case.words.contains("a"),
    Case.text.exists(),
    Case.text.not_exists(),
    Case.flag.exists(),
    Case.maybe == None,  # noqa: E711 - a condition
    Case.maybe != None,  # noqa: E711 - a condition
    Case.text == None,  # noqa: E711 - a condition
    Case.text != None,  # noqa: E711 - a condition
    Case.maybe.attribute_type("NULL"),
    Case.maybe.attribute_type("S"),
    Case.words.attribute_type("SS"),
    Case.numbers.attribute_type("L"),
    ~Case.place.attribute_type("M"),
    Case.text.size() > 5,
    Case.text.size() == 5,
    Case.words.size() == 2,
    Case.numbers.size() == 0,
    Case.names.size() >= 1,
    Case.numbers.size() != 3,
    ~(Case.numbers.size() > 0),
    Case.text.size() > Case.other.size(),
    Case.text == Case.other,
    Case.text != Case.other,
    Case.text < Case.other,
    Case.exact > Case.low,
    Case.exact.between(Case.low, Decimal(100)),
    Case.maybe == Case.text,
    CITY == "Paris",
    CITY != "Paris",
    POSTCODE.exists(),
    POSTCODE.not_exists(),
    (Case.places[0] / Place.city) == "Lyon",
    (Case.places[1] / Place.city).exists(),
    Case.places[1].not_exists(),
    Case.numbers[1] >= 2,
    Case.names["a"] == "Lyon",
    Case.names["b.c"] == "y",
    Case.names["a"] == CITY,
    Case.maybe == Case.other,
    ~(Case.size == 3),
    ~(Case.size < 3),
    ~~(Case.size < 3),
    (Case.size < 3) & (Case.exact > Decimal(0)),
    (Case.size < 3) | (Case.exact > Decimal(0)),
    ~((Case.size < 3) | Case.text.exists()),
    ~((Case.size < 3) & Case.exact.exists()),
    (Case.size == 3) & (Case.flag.exists() | Case.numbers.exists()),
    (Case.size == 3) & Case.flag.exists() | Case.words.exists(),
    Case.flag.not_exists() & ~(Case.text.exists() | Case.size.exists() | Case.place.exists()),
)


@pytest.fixture(params=["dynoxide", "dynamodb-local"])
def judge(request: pytest.FixtureRequest) -> str:
    """The endpoint of an engine whose word counts."""
    return endpoint_of(request.param, request)


def names_of(condition: Condition) -> set[str]:
    """For which cases a condition holds, by the evaluator."""
    placeholders, body = Placeholders(), dict[str, object]()
    placeholders.into(body, ConditionExpression=condition.render(placeholders))
    holds = Parser(str(body["ConditionExpression"]), body).condition()
    return {case.name for case in CASES if holds(spec_of(Case).codec.encode(case))}


async def fill(db: Database) -> None:
    await db.tables.ensure(Case)
    await put_all(db, CASES)


async def test_engines_and_evaluator_agree(judge: str) -> None:
    """Each condition, as a filter, keeps the very items for which the evaluator says that it holds."""
    wrong: list[str] = []
    kept: set[bool] = set()
    async with connect(judge, "direct") as db:
        await fill(db)
        for number, condition in enumerate(CONDITIONS):
            found = {case.name async for case in db.scan(Case).where(condition)}
            expected = names_of(condition)
            kept |= {bool(expected), len(expected) < len(CASES)}
            if found != expected:
                wrong.append(
                    f"{number}, {condition!r}: engine only {found - expected}, evaluator only {expected - found}"
                )
    assert wrong == []
    assert len(CONDITIONS) >= 60
    assert kept == {True}, "each condition keeps some cases and drops some"


async def test_a_filter_and_its_negation_share_the_items(judge: str) -> None:
    """NOT turns every verdict around, that on a missing attribute as well: no item is in both or in neither."""
    async with connect(judge, "direct") as db:
        await fill(db)
        for condition in CONDITIONS:
            kept = [case.name for case in await db.scan(Case).where(condition)]
            dropped = [case.name for case in await db.scan(Case).where(~condition)]
            assert sorted(kept + dropped) == sorted(case.name for case in CASES)
