"""The error tree: complete against botocore's service models, readable, and fit to travel between processes."""

from __future__ import annotations

import copy
import pickle
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel

from dynamorm_async import (
    AccessDenied,
    Attr,
    BackfillFailed,
    BackfillFailure,
    BackfillMismatch,
    BackupRefused,
    BatchGetFailed,
    BatchOperation,
    BatchReport,
    BatchWriteFailed,
    CallError,
    ConditionFailed,
    DecodeError,
    DynamormError,
    FileError,
    ImportFailed,
    ItemTooLarge,
    JobFailed,
    JobTimeout,
    Key,
    LeaseHeld,
    LeaseLost,
    MigrationFailed,
    NotOne,
    PlanOutdated,
    PlanRefused,
    Problem,
    RequestRejected,
    ServerError,
    ServiceError,
    TableMismatch,
    TableTimeout,
    Throttled,
    TransportError,
    VersionConflict,
    attr,
    model,
    partition_key,
)
from dynamorm_async.errors import ERROR_CODES, error_class


@model(table="things")
class Thing:
    pk: Attr[str] = partition_key()
    blob: Attr[bytes] = attr(default=b"\x00")


def classes(root: type[DynamormError] = DynamormError) -> Iterator[type[DynamormError]]:
    yield root
    for child in root.__subclasses__():
        yield from classes(child)


def example(kind: type[DynamormError]) -> DynamormError:  # noqa: C901, PLR0912, PLR0915 - one branch a shape of constructor
    """An error of a class, with every fact that it can carry."""
    error: DynamormError
    if issubclass(kind, ServiceError):
        error = kind("no", operation="PutItem", table="t", attempts=3, code="Code", status=418, request_id="r1")
    elif issubclass(kind, TransportError):
        error = kind("no", operation="PutItem", table="t", attempts=3, sent=True)
    elif issubclass(kind, BatchWriteFailed):
        left = BatchOperation("put", Thing, Key(Thing, "a"), Thing(pk="a"))
        error = kind("no", operation="PutItem", table="t", attempts=3, report=BatchReport(7, 1, (left,)))
    elif issubclass(kind, BatchGetFailed):
        found = {Key(Thing, "a"): Thing(pk="a"), Key(Thing, "b"): None}
        keys = (Key(Thing, "c"),)
        error = kind("no", operation="PutItem", table="t", attempts=3, found=found, unprocessed=keys, misfits={})
    elif issubclass(kind, CallError):
        error = kind("no", operation="PutItem", table="t", attempts=3)
    elif issubclass(kind, DecodeError):
        error = kind("Thing", {"pk": "a"}, [Problem("blob", "is missing")])
    elif issubclass(kind, TableMismatch):
        error = kind("t", ["it has no index by_name"])
    elif issubclass(kind, BackfillMismatch):
        error = kind("names", ["segments was 1, and is 2 now"])
    elif issubclass(kind, BackfillFailed):
        error = kind("no", name="names", failures=[BackfillFailure({"pk": "a"}, "ValueError", "odd")])
    elif issubclass(kind, PlanOutdated):
        error = kind("t", ["delete index by_name"])
    elif issubclass(kind, PlanRefused):
        error = kind(["table t: it has no local index"])
    elif issubclass(kind, BackupRefused):
        error = kind("there is such a table", table="t")
    elif issubclass(kind, TableTimeout):
        error = kind("too slow", table="t", status="CREATING")
    elif issubclass(kind, LeaseHeld):
        at = datetime(2026, 1, 1, tzinfo=UTC)
        error = kind("held", name="x", owner="a", token=1, acquired=at, renewed=at, watched=0.5)
    elif issubclass(kind, LeaseLost):
        error = kind("lost", name="x", token=1)
    elif issubclass(kind, MigrationFailed):
        error = kind("failed", number=2, name="0002_b", direction="up", step="copy", steps=["make"])
    elif issubclass(kind, NotOne):
        error = kind("more than one item", found=2)
    elif issubclass(kind, ItemTooLarge):
        error = kind("too large", size=400_001)
    elif issubclass(kind, ImportFailed):
        error = kind("stopped", result=("written", 3))
    elif issubclass(kind, JobFailed):
        error = kind("failed", arn="arn:x", code="S3NoSuchBucket", reason="no bucket")
    elif issubclass(kind, JobTimeout):
        error = kind("takes longer", arn="arn:x", status="IN_PROGRESS")
    elif issubclass(kind, FileError):
        error = kind("is cut", file="items.gz", line=3)
    else:
        error = kind("a sentence")
    if isinstance(error, ConditionFailed):
        error.item, error.raw_item = Thing(pk="a"), {"pk": {"S": "a"}, "blob": {"B": b"\x00"}}
    if isinstance(error, VersionConflict):
        error.expected, error.found = 3, 4
    return error


OURS = {kind for kind in classes() if kind.__module__ == DynamormError.__module__}  # not those of other tests
ALL = sorted(OURS, key=lambda kind: kind.__name__)


def codes(service: str) -> set[str]:
    """The code of every error shape in a service's model, as it stands on the wire."""
    shapes = ServiceModel(Loader().load_service_model(service, "service-2"), service)
    found: set[str] = set()
    for name in shapes.shape_names:
        shape = shapes.shape_for(name)
        if shape.metadata.get("exception"):
            found.add(str(shape.metadata.get("error", {}).get("code", name)))
    return found


@pytest.mark.parametrize("service", ["dynamodb", "dynamodbstreams"])
def test_every_modelled_error_has_a_class(service: str) -> None:
    """Each error shape that botocore knows of DynamoDB and its streams is in ERROR_CODES."""
    found = codes(service)
    assert len(found) > 3
    assert found - set(ERROR_CODES) == set()


@pytest.mark.parametrize(
    ("status", "family"),
    [
        (400, RequestRejected),
        (401, AccessDenied),
        (403, AccessDenied),
        (413, RequestRejected),
        (429, Throttled),
        (500, ServerError),
        (503, ServerError),
    ],
)
def test_an_unknown_code_falls_back_by_family(status: int, family: type[ServiceError]) -> None:
    """A code that is not known yet is still an error of the right family."""
    assert error_class("BrandNewException", status) is family


def test_a_known_code_beats_its_status() -> None:
    """DynamoDB sends throttling with status 400; the code decides."""
    assert error_class("ThrottlingException", 400) is Throttled
    assert error_class("ConditionalCheckFailedException", 400) is ConditionFailed


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_the_text_says_where_and_what(kind: type[DynamormError]) -> None:
    """The text of an error names operation, table, attempts, code and request, wherever it has them."""
    text = str(example(kind))
    if issubclass(kind, CallError):
        assert text.startswith("PutItem on table t: no (after 3 attempts)")
    if issubclass(kind, ServiceError):
        assert "[Code]" in text
        assert "(request id r1)" in text
    assert text.strip()


def test_a_call_without_a_table_names_the_operation() -> None:
    """Operations on no table, and first attempts, are told without them."""
    assert str(CallError("no", operation="ListTables")) == "ListTables: no"


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_errors_survive_pickling(kind: type[DynamormError]) -> None:
    """Executors and multiprocessing pickle exceptions: class, text and every fact come out again."""
    error = example(kind)
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(error, protocol))  # noqa: S301 - bytes made here
        assert type(again) is kind
        assert (str(again), again.args, vars(again)) == (str(error), error.args, vars(error))
    copied = copy.copy(error)
    assert (type(copied), str(copied), vars(copied)) == (kind, str(error), vars(error))


def test_notes_survive_pickling() -> None:
    """What a handler added with add_note() travels as well."""
    error = example(Throttled)
    error.add_note("while saving the basket")
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - bytes made here
    assert again.__notes__ == ["while saving the basket"]


def test_the_tree_is_public() -> None:
    """Every class of the tree can be imported from the package itself."""
    public = vars(sys.modules["dynamorm_async"])
    assert [kind.__name__ for kind in ALL if public.get(kind.__name__) is not kind] == []


def test_an_operation_of_a_batch_shows_its_key_alone() -> None:
    """Neither repr nor what the package rich asks for has the item, which belongs in no log."""
    left = BatchOperation("put", Thing, Key(Thing, "a"), Thing(pk="a", blob=b"private"))
    assert repr(left) == "BatchOperation(put Key(Thing, 'a'))"
    assert left.__rich_repr__() == [("kind", "put"), ("key", Key(Thing, "a"))]
