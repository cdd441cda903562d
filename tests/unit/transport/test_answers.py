from __future__ import annotations

import json
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamorm_async.errors import (
    AccessDenied,
    BadResponse,
    ConditionFailed,
    RequestRejected,
    ServerError,
    ServiceError,
    Throttled,
    TransactionCancelled,
    ValidationFailed,
)
from dynamorm_async.transport.answers import check_answer, service_error
from dynamorm_async.types import Request, Response

GET = Request(operation="GetItem", body={}, table="users")
JSON = "application/x-amz-json-1.0"
NAMESPACE = "com.amazonaws.dynamodb.v20120810#"


def check(
    body: bytes,
    *,
    request: Request = GET,
    status: int = 200,
    content_type: str = JSON,
    crc32: str | None = None,
    crc_required: bool = False,
) -> Response:
    return check_answer(
        request,
        status=status,
        content_type=content_type,
        crc32=crc32,
        body=body,
        request_id="R1",
        crc_required=crc_required,
    )


@pytest.mark.parametrize("body", [b'{"a": }', b'{"a": "\xff"}', b'{"a":' * 5000 + b"}" * 5000, b'{"a": [}'])
def test_the_answer_of_a_write_is_parsed(body: bytes) -> None:
    """Nobody may look at it, so that a broken one would pass for a success."""
    put = Request(operation="PutItem", body={}, table="users")
    with pytest.raises(BadResponse, match="is not readable JSON") as caught:
        check(body, request=put, crc32=str(zlib.crc32(body)))
    assert caught.value.sent
    for whole in (b"{}", b"{ }", b'{"Attributes": {}}'):
        assert check(whole, request=put).body == whole


def refused(status: int, **body: Any) -> ServiceError:  # Any: wire JSON
    with pytest.raises(ServiceError) as caught:
        check(json.dumps(body).encode(), status=status)
    return caught.value


@pytest.mark.parametrize("content_type", [JSON, "application/json", "Application/JSON; charset=utf-8"])
@pytest.mark.parametrize("body", [b"{}", b' {"Item": {}}\r\n'])
def test_a_whole_answer_is_handed_on_as_it_came(content_type: str, body: bytes) -> None:
    """A 200 with DynamoDB's content type, right CRC32 and a JSON object is returned untouched, with its id."""
    response = check(body, content_type=content_type, crc32=str(zlib.crc32(body)), crc_required=True)
    assert response == Response(body, "R1", 1)


@pytest.mark.parametrize(
    ("body", "status", "content_type", "crc32", "words"),
    [
        (b"{}", 200, JSON, "1", "CRC32"),
        (b"{}", 200, JSON, "garbage", "CRC32"),
        (b"{}", 400, JSON, "1", "CRC32"),
        (b"{}", 200, "text/html", None, "proxy"),
        (b"{}", 200, "", None, "no content type"),
        (b"", 200, JSON, None, "empty or cut"),
        (b'{"Item": {', 200, JSON, None, "empty or cut"),
        (b"[1]", 200, JSON, None, "empty or cut"),
        (b"null", 200, JSON, None, "empty or cut"),
        (b"{}", 204, JSON, None, "204"),
        (b"{}", 301, JSON, None, "redirect"),
        (b"{}", 307, JSON, None, "redirect"),
        (b"<html>private</html>", 403, "text/html", None, "firewall"),
        (b"", 413, "", None, "413"),
        (b"{}", 400, JSON, None, "not an error of DynamoDB"),
        (b'{"message": "Forbidden"}', 403, "application/json", None, "firewall"),
        (b'{"__type": 3}', 400, JSON, None, "not an error of DynamoDB"),
        (b"[" * 100_000, 400, JSON, None, "not an error of DynamoDB"),
    ],
)
def test_a_strangers_answer_is_refused(
    body: bytes, status: int, content_type: str, crc32: str | None, words: str
) -> None:
    """What is not a whole answer of DynamoDB is BadResponse with sent=True, and its body is not shown."""
    with pytest.raises(BadResponse, match=words) as caught:
        check(body, status=status, content_type=content_type, crc32=crc32)
    assert caught.value.sent
    assert (caught.value.operation, caught.value.table) == ("GetItem", "users")
    assert "private" not in str(caught.value)


def test_an_answer_is_text() -> None:
    """What is not UTF-8 is refused where no CRC32 vouches for it, also in a part of it that no decoder looks at."""
    assert check('{"Item": {"id": {"S": "ü"}}}'.encode()).body
    with pytest.raises(BadResponse, match="not readable JSON"):
        check(b'{"Other": {"id": {"S": "\xff\xfe"}}}')


def test_a_missing_crc_is_refused_only_where_it_is_required() -> None:
    """Engines without CRC32 are believed; DynamoDB itself is not without it."""
    assert check(b"{}").body == b"{}"
    with pytest.raises(BadResponse, match="x-amz-crc32"):
        check(b"{}", crc_required=True)


@pytest.mark.parametrize("body", [b"<html>private</html>", b"", b'{"message": "private"}'])
def test_a_5xx_without_an_error_of_dynamodb_is_a_server_error(body: bytes) -> None:
    """A load balancer's 503 is a ServerError with an empty code: it may be tried again."""
    with pytest.raises(ServerError, match="503") as caught:
        check(body, status=503, content_type="text/html")
    assert (caught.value.code, caught.value.status, caught.value.request_id) == ("", 503, "R1")
    assert "private" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "code", "kind", "bare"),
    [
        (400, NAMESPACE + "ValidationException", ValidationFailed, "ValidationException"),
        (400, "com.amazon.coral.service#UnrecognizedClientException", AccessDenied, "UnrecognizedClientException"),
        (400, "ThrottlingException:http://internal/", Throttled, "ThrottlingException"),
        (500, NAMESPACE + "InternalServerError", ServerError, "InternalServerError"),
        (400, "NewKindOfException", RequestRejected, "NewKindOfException"),
        (503, "NewKindOfException", ServerError, "NewKindOfException"),
    ],
)
def test_the_code_chooses_the_class(status: int, code: str, kind: type[ServiceError], bare: str) -> None:
    """Namespace and suffix come off the code, which chooses the class; an unknown one falls back by status."""
    error = refused(status, __type=code, message="own words")
    assert type(error) is kind
    assert (error.code, error.status, error.message) == (bare, status, "own words")
    assert (error.operation, error.table, error.request_id) == ("GetItem", "users", "R1")


def test_the_message_is_dynamodbs_own() -> None:
    """The message is taken as sent, under either spelling; without one the error still says something."""
    assert refused(400, __type="ValidationException", Message="Own").message == "Own"
    assert refused(400, __type="ValidationException").message == "DynamoDB gave no reason"


def test_errors_carry_what_the_body_has() -> None:
    """The item, the cancellation reasons (in place) and the throttling reasons are kept as sent."""
    failed = refused(400, __type="ConditionalCheckFailedException", Item={"a": {"S": "x"}})
    assert isinstance(failed, ConditionFailed)
    assert failed.raw_item == {"a": {"S": "x"}}
    cancelled = refused(400, __type="TransactionCanceledException", CancellationReasons=[{"Code": "None"}, 3])
    assert isinstance(cancelled, TransactionCancelled)
    assert cancelled.reasons == ({"Code": "None"}, {})
    assert not cancelled.retryable
    throttled = refused(400, __type="ThrottlingException", ThrottlingReasons=[{"reason": "r", "resource": "arn"}])
    assert isinstance(throttled, Throttled)
    assert throttled.reasons == ({"reason": "r", "resource": "arn"},)


@pytest.mark.parametrize(
    ("codes", "retryable"),
    [
        (["None", "TransactionConflict"], True),
        (["ThrottlingError", "ProvisionedThroughputExceeded"], True),
        (["TransactionConflict", "ConditionalCheckFailed"], False),
        (["None"], False),
    ],
)
def test_a_cancelled_transaction_says_whether_it_may_work_later(codes: list[str], *, retryable: bool) -> None:
    """``retryable`` of the error follows its reasons; the class itself stays as it is."""
    reasons = [{"Code": code} for code in codes]
    assert refused(400, __type="TransactionCanceledException", CancellationReasons=reasons).retryable is retryable
    assert TransactionCancelled.retryable is False


def test_odd_extras_are_dropped() -> None:
    """Extras of the wrong shape never hide the error itself."""
    for code, extra in (("ConditionalCheckFailedException", "Item"), ("ThrottlingException", "ThrottlingReasons")):
        error = service_error(GET, status=400, code=code, message="m", request_id=None, body={extra: 3})
        assert error.code == code
        assert getattr(error, "raw_item", None) is None
        assert getattr(error, "reasons", ()) == ()


@given(status=st.integers(200, 599), body=st.binary() | st.text().map(str.encode), content_type=st.text(max_size=30))
def test_nothing_but_typed_errors_escapes(status: int, body: bytes, content_type: str) -> None:
    """Whatever bytes come, the result is a Response for a 200 JSON object, or one of our errors."""
    try:
        response = check(body, status=status, content_type=content_type)
    except (ServiceError, BadResponse) as error:
        assert error.operation == "GetItem"  # noqa: PT017 - either outcome is right; each is checked
    else:
        assert (status, response.body) == (200, body)
        assert (body.strip()[:1], body.strip()[-1:]) == (b"{", b"}")
