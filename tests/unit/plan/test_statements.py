"""PartiQL statements as records: what they are, and what is refused before anything is sent."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from dynamorm_async import Attr, InvalidValue, Statement, UsageError, attr, model, partition_key
from dynamorm_async.plan.statements import MAX_LENGTH, StatementKind, statement_kind


@model(table="users")
class User:
    org: Attr[str] = partition_key()
    age: Attr[int] = attr(default=0)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('SELECT * FROM "users"', "read"),
        ("  \n\tselect age from users", "read"),
        ('-- DELETE?\nSELECT * FROM "users"', "read"),
        ('/* UPDATE */ /* twice\n */SELECT * FROM "users"', "read"),
        ("INSERT INTO users VALUE {'org': 'a'}", "write"),
        ("update users set age = 1 where org = 'a'", "write"),
        ("Delete FROM users where org = 'a'", "write"),
        ("-- SELECT\nUPDATE users SET age = 1 WHERE org = 'a'", "write"),
        ("EXISTS(SELECT * FROM users WHERE org = 'a')", "check"),
        ("MERGE INTO users", "other"),
        ("SELECTED", "other"),
        ("'SELECT'", "other"),
        ("17", "other"),
    ],
)
def test_the_first_word_says_what_a_statement_does(text: str, kind: StatementKind) -> None:
    """Case, white space and comments aside; what is not known is never taken for a read."""
    assert statement_kind(text) == kind
    assert Statement(text).kind == kind


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("SELECT * FROM users", 0),
        ("SELECT * FROM users WHERE org = ?", 1),
        ("SELECT * FROM users WHERE org=? AND age IN [?,?]", 3),
        ("SELECT * FROM users WHERE org = 'why?' AND age = ?", 1),
        ("SELECT * FROM users WHERE org = 'it''s?' AND age = ?", 1),
        ("SELECT * FROM users WHERE org = '''?''' AND age = ?", 1),
        ("SELECT * FROM users WHERE org = '\"' AND age = ?", 1),
        ('SELECT "a?", "b""?" FROM "users" WHERE org = ?', 1),
        ('SELECT "it\'s" FROM "users" WHERE org = ?', 1),
        ("SELECT * FROM users WHERE org = '-- ' AND age = ?", 1),
        ("SELECT * FROM users -- why? it's\nWHERE org = ?", 1),
        ("SELECT * FROM users /* why? it's */ WHERE org = ?", 1),
    ],
)
def test_placeholders_are_counted_outside_of_quotes(text: str, number: int) -> None:
    """As many parameters as placeholders are accepted, one more and one less are refused."""
    assert len(Statement(text, *["x"] * number).values) == number
    for wrong in {number + 1, max(0, number - 1)} - {number}:
        with pytest.raises(UsageError, match=rf"has {number} placeholders .* got {wrong} parameters"):
            Statement(text, *["x"] * wrong)


@pytest.mark.parametrize("text", ["", "  \n", "-- SELECT", "/* SELECT */ "])
def test_no_text_is_refused(text: str) -> None:
    """Nothing but white space and comments is no statement."""
    with pytest.raises(UsageError, match="is empty"):
        Statement(text)


def test_the_length_is_bounded() -> None:
    """8192 characters are taken, one more is refused with what to do."""
    longest = "SELECT * FROM users".ljust(MAX_LENGTH)
    assert Statement(longest).text == longest
    with pytest.raises(UsageError, match=r"has 8193 characters.*parameters"):
        Statement(longest + " ")


def test_comments_that_never_end_take_no_time() -> None:
    """A text made to be slow to scan is judged at once."""
    assert Statement("/**/" * 2000 + "17").kind == "other"
    assert Statement("SELECT " + "/*" * 4000).kind == "read"


@pytest.mark.parametrize("text", ["SELECT * FROM users WHERE org = 'a", 'SELECT * FROM "users', "SELECT 'a' || '?"])
def test_an_open_quote_is_refused(text: str) -> None:
    """Else the count of placeholders would mislead."""
    with pytest.raises(UsageError, match="a quote is not closed"):
        Statement(text)


def test_what_is_no_text_or_no_model_is_refused() -> None:
    """Callers without a type checker get the same clear answer."""
    wrong: Any = b"SELECT * FROM users"
    with pytest.raises(UsageError, match="is text, got b'SELECT"):
        Statement(wrong)
    with pytest.raises(UsageError, match="is not a model"):
        Statement("SELECT * FROM users", into=int)
    not_a_class: Any = "User"
    with pytest.raises(UsageError, match="is not a model"):
        Statement("SELECT * FROM users", into=not_a_class)


def test_a_wrong_parameter_is_named_by_its_position() -> None:
    """The message says which parameter DynamoDB cannot hold, and why."""
    with pytest.raises(InvalidValue, match=r"parameter 2 of the PartiQL statement: nan is not a number"):
        Statement("SELECT * FROM users WHERE org = ? AND age = ?", "a", float("nan"))


def test_parameters_are_encoded_at_once() -> None:
    """A list that changes later does not change the statement."""
    ages = [1, 2]
    statement = Statement("UPDATE users SET ages = ? WHERE org = 'a'", ages)
    ages.append(3)
    assert statement.values == ({"L": [{"N": "1"}, {"N": "2"}]},)


def test_a_statement_is_a_frozen_record() -> None:
    """Equal by text, parameters and model; hashable; not to be changed."""
    text = "SELECT * FROM users WHERE org = ?"
    one = Statement(text, "a", into=User)
    assert one == Statement(text, "a", into=User)
    assert len({one, Statement(text, "a", into=User), Statement(text, "b", into=User), Statement(text, "a")}) == 3
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        one.text = "SELECT 1"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]  # what is refused


def test_the_repr_tells_no_parameters() -> None:
    """Parameters can be anybody's data: they are counted, not shown; a long text is cut."""
    assert repr(Statement("SELECT 1 WHERE a = ?", "secret", into=User)) == (
        "<Statement 'SELECT 1 WHERE a = ?' parameters=1 into=User>"
    )
    assert len(repr(Statement("SELECT ".ljust(5000, "x")))) < 120
