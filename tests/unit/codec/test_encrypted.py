"""Encrypted and secret attributes in the codec: plaintexts that nothing sends or shows, and no value without a ciphertext."""

from __future__ import annotations

import copy
import enum
import json
import pickle
import traceback
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import attrs
import msgspec
import pytest

from dynamorm_async import (
    Attr,
    DecodeError,
    DecryptError,
    InvalidKey,
    InvalidValue,
    attr,
    encrypted,
    model,
    partition_key,
)
from dynamorm_async.codec.compare import same_value
from dynamorm_async.codec.encrypted import ENCRYPTED, REFUSED, Plaintext
from dynamorm_async.codec.hidden import MASK, hidden
from dynamorm_async.codec.sizes import check_size, item_size
from dynamorm_async.model.spec import spec_of

CANARY = "canary-4f1d"


@attrs.define
class Contact:
    name: str = ""
    phones: list[str] = attrs.field(factory=list[str])


@model(table="patients")
class Patient:
    patient_id: Attr[str] = partition_key()
    ssn: Attr[str] = encrypted()
    note: Attr[str | None] = encrypted(default=None)
    tags: Attr[set[str]] = encrypted(factory=set)
    contact: Attr[Contact] = encrypted(factory=Contact)
    pin: Attr[int] = attr(default=0, secret=True)
    extra: Attr[dict[str, Any]] = attr(factory=dict, secret=True)


CODEC = spec_of(Patient).codec
STORED: dict[str, Any] = {"patient_id": {"S": "p"}, "ssn": {ENCRYPTED: {"S": CANARY}}}


def read(item: Mapping[str, Any]) -> Patient:
    found = CODEC.decode_get(json.dumps({"Item": item}).encode())
    assert found is not None
    return found


def test_a_value_is_encoded_as_a_plaintext() -> None:
    """The item has the value under the private tag; ``None`` is left out, as of any attribute with that default."""
    item = CODEC.encode(Patient(patient_id="p", ssn=CANARY, contact=Contact("Bo", ["1"])))
    assert same_value(item["ssn"], {ENCRYPTED: {"S": CANARY}})
    assert same_value(item["contact"][ENCRYPTED], {"M": {"name": {"S": "Bo"}, "phones": {"L": [{"S": "1"}]}}})
    assert "note" not in item
    assert same_value(item["tags"][ENCRYPTED], {"NULL": True})


def test_no_encoder_takes_a_plaintext() -> None:
    """A request that was not encrypted cannot be sent: the encoder of requests refuses it."""
    with pytest.raises(TypeError, match="Plaintext"):
        msgspec.json.encode({"Item": CODEC.encode(Patient(patient_id="p", ssn=CANARY))})


def test_both_paths_read_the_same() -> None:
    """What the compiled path reads is what the general path reads."""
    whole = {**STORED, "tags": {ENCRYPTED: {"SS": ["a"]}}, "contact": {ENCRYPTED: {"M": {"name": {"S": "Bo"}}}}}
    assert read(whole) == CODEC.decode(whole) == Patient(patient_id="p", ssn=CANARY, tags={"a"}, contact=Contact("Bo"))


@pytest.mark.parametrize(
    "found",
    [
        {"S": CANARY},
        {"B": "3kRFAQ=="},
        {"NULL": True},
        {"M": {ENCRYPTED: {"S": CANARY}}},
        {"L": []},
    ],
)
def test_what_was_not_encrypted_is_refused(found: Mapping[str, Any]) -> None:
    """A plaintext, or anything else that was not decrypted, is no value of an encrypted attribute."""
    with pytest.raises(DecryptError) as info:
        read({**STORED, "ssn": found})
    assert (info.value.model, info.value.key) == ("Patient", {"patient_id": "p"})
    assert [problem.path for problem in info.value.problems] == ["ssn"]
    assert "is not a ciphertext of this library" in str(info.value)
    assert CANARY not in str(info.value)


def test_what_could_not_be_decrypted_says_why() -> None:
    """The reason of a refusal stands in the error, beside what else is wrong with the item."""
    with pytest.raises(DecryptError) as info:
        read({**STORED, "ssn": {ENCRYPTED: {REFUSED: "is not authentic"}}, "pin": {"S": CANARY}})
    assert [(problem.path, problem.message) for problem in info.value.problems] == [
        ("ssn", "is not authentic"),
        ("pin", "the stored value does not fit its type; it is secret, so more is not shown"),
    ]


def test_a_decrypted_value_of_another_type_is_no_failure_of_decryption() -> None:
    """It is a DecodeError, without the value."""
    with pytest.raises(DecodeError) as info:
        read({**STORED, "ssn": {ENCRYPTED: {"L": [{"S": CANARY}]}}})
    assert type(info.value) is DecodeError
    assert CANARY not in str(info.value)


def test_none_is_read_where_the_type_admits_it() -> None:
    """NULL, or no attribute, is ``None``; presence is not encrypted."""
    assert read({**STORED, "note": {"NULL": True}}).note is None
    assert read(STORED).note is None


def test_reprs_show_no_secret_value() -> None:
    """Neither the instance, nor what is stored or known of it, shows a secret or encrypted value."""
    patient = Patient(patient_id="p", ssn=CANARY, note=CANARY, pin=77123, extra={"a": CANARY})
    assert repr(patient) == (
        f"Patient(patient_id='p', ssn={MASK}, note={MASK}, tags={MASK}, contact={MASK}, pin={MASK}, extra={MASK})"
    )
    known = CODEC.known(read({**STORED, "pin": {"N": "77123"}}))
    partial = CODEC.partial(frozenset({"patient_id", "pin"})).decode({"patient_id": {"S": "p"}, "pin": {"N": "77123"}})
    for shown in (repr(CODEC.encode(patient)), repr(known), repr(partial), str(hidden({"S": CANARY}))):
        assert CANARY not in shown
        assert "77123" not in shown
        assert MASK in shown


def test_values_that_cannot_be_stored_are_not_shown() -> None:
    """The error names class, attribute and type, not the value."""
    wrong: Any = CANARY
    with pytest.raises(InvalidValue) as info:
        CODEC.encode(Patient(patient_id="p", ssn=[wrong], pin=wrong))  # type: ignore[arg-type]  # wrong on purpose
    text = str(info.value)
    assert "Patient.ssn: the value, of class list, cannot be stored as this type" in text
    assert "Patient.pin: the value, of class str," in text
    assert CANARY not in text


def test_a_secret_key_is_not_shown() -> None:
    """A key attribute can be secret: errors about it, and of its items, mask it."""

    @model(table="tokens")
    class Token:
        token: Attr[str] = partition_key(secret=True)
        uses: Attr[int] = attr(default=0)

    codec = spec_of(Token).codec
    with pytest.raises(InvalidKey) as wrong:
        codec.encode_key([CANARY])
    with pytest.raises(DecodeError) as misfit:
        codec.decode({"token": {"S": CANARY}, "uses": {"S": "many"}})
    assert CANARY not in str(wrong.value)
    assert f"the item token={MASK} does not fit" in str(misfit.value)
    assert repr(misfit.value.key) == f"{{'token': {MASK}}}"


def test_plaintexts_are_equal_by_value() -> None:
    """An unchanged value is not written again, however its number or set is written."""
    assert Plaintext("a", {"N": "1"}) == Plaintext("b", {"N": "1.0"})
    assert Plaintext("a", {"SS": ["x", "y"]}) == {"SS": ["y", "x"]}
    assert Plaintext("a", {"S": "1"}) != Plaintext("a", {"N": "1"})
    assert Plaintext("a", {"S": "1"}) != "1"


def test_instances_copy_and_pickle() -> None:
    """What was read goes with a copy and a pickle, plaintexts included."""
    read_ = CODEC.decode(STORED)
    for other in (copy.deepcopy(read_), pickle.loads(pickle.dumps(read_))):  # noqa: S301 - made here
        assert other == read_
        known = CODEC.known(other)
        assert known is not None
        assert same_value(known.seen["ssn"], STORED["ssn"])


def test_the_size_counts_the_ciphertext() -> None:
    """A value is counted by what is stored of it, and large ones are refused before they are sent."""
    item = CODEC.encode(Patient(patient_id="p", ssn="x" * 1000))
    assert 1000 < item_size(item) < 1400
    large = CODEC.encode(Patient(patient_id="p", ssn="x" * 410_000))
    with pytest.raises(Exception, match="largest attribute is ssn"):
        check_size("Patient", large)


def test_what_nests_too_deep_to_be_read_is_not_written() -> None:
    """DynamoDB would take it, since it sees bytes only; but what is read has the limit of any other attribute."""

    @model(table="deep")
    class Deep:
        pk: Attr[str] = partition_key()
        value: Attr[list[Any]] = encrypted()

    value: list[Any] = []
    for _ in range(40):
        value = [value]
    with pytest.raises(InvalidValue, match=r"Deep\.value"):
        spec_of(Deep).codec.encode(Deep(pk="p", value=value))


class Mood(enum.Enum):
    GLAD = "glad"


@model("moods")
class Diary:
    day: Attr[str] = partition_key()
    mood: Attr[Mood] = attr(default=Mood.GLAD, secret=True)
    seen: Attr[datetime | None] = attr(default=None, secret=True)


@pytest.mark.parametrize("attribute", ["mood", "seen"])
def test_a_trace_shows_no_secret_value(attribute: str) -> None:
    """Parsers quote what they cannot read: a misfit's trace does not print what they said, on any way in."""
    codec = spec_of(Diary).codec
    item = {"day": {"S": "d"}, attribute: {"S": CANARY}}
    raw = json.dumps(item)
    ways: list[Callable[[], object]] = [
        lambda: codec.decode(item),
        lambda: codec.decode_get(f'{{"Item": {raw}}}'.encode()),
        lambda: codec.decode_written(f'{{"Attributes": {raw}}}'.encode()),
        lambda: codec.decode_page(f'{{"Items": [{raw}], "Count": 1, "ScannedCount": 1}}'.encode()),
    ]
    for way in ways:
        with pytest.raises(DecodeError, match=f"{attribute}: ") as info:
            way()
        assert CANARY not in "".join(traceback.format_exception(info.value))
