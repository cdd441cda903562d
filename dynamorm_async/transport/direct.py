"""The direct lane: our own HTTP client, made for DynamoDB's one kind of request."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable
from typing import Final

import msgspec

from dynamorm_async.errors import (
    AccessDenied,
    CallTimeout,
    ClockSkew,
    ConfigurationError,
    ExpiredCredentials,
    InvalidValue,
    ServiceError,
    TransportError,
)
from dynamorm_async.transport.answers import check_answer, pause_asked_for
from dynamorm_async.transport.base import CredentialProvider, Credentials, Endpoint, Timeouts
from dynamorm_async.transport.connection import Answer, Fault
from dynamorm_async.transport.line import Room
from dynamorm_async.transport.pool import Pool, PoolStatistics
from dynamorm_async.transport.search import is_search_host
from dynamorm_async.transport.sigv4 import Signer
from dynamorm_async.types import Prepared, Request, Response

_AWS: Final = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")
"""Where the endpoint is DynamoDB itself, which sends a CRC32 with every answer."""

_RECEIVED: Final = 2_000_000
"""How many bytes of large answers are joined and checked in one turn of the loop, which takes 2 ms."""

_SKEW_WORDS: Final = ("Signature expired", "Signature not yet current")


class DirectLane:
    """Attempts over pooled HTTP/1.1 connections, signed here.

    Within one attempt it makes good what is certain not to have been applied: a kept connection that the server
    had closed (of writes only where nothing was sent), an expired session token, a wrong clock; each once.

    Args:
        endpoint: where requests go.
        credentials: where the keys come from.
        timeouts: ``connect``, ``read``, ``pool`` and ``idle`` are used.
        pool_size: how many connections may be open.
        ssl_context: for an ``https`` endpoint.
        user_agent: the value of the User-Agent header.
        clock: seconds since the epoch.

    Raises:
        ConfigurationError: an ``https`` endpoint without an SSL context, or a pool size under 1.
    """

    def __init__(
        self,
        *,
        endpoint: Endpoint,
        credentials: CredentialProvider,
        timeouts: Timeouts,
        pool_size: int,
        ssl_context: ssl.SSLContext | None,
        user_agent: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        secure = endpoint.scheme == "https"
        if secure and ssl_context is None:
            raise ConfigurationError(f"the endpoint {endpoint.url} needs an SSL context")
        self._credentials = credentials
        self._read = timeouts.read
        self._clock = clock
        self._skew = 0.0  # what DynamoDB's clock is ahead of ours, once it complained
        self._crc_required = endpoint.host.lower().endswith(_AWS) and not is_search_host(endpoint.host)
        self._signer = Signer(endpoint.url.partition("://")[2], endpoint.region, user_agent=user_agent)
        self._encoder = msgspec.json.Encoder()
        self._room = Room()
        self._pool = Pool(
            endpoint=endpoint, timeouts=timeouts, limit=pool_size, ssl_context=ssl_context if secure else None
        )

    def statistics(self) -> PoolStatistics:
        """The connection pool's counts."""
        return self._pool.statistics()

    async def attempt(self, request: Request, timeout: float) -> Response:
        """Send the request once.

        Args:
            request: what to send.
            timeout: seconds until the whole answer must be there, waiting for a connection included.

        Returns:
            The whole answer, checked.

        Raises:
            ServiceError: DynamoDB refused; the subclass tells why.
            TransportError: no whole answer; ``sent`` tells whether the request may have been applied.
            CredentialsError: there are no credentials to sign with.
            InvalidValue: the body has text that is not Unicode (a lone surrogate).
            DatabaseClosed: the lane was closed before the request was sent.
        """
        loop = asyncio.get_running_loop()
        start = now = loop.time()
        deadline = start + timeout
        cured: tuple[str | None, ...] = ()
        while True:
            credentials = self._credentials.current()
            if credentials is None:
                credentials = await self._refresh(request, deadline, None)
                now = loop.time()
            try:
                connection = self._pool.lease(loop, now)
                if connection is None:
                    connection = await self._pool.acquire(deadline)
                    now = loop.time()
                try:
                    # Only now: ten thousand calls at once must not all prepare their requests before the first is sent.
                    data = self._signed(request, credentials)
                    answer = await connection.request(data, min(deadline, now + self._read))
                finally:
                    self._pool.release(connection)
            except Fault as fault:
                if not self._may_reconnect(request, fault) or "reconnect" in cured:
                    raise _error(request, fault, loop.time() - start) from fault
                cured, now = (*cured, "reconnect"), loop.time()
                continue
            if answer.more:  # large ones that end in the same turn of the loop are joined and checked one by one
                await self._room.take(answer.size, _RECEIVED)
            try:
                return self._check(request, answer)
            except AccessDenied as error:
                cure = _cure(error)
                if cure in (None, *cured) or not await self._cured(cure, request, deadline, credentials, answer):
                    raise
                cured, now = (*cured, cure), loop.time()

    async def aclose(self) -> None:
        """Close every connection.

        Attempts that were sent end with ``ConnectionLost`` (``sent``), those that were not, and later ones, with
        ``DatabaseClosed``.
        """
        await self._pool.aclose()

    # --- inside -------------------------------------------------------------------------------

    def _may_reconnect(self, request: Request, fault: Fault) -> bool:
        """Whether a new connection may well work, and does no harm."""
        if fault.stale:
            self._pool.drop_idle()  # those idle for longer have most likely been closed as well
        # A write that was sent may have been applied, which the caller has to know whatever comes next.
        return fault.stale and not (fault.sent and request.writes)

    async def _cured(
        self, cure: str | None, request: Request, deadline: float, credentials: Credentials, answer: Answer
    ) -> bool:
        """Whether what DynamoDB refused the keys for could be mended."""
        if cure == "refresh":
            await self._refresh(request, deadline, credentials)
            return True
        return self._set_clock(answer.header(b"Date"))

    def _signed(self, request: Request, credentials: Credentials) -> bytes:
        """The whole HTTP request."""
        try:
            body = request.body
            data = self._encoder.encode(body.json if isinstance(body, Prepared) else body)
        except UnicodeEncodeError as error:
            raise InvalidValue(
                f"{request.operation}: a text has the lone surrogate {error.object[error.start : error.end]!r}, which "
                "is not Unicode; decode the bytes it came from with another error handler, or store them as bytes"
            ) from error
        return self._signer.sign(credentials, request.operation, data, self._clock() + self._skew)

    def _check(self, request: Request, answer: Answer) -> Response:
        try:
            return check_answer(
                request,
                status=answer.status,
                content_type=answer.header(b"Content-Type") or "",
                crc32=answer.header(b"x-amz-crc32"),
                body=answer.body,
                request_id=answer.header(b"x-amzn-RequestId"),
                crc_required=self._crc_required,
            )
        except ServiceError as error:
            error.retry_after = pause_asked_for(answer.header(b"x-amz-retry-after"))
            raise

    def _set_clock(self, date: str | None) -> bool:
        seconds = None if date is None else _seconds(date)
        if seconds is None:
            return False
        self._skew = seconds - self._clock()
        return True

    async def _refresh(self, request: Request, deadline: float, rejected: Credentials | None) -> Credentials:
        scope = asyncio.timeout_at(deadline)
        try:
            async with scope:
                return await self._credentials.refresh(rejected=rejected)
        except TimeoutError as error:
            if not scope.expired():
                raise
            raise CallTimeout(
                "the credentials were not there in time; nothing was sent",
                operation=request.operation,
                table=request.table,
            ) from error


def _error(request: Request, fault: Fault, elapsed: float) -> TransportError:
    message = fault.message
    if fault.kind is CallTimeout:
        message = f"no whole answer within {elapsed:.3g} s, the wait for a connection included"
    return fault.kind(message, operation=request.operation, table=request.table, sent=fault.sent)


def _cure(error: AccessDenied) -> str | None:
    """What may help against a refusal, after which nothing was applied."""
    if isinstance(error, ExpiredCredentials):
        return "refresh"
    if isinstance(error, ClockSkew) or error.message.startswith(_SKEW_WORDS):
        return "set the clock"
    return None


def _seconds(date: str) -> float | None:
    """A Date header as seconds since the epoch."""
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - slow to import, and hardly ever needed

    try:
        return parsedate_to_datetime(date).timestamp()
    except ValueError:
        return None
