"""What DynamoDB, or something between, says instead of what was asked: refusals, server errors, redirects, parts."""

from __future__ import annotations

from typing import Any, Final

from dynamorm_async.errors import (
    AccessDenied,
    BadResponse,
    ClockSkew,
    ExpiredCredentials,
    ItemCollectionTooLarge,
    ServerError,
    Throttled,
    TransactionCancelled,
    TransactionConflict,
    TransactionInProgress,
    TransientConflict,
)
from tests.faults import answers
from tests.faults.answers import error, page, redirect
from tests.faults.fault import BATCHES, PAGES, SINGLE_WRITES, TRANSACTIONS, Fault, before_and_after, refusal


def _reasons(reason: str) -> dict[str, Any]:  # wire JSON
    resource = "arn:aws:dynamodb:eu-west-1:123456789012:table/throttled"
    return {"ThrottlingReasons": [{"reason": reason, "resource": resource}]}


_TOO_FAST = "The level of configured provisioned throughput for the table was exceeded"
_PROVISIONED = "ProvisionedThroughputExceededException"
_RATE = "Throughput exceeds the current capacity of your table"
_ACCOUNT = "Throughput exceeds the current throughput limit for your account"
_SOON = "30"  # milliseconds

THROTTLES: Final = (
    refusal(
        "throttled_table",
        Throttled,
        error(_PROVISIONED, _TOO_FAST, more=_reasons("TableWriteProvisionedThroughputExceeded")),
        "400 ProvisionedThroughputExceededException, with throttling reasons",
    ),
    refusal(
        "throttled_table_retry_after",
        Throttled,
        error(_PROVISIONED, _TOO_FAST, x_amz_retry_after=_SOON),
        "400 ProvisionedThroughputExceededException, x-amz-retry-after 30 ms",
    ),
    refusal(
        "throttled_partition",
        Throttled,
        error("ThrottlingException", _RATE, more=_reasons("TableWriteKeyRangeThroughputExceeded")),
        "400 ThrottlingException, with throttling reasons",
    ),
    refusal(
        "throttled_partition_retry_after",
        Throttled,
        error("ThrottlingException", _RATE, x_amz_retry_after=_SOON),
        "400 ThrottlingException, x-amz-retry-after 30 ms",
    ),
    refusal("throttled_account", Throttled, error("RequestLimitExceeded", _ACCOUNT), "400 RequestLimitExceeded"),
    refusal(
        "throttled_account_retry_after",
        Throttled,
        error("RequestLimitExceeded", _ACCOUNT, x_amz_retry_after=_SOON),
        "400 RequestLimitExceeded, x-amz-retry-after 30 ms",
    ),
    refusal(
        "http_429",
        Throttled,
        error("PleaseComeAgainException", "Too many requests", status="429 Too Many Requests"),
        "429 with a code that nobody knows",
    ),
)

REFUSALS: Final = (
    refusal(
        "transaction_conflict",
        TransactionConflict,
        error("TransactionConflictException", "Transaction is ongoing for the item"),
        "400 TransactionConflictException: a transaction holds the item",
        SINGLE_WRITES,
    ),
    refusal(
        "transaction_cancelled_conflict",
        TransactionCancelled,
        answers.cancelled("TransactionConflict"),
        "400 TransactionCanceledException: the first item is held by another transaction",
        TRANSACTIONS,
    ),
    refusal(
        "transaction_cancelled_throttled",
        TransactionCancelled,
        answers.cancelled("ThrottlingError"),
        "400 TransactionCanceledException: the first operation was throttled",
        TRANSACTIONS,
    ),
    refusal(
        "transaction_cancelled_mixed",
        TransactionCancelled,
        answers.cancelled("ProvisionedThroughputExceeded", "TransactionConflict"),
        "400 TransactionCanceledException: one operation throttled, the next in conflict",
        TRANSACTIONS,
    ),
    refusal(
        "transaction_cancelled_for_good",
        TransactionCancelled,
        answers.cancelled("ItemCollectionSizeLimitExceeded", "TransactionConflict"),
        "400 TransactionCanceledException: one operation never works, the next is in conflict",
        TRANSACTIONS - {"TransactGetItems"},
    ),
    refusal(
        "transaction_in_progress",
        TransactionInProgress,
        error("TransactionInProgressException", "The transaction with the given request token is already in progress."),
        "400 TransactionInProgressException: the token's transaction is under way",
        ("TransactWriteItems",),
    ),
    refusal(
        "replicated_write_conflict",
        TransientConflict,
        error(
            "ReplicatedWriteConflictException", "One or more items in this request are being modified in another Region"
        ),
        "400 ReplicatedWriteConflictException: another region writes the item",
        (*SINGLE_WRITES, "TransactWriteItems"),
    ),
    refusal(
        "expired_token",
        ExpiredCredentials,
        error("ExpiredTokenException", "The security token included in the request is expired"),
        "400 ExpiredTokenException",
    ),
    refusal(
        "unrecognized_client",
        AccessDenied,
        error("UnrecognizedClientException", "The security token included in the request is invalid."),
        "400 UnrecognizedClientException",
    ),
    refusal(
        "clock_skew",
        AccessDenied,
        error(
            "InvalidSignatureException",
            "Signature expired: 20260101T000000Z is now earlier than 20311231T235500Z (20320101T000000Z - 5 min.)",
            Date=answers.FOREIGN_SECOND,
        ),
        "400 InvalidSignatureException, and a Date header that is years ahead",
    ),
    refusal(
        "request_time_too_skewed",
        ClockSkew,
        error(
            "RequestTimeTooSkewed",
            "The difference between the request time and the current time is too large.",
            Date=answers.FOREIGN_SECOND,
        ),
        "400 RequestTimeTooSkewed, and a Date header that is years ahead",
    ),
    refusal(
        "item_collection_too_large",
        ItemCollectionTooLarge,
        error("ItemCollectionSizeLimitExceededException", "Item collection size limit of 10 GB exceeded"),
        "400 ItemCollectionSizeLimitExceededException",
        (*SINGLE_WRITES, "BatchWriteItem"),
    ),
    refusal("waf_403", BadResponse, page("403 Forbidden"), "403 with the HTML page of a firewall"),
    refusal("waf_413", BadResponse, page("413 Payload Too Large"), "413 with the HTML page of a firewall"),
    refusal("gateway_429", BadResponse, page("429 Too Many Requests"), "429 with the HTML page of a gateway"),
)

_INTERNAL = error("InternalServerError", "The request processing has failed", status="500 Internal Server Error")

SERVER_ERRORS: Final = (
    *before_and_after("internal_server_error", ServerError, _INTERNAL, "500 InternalServerError as JSON"),
    *before_and_after("http_500", ServerError, page("500 Internal Server Error"), "500 with an HTML page"),
    *before_and_after("http_502", ServerError, page("502 Bad Gateway"), "502 with an HTML page"),
    *before_and_after("http_503", ServerError, page("503 Service Unavailable", b""), "503 without a body"),
    *before_and_after("http_504", ServerError, page("504 Gateway Timeout"), "504 with an HTML page"),
)

REDIRECTS: Final = tuple(
    Fault(
        name=f"redirect_{status[:3]}",
        description=f"{status} to another origin, which must never see a byte",
        applied=False,
        error=BadResponse,
        make=redirect(status),
    )
    for status in (
        "301 Moved Permanently",
        "302 Found",
        "303 See Other",
        "307 Temporary Redirect",
        "308 Permanent Redirect",
    )
)

PARTIAL: Final = (
    Fault(
        name="batch_half_unprocessed",
        description="a batch of which the second half is left unprocessed (nothing of a batch of one)",
        applied=None,
        error=None,
        operations=BATCHES,
        part=answers.first_half,
        make=answers.rest_unprocessed,
    ),
    Fault(
        name="batch_all_unprocessed",
        description="a batch of which all is left unprocessed; always() makes it for ever",
        applied=False,
        error=Throttled,
        operations=BATCHES,
        make=answers.all_unprocessed,
    ),
    Fault(
        name="cursor_repeated",
        description="a page whose cursor is the one it was asked with; always() makes it for ever",
        applied=True,
        error=BadResponse,
        operations=PAGES,
        make=answers.same_cursor,
    ),
)
