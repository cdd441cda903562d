"""What is put inside an aiobotocore client: a careful HTTP session, and our credentials.

aiobotocore's own session follows redirects (and sends the item and the session token along), keeps cookies, waits for
a connection and for a dripping answer without end, and takes an HTML page with status 200 for "not found".

The only module of this layer that imports aiobotocore and aiohttp at once; import it late.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import aiohttp
import msgspec
from botocore.credentials import ReadOnlyCredentials

from dynamorm_async.errors import (
    BadResponse,
    CallTimeout,
    ConnectionLost,
    EndpointUnreachable,
    ServiceError,
    TransportError,
)
from dynamorm_async.transport.answers import check_answer
from dynamorm_async.transport.base import CredentialProvider
from dynamorm_async.transport.sdk_passage import PASSAGE
from dynamorm_async.transport.search import is_search_host
from dynamorm_async.transport.spread import A_ROUND, Spread
from dynamorm_async.types import Request

MAX_ANSWER: Final = 20 * 1024 * 1024
"""The largest answer that is read, in bytes; DynamoDB's own limit is 16 MB."""

_AWS_HOSTS: Final = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")
_TRUSTED_IDLE: Final = 1.0
"""Seconds without a request after which kept connections are looked at before the next."""
_TURNS_TO_SEE_A_CLOSE: Final = 3  # of the loop: it asks the system, reads the end of the stream, closes the transport
_WHOLE_JSON: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])

if TYPE_CHECKING:
    from contextlib import AsyncExitStack

    class AIOHTTPSession:
        """What is used of aiobotocore's class, which carries no types. Any: options that are only passed on."""

        _sessions: dict[str | None, Connections] | None
        _sessions_lock: asyncio.Lock
        _exit_stack: AsyncExitStack
        _timeout: aiohttp.ClientTimeout

        def __init__(self, **options: Any) -> None: ...

        async def _create_connector(self, proxy_url: str | None) -> aiohttp.TCPConnector: ...

    class AioCredentials:
        """What is used of aiobotocore's class, which carries no types."""

        def __init__(self, access_key: str, secret_key: str) -> None: ...
else:
    from aiobotocore.credentials import AioCredentials
    from aiobotocore.httpsession import AIOHTTPSession


class CarefulSession(AIOHTTPSession):
    """aiobotocore's HTTP session with bounds and checks; given as ``AioConfig(http_session_cls=...)``.

    Args:
        timeout: seconds to connect, and seconds for the whole answer.
        max_pool_connections: how many connections there are at most.
        connector_args: aiohttp's.
        options: passed on. Any: they are aiobotocore's.
    """

    def __init__(
        self,
        *,
        timeout: tuple[float, float],
        max_pool_connections: int,
        connector_args: Mapping[str, Any],
        **options: Any,
    ) -> None:
        super().__init__(
            timeout=timeout, max_pool_connections=max_pool_connections, connector_args=connector_args, **options
        )
        connect, read = timeout
        # Every bound of aiohttp is between two packets, except the total.
        self._timeout = aiohttp.ClientTimeout(total=connect + read, sock_connect=connect, sock_read=read)

    # aiobotocore offers no public place to configure aiohttp's session. send() asks this method for the session,
    # and uses nothing of it but request().
    async def _get_session(self, proxy_url: str | None) -> Connections:
        if self._sessions is None:
            raise ConnectionLost("the client is closed", operation="")
        found = self._sessions.get(proxy_url)
        if found is not None:
            return found
        async with self._sessions_lock:
            found = self._sessions.get(proxy_url)
            if found is None:
                try:
                    connector = await self._create_connector(proxy_url)
                except Exception as error:  # a CA bundle or proxy setting that cannot be used; nothing was sent
                    raise EndpointUnreachable(f"no connection can be set up: {error}", operation="") from error
                http = await self._exit_stack.enter_async_context(
                    aiohttp.ClientSession(
                        connector=connector,
                        timeout=self._timeout,
                        skip_auto_headers={"CONTENT-TYPE"},
                        auto_decompress=False,
                        cookie_jar=aiohttp.DummyCookieJar(),
                        trace_configs=[_telling_when_sent()],
                    )
                )
                found = Connections(http)
                self._sessions[proxy_url] = found
            return found


class Answer:
    """A whole answer, in the form in which aiobotocore looks at aiohttp's."""

    def __init__(self, response: aiohttp.ClientResponse, body: bytes) -> None:
        self.url = response.url
        self.status = response.status
        self.raw_headers = response.raw_headers
        self._body = body

    async def read(self) -> bytes:
        """The body."""
        return self._body


class Connections:
    """Pooled connections, directly or through one proxy.

    aiohttp's own queue for a connection has no bound and ends its waiters as cancelled on close: :class:`SdkClient` lets
    no more requests in than there are connections.

    Args:
        http: the aiohttp session.
    """

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http
        self._used = asyncio.get_running_loop().time()
        self._reading = Spread(A_ROUND)

    # Any: aiobotocore's arguments for aiohttp, passed on as they are.
    async def request(self, method: str, *, headers: Mapping[str, str], **options: Any) -> Answer:
        """Send one request and read its whole answer, checked.

        Raises:
            TransportError: no whole answer; ``sent`` tells whether the request may have been applied.
            ServerError: a 5xx that is not DynamoDB's own.
        """
        operation = headers.get("X-Amz-Target", "").rpartition(".")[2]
        await self._look_at_idle()
        try:
            async with self._http.request(method, headers=headers, allow_redirects=False, **options) as response:
                answer = Answer(response, await _bounded_body(response, operation))
        except (aiohttp.ClientError, OSError) as error:
            # aiohttp's own error of an answer that is no HTTP quotes it.
            quotes = isinstance(error, aiohttp.ClientResponseError)
            raise _transport_error(error, operation) from (None if quotes else error)
        await _check(answer, operation)
        await self._reading.turn()  # aiobotocore reads it next
        return answer

    async def _look_at_idle(self) -> None:
        """Let the loop see which kept connections were closed, where it may not have run for a while (a frozen process)."""
        now = asyncio.get_running_loop().time()
        if now - self._used > _TRUSTED_IDLE:
            for _ in range(_TURNS_TO_SEE_A_CLOSE):
                await asyncio.sleep(0)
        self._used = now


def _telling_when_sent() -> aiohttp.TraceConfig:
    """What notes on the running task's request that it got a connection: from there on it may reach the server."""

    async def got_connection(*_: object) -> None:
        passage = PASSAGE.get()
        if passage is not None:
            passage.sent = True

    traces = aiohttp.TraceConfig()
    traces.on_connection_create_end.append(got_connection)
    traces.on_connection_reuseconn.append(got_connection)
    return traces


async def _bounded_body(response: aiohttp.ClientResponse, operation: str) -> bytes:
    body = bytearray()
    if (response.content_length or 0) <= MAX_ANSWER:
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) > MAX_ANSWER:
                break
        else:
            return bytes(body)
    response.close()
    raise BadResponse(f"the answer is larger than {MAX_ANSWER} bytes", operation=operation, sent=True)


async def _check(answer: Answer, operation: str) -> None:
    headers = {name.lower(): value.decode("latin-1") for name, value in answer.raw_headers}
    request, body = Request(operation=operation, body={}), await answer.read()
    host = answer.url.host or ""
    try:
        check_answer(
            request,
            status=answer.status,
            content_type=headers.get(b"content-type", ""),
            crc32=headers.get(b"x-amz-crc32"),
            body=body,
            request_id=headers.get(b"x-amzn-requestid"),
            crc_required=host.endswith(_AWS_HOSTS) and not is_search_host(host),
        )
    except ServiceError as refused:
        if not refused.code:
            raise
        return  # DynamoDB's own error: aiobotocore and its event hooks see it first
    try:
        _WHOLE_JSON.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadResponse(f"the answer is no valid JSON: {error}", operation=operation, sent=True) from error


def _transport_error(error: Exception, operation: str) -> TransportError:
    """Whether the request went out, from the raw cause: botocore's classes mix the two."""
    what = f"{type(error).__name__}: {error}"
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError | aiohttp.ClientHttpProxyError):
        return EndpointUnreachable(f"no connection to the endpoint ({what})", operation=operation)
    if isinstance(error, aiohttp.ServerFingerprintMismatch):
        return EndpointUnreachable(f"the endpoint's certificate is another one ({what})", operation=operation)
    if isinstance(error, TimeoutError):
        return CallTimeout("the whole answer was not there in time", operation=operation, sent=True)
    if isinstance(error, aiohttp.ClientResponseError):
        return BadResponse(f"the answer is no valid HTTP ({type(error).__name__})", operation=operation, sent=True)
    return ConnectionLost(
        f"the connection broke before the whole answer was there ({what})", operation=operation, sent=True
    )


class ProvidedCredentials(AioCredentials):
    """Our credentials, as an aiobotocore client asks for them.

    Args:
        provider: where they come from.
    """

    def __init__(self, provider: CredentialProvider) -> None:
        super().__init__("", "")
        self._provider = provider

    async def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """The keys to sign one attempt with.

        Raises:
            CredentialsError: there are none.
        """
        keys = self._provider.current() or await self._provider.refresh()
        return ReadOnlyCredentials(keys.access_key, keys.secret_key, keys.token)


class ProvidedChain:
    """A credential chain of one source: our own.

    Args:
        provider: where credentials come from.
    """

    def __init__(self, provider: CredentialProvider) -> None:
        self._credentials = ProvidedCredentials(provider)

    async def load_credentials(self) -> ProvidedCredentials:
        """The credentials; they fetch their keys when a request is signed."""
        return self._credentials
