"""Whether an HTTP answer is a whole answer of DynamoDB, and which error it stands for."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any, Final, cast

import msgspec

from dynamorm_async.errors import (
    BadResponse,
    ConditionFailed,
    ServerError,
    ServiceError,
    Throttled,
    TransactionCancelled,
    error_class,
)
from dynamorm_async.transport.retry import cancellation_rule
from dynamorm_async.types import Request, Response

_JSON_TYPES: Final = frozenset({"application/x-amz-json-1.0", "application/json"})
_OBJECT: Final = msgspec.json.Decoder(dict[str, Any])  # Any: wire JSON
_NOTHING: Final = b"{}"
_OK: Final = 200
_REDIRECTS: Final = 300
_ERRORS: Final = 400
_SERVER_ERRORS: Final = 500


def service_error(  # Any: the body is wire JSON, as open as DynamoDB's own format
    request: Request, *, status: int, code: str, message: str, request_id: str | None, body: Mapping[str, Any]
) -> ServiceError:
    """The error that an error answer of DynamoDB stands for. Costs no I/O.

    Args:
        request: what was sent.
        status: the HTTP status.
        code: the error code; a namespace before ``#`` and a suffix after ``:`` are taken off.
        message: DynamoDB's own words, kept as they are.
        request_id: the id of the request, for AWS support.
        body: the answer as wire JSON; read for the item, the cancellation reasons and the throttling reasons.

    Returns:
        The error, not raised, of the class that stands for the code.
    """
    code = code.rpartition("#")[2].partition(":")[0]
    error = error_class(code, status)(
        message or "DynamoDB gave no reason",
        operation=request.operation,
        table=request.table,
        code=code,
        status=status,
        request_id=request_id,
    )
    if isinstance(error, ConditionFailed):
        item = body.get("Item")
        error.raw_item = item if isinstance(item, Mapping) else None
    elif isinstance(error, TransactionCancelled):
        error.reasons = _mappings(body.get("CancellationReasons"))
        error.retryable = cancellation_rule(error.reasons) is not None
    elif isinstance(error, Throttled):
        error.reasons = _mappings(body.get("ThrottlingReasons"))
    return error


def check_answer(
    request: Request,
    *,
    status: int,
    content_type: str,
    crc32: str | None,
    body: bytes,
    request_id: str | None,
    crc_required: bool,
) -> Response:
    """Believe an HTTP answer only if it is a whole answer of DynamoDB.

    What a read answers is not parsed inside its outer braces; the decoder does that. What a write answers is mostly ``{}``, and
    often looked at by nobody: that is parsed. Costs no I/O, and one pass over the body for its CRC32.

    Args:
        request: what was sent.
        status: the HTTP status.
        content_type: the header ``content-type``, empty where there was none.
        crc32: the header ``x-amz-crc32``.
        body: the whole body.
        request_id: the header ``x-amzn-requestid``.
        crc_required: whether a 200 without the CRC32 header is refused.

    Returns:
        The checked answer.

    Raises:
        ServiceError: DynamoDB refused the request; also ``ServerError`` for a 5xx that has no DynamoDB error in it.
        BadResponse: the answer is not DynamoDB's, or not whole.
    """
    if crc32 is not None and crc32 != str(zlib.crc32(body)):
        raise _bad(request, f"the CRC32 of the answer's {len(body)} bytes is not the one that its header names")
    if status >= _ERRORS:
        raise _refusal(request, status=status, content_type=content_type, body=body, request_id=request_id)
    if status != _OK:
        what = "a redirect, which is never followed" if status >= _REDIRECTS else "not an answer of DynamoDB"
        raise _bad(request, f"HTTP status {status} is {what}; check the endpoint")
    if content_type not in _JSON_TYPES and content_type.partition(";")[0].strip().lower() not in _JSON_TYPES:
        raise _bad(request, f"{_outline(status, content_type, body)} is not DynamoDB JSON; is there a proxy between?")
    if body[:1] != b"{" or body[-1:] != b"}":
        stripped = body.strip()
        if not (stripped.startswith(b"{") and stripped.endswith(b"}")):
            raise _bad(request, f"{_outline(status, content_type, body)} is empty or cut: it is no JSON object")
    # To look at all of a page takes as long as to decode it, and its CRC32 vouches for it.
    if body != _NOTHING and (crc32 is None or request.writes) and not _is_readable(request, body):
        raise _bad(request, f"{_outline(status, content_type, body)} is not readable JSON")
    if crc32 is None and crc_required:
        raise _bad(request, "the answer lacks the x-amz-crc32 header of DynamoDB; is there a proxy between?")
    return Response(body, request_id)


def _refusal(request: Request, *, status: int, content_type: str, body: bytes, request_id: str | None) -> Exception:
    answer = _parsed(body) or {}
    code = answer.get("__type")
    if isinstance(code, str) and code:
        message = answer.get("message") or answer.get("Message") or ""
        return service_error(
            request, status=status, code=code, message=str(message), request_id=request_id, body=answer
        )
    outline = _outline(status, content_type, body)
    if status >= _SERVER_ERRORS:
        return ServerError(
            f"{outline} came instead of an answer of DynamoDB",
            operation=request.operation,
            table=request.table,
            status=status,
            request_id=request_id,
        )
    return _bad(request, f"{outline} is not an error of DynamoDB; is there a proxy or firewall between?")


def _parsed(body: bytes) -> Mapping[str, Any] | None:  # Any: wire JSON
    """The JSON object; ``None`` where it is none."""
    try:
        return _OBJECT.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _is_readable(request: Request, body: bytes) -> bool:
    """Whether it is JSON, of a write; of a read, whether it is text, of which the decoder sees only what it reads."""
    if request.writes:
        return _parsed(body) is not None
    if body.isascii():
        return True
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _mappings(reasons: object) -> tuple[Mapping[str, Any], ...]:  # Any: wire JSON
    if not isinstance(reasons, list):
        return ()
    # A reason that is no mapping keeps its place: reasons are matched to operations by position.
    items = cast("list[object]", reasons)
    return tuple(cast("dict[str, Any]", item) if isinstance(item, dict) else {} for item in items)


def _outline(status: int, content_type: str, body: bytes) -> str:
    """What an answer looks like from outside; a stranger's body is never shown."""
    return f"HTTP status {status} with {len(body)} bytes of {content_type[:80] or 'no content type'!r}"


def _bad(request: Request, message: str) -> BadResponse:
    return BadResponse(message, operation=request.operation, table=request.table, sent=True)


def pause_asked_for(header: str | None) -> float | None:
    """The seconds in an ``x-amz-retry-after`` header, which counts milliseconds; ``None`` where it says nothing."""
    return int(header) / 1000 if header is not None and header.isascii() and header.isdigit() else None
