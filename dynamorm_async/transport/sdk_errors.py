"""botocore's errors in our terms. The only file that names them."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any, Final, NoReturn

import msgspec

from dynamorm_async.errors import (
    CallError,
    ConfigurationError,
    ConnectionLost,
    CredentialsError,
    EndpointUnreachable,
    ServiceError,
)
from dynamorm_async.transport.answers import pause_asked_for, service_error
from dynamorm_async.types import Request

BODY: Final = "Body"
"""Where in an answer's ``ResponseMetadata`` our parser keeps the body as it was sent."""


@contextmanager
def configuration_errors(what: str) -> Generator[None]:
    """Turn botocore's errors inside the block into ``ConfigurationError``.

    Args:
        what: what cannot be done; the message starts with it.

    Raises:
        ConfigurationError: botocore found its configuration wrong.
    """
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415 - late, to keep the plain path free of it

    try:
        yield
    except (BotoCoreError, ValueError) as error:  # botocore also says ValueError, of an invalid endpoint for one
        raise ConfigurationError(f"{what}: {error}") from error


def reraise(error: Exception, request: Request) -> NoReturn:
    """Raise what a failed call of an aiobotocore client means.

    Args:
        error: what the client raised.
        request: the call.

    Raises:
        ServiceError: DynamoDB refused; the subclass tells why.
        TransportError: no whole answer; ``sent`` as the HTTP session found it.
        CredentialsError: there are no keys to sign with.
        ConfigurationError: botocore cannot make the call from its settings.
        Exception: ``error`` itself, where it is none of botocore's.
    """
    from botocore import exceptions as sdk  # noqa: PLC0415 - late, to keep the plain path free of it

    if isinstance(error, sdk.ClientError):
        raise _refused(error.response, request) from error
    cause = error.kwargs.get("error") if isinstance(error, sdk.BotoCoreError) else error
    if isinstance(cause, CallError):  # our own HTTP session or parser said so; botocore may have wrapped it
        cause.operation, cause.table = request.operation, request.table
        raise cause from cause.__cause__
    keys = (sdk.NoCredentialsError, sdk.PartialCredentialsError, sdk.CredentialRetrievalError)
    if isinstance(error, keys):
        raise CredentialsError(f"{request.operation} cannot be signed: {error}") from error
    unreachable = (sdk.ProxyConnectionError, sdk.SSLError, sdk.ConnectTimeoutError)
    if isinstance(error, unreachable):
        raise EndpointUnreachable(str(error), operation=request.operation, table=request.table) from error
    if isinstance(error, sdk.HTTPClientError):  # an event hook's; whether it went out is not known
        raise ConnectionLost(str(error), operation=request.operation, table=request.table, sent=True) from error
    if isinstance(error, sdk.BotoCoreError):
        raise ConfigurationError(f"{request.operation} cannot be made: {error}") from error
    raise error


# Any: the parsed error is as open as DynamoDB's own format.
def _refused(response: Mapping[str, Any], request: Request) -> ServiceError:
    facts, meta = response.get("Error", {}), response.get("ResponseMetadata", {})
    refused = service_error(
        request,
        status=int(meta.get("HTTPStatusCode", 400)),
        code=str(facts.get("Code", "")),
        message=str(facts.get("Message", "")),
        request_id=meta.get("RequestId"),
        body=msgspec.json.decode(meta.get(BODY) or b"{}"),  # as sent, so that it is what the direct lane sees
    )
    refused.retry_after = pause_asked_for(meta.get("HTTPHeaders", {}).get("x-amz-retry-after"))
    return refused
