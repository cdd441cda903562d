"""The sdk lane: one pooled aiobotocore client, for everything that the direct lane does not do."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Protocol

import anyio

from dynamorm_async.errors import (
    CallTimeout,
    ConfigurationError,
    ConnectionLost,
    DatabaseClosed,
    ExpiredCredentials,
    PoolTimeout,
)
from dynamorm_async.transport.base import CredentialProvider, Endpoint, Timeouts
from dynamorm_async.transport.closing import CLOSED_UNDER_WAY, database_closed
from dynamorm_async.transport.line import WaitingLine
from dynamorm_async.transport.sdk_errors import BODY, configuration_errors, reraise
from dynamorm_async.transport.sdk_loader import open_session
from dynamorm_async.transport.sdk_parser import StrictParsers
from dynamorm_async.transport.sdk_passage import PASSAGE, Passage
from dynamorm_async.transport.single_flight import SingleFlight
from dynamorm_async.transport.spread import A_ROUND, Spread
from dynamorm_async.types import Request, Response


class _Method(Protocol):
    # Any: an operation's parameters and answer are as open as DynamoDB's API.
    def __call__(self, **params: Any) -> Awaitable[dict[str, Any]]: ...


class SdkClient:
    """Owner of one pooled aiobotocore DynamoDB client, made at the first call and closed by :meth:`aclose`.

    Every call is one attempt: aiobotocore's own retries are off.

    Args:
        endpoint: where requests go.
        credentials: the keys to sign with; they stay the caller's to close.
        timeouts: how long to wait, in seconds; ``call`` is not used here.
        pool_size: how many connections there are at most.
        ca_bundle: a file of CA certificates in PEM form; ``None`` leaves it to ``AWS_CA_BUNDLE`` and
            ``REQUESTS_CA_BUNDLE``, then botocore's own.
    """

    def __init__(
        self,
        *,
        endpoint: Endpoint,
        credentials: CredentialProvider,
        timeouts: Timeouts,
        pool_size: int = 10,
        ca_bundle: Path | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._credentials = credentials
        self._timeouts = timeouts
        self._pool_size = pool_size
        self._ca_bundle = ca_bundle
        self._stack = AsyncExitStack()
        self._opening = SingleFlight(self._open)
        self._methods: Mapping[str, _Method] | None = None
        # A call waits for its turn before aiobotocore prepares it: ten thousand at once would hold the loop for seconds.
        self._line: WaitingLine[None] = WaitingLine(give_back=self._give_up_turn)
        self._leased = 0
        self._preparing = Spread(A_ROUND)
        self._calls: set[anyio.CancelScope] = set()
        self._drained = asyncio.Event()
        self._closed = False

    @property
    def leased(self) -> int:
        """How many calls have their turn: at most ``pool_size``."""
        return self._leased

    @property
    def waiting(self) -> int:
        """How many calls wait for their turn, first come, first served."""
        return len(self._line)

    # Any: an operation's parameters and answer are as open as DynamoDB's API.
    async def call(self, operation: str, params: Mapping[str, Any], *, table: str | None = None) -> dict[str, Any]:
        """Make one call, once.

        Args:
            operation: the API operation, for example ``CreateTable``.
            params: its parameters; binary content as ``bytes``.
            table: the table that it concerns, for errors.

        Returns:
            The answer, without ``ResponseMetadata``; binary content as ``bytes``, timestamps as ``datetime``.

        Raises:
            ServiceError: DynamoDB refused.
            TransportError: no whole answer; ``sent`` tells whether the request may have been applied.
            CredentialsError: there are no credentials to sign with.
            ConfigurationError: there is no such operation, or no client can be made from these settings.
            DatabaseClosed: the client was closed before the request was sent.
        """
        answer, _ = await self.perform(Request(operation=operation, body=dict(params), table=table))
        return answer

    async def perform(self, request: Request, timeout: float = math.inf) -> tuple[dict[str, Any], Response]:
        """As :meth:`call`, with the answer as it was sent beside the parsed one.

        Args:
            request: what to send.
            timeout: seconds until the whole answer must be there, waiting for a connection included.
        """
        deadline = anyio.current_time() + timeout
        await self._take_turn(request, timeout)
        passage = Passage()
        try:
            # What aclose ends the call by, besides the timeout: its task is nobody's but the caller's.
            with anyio.CancelScope(deadline=deadline) as scope:
                self._calls.add(scope)
                told = PASSAGE.set(passage)
                try:
                    await self._preparing.turn()
                    return await self._send(request)
                finally:
                    PASSAGE.reset(told)
                    self._calls.discard(scope)
        finally:
            self._give_up_turn()
        raise self._ended(request, timeout, sent=passage.sent)

    async def aclose(self) -> None:
        """End the calls under way and close every connection. What a close that was cancelled left open, another one closes.

        Requests that were sent end with ``ConnectionLost`` (``sent``), all others with ``DatabaseClosed``.
        """
        self._closed = True
        with anyio.CancelScope(shield=True):
            self._line.refuse(database_closed)
            for scope in self._calls:
                scope.cancel()
            if self._leased:
                await self._drained.wait()
            await self._opening.aclose()
            await self._stack.aclose()

    async def _take_turn(self, request: Request, timeout: float) -> None:
        if self._closed:
            raise database_closed()
        if self._leased < self._pool_size:
            self._leased += 1
            return

        def busy(seconds: float) -> PoolTimeout:
            return PoolTimeout(
                f"all {self._pool_size} connections were busy for {seconds:.3g} s; raise pool_size or call less at once",
                operation=request.operation,
                table=request.table,
            )

        await self._line.wait(min(self._timeouts.pool, timeout), busy)

    def _give_up_turn(self, _granted: None = None) -> None:
        if self._closed or not self._line.grant(None):
            self._leased -= 1
            if self._closed and not self._leased:
                self._drained.set()

    def _ended(self, request: Request, timeout: float, *, sent: bool) -> CallTimeout | ConnectionLost | DatabaseClosed:
        """Why a call was given up: a close, or its time was over."""
        if not self._closed:
            message = f"no whole answer within {timeout:.3g} s, the wait for a connection included"
            return CallTimeout(message, operation=request.operation, table=request.table, sent=sent)
        if sent:
            return ConnectionLost(CLOSED_UNDER_WAY, operation=request.operation, table=request.table, sent=True)
        return database_closed()

    async def _send(self, request: Request) -> tuple[dict[str, Any], Response]:
        methods = self._methods or await self._opening.run()
        method = methods.get(request.operation)
        if method is None:
            raise ConfigurationError(
                f"DynamoDB has no operation {request.operation!r} in the installed botocore: upgrade aiobotocore"
            )
        keys = self._credentials.current() or await self._credentials.refresh()
        try:
            return await _attempt(method, request)
        except ExpiredCredentials:  # refused, so it was not applied
            await self._credentials.refresh(rejected=keys)
            return await _attempt(method, request)

    async def _open(self) -> Mapping[str, _Method]:
        session = await open_session(profile=None)
        from aiobotocore.config import (  # type: ignore[import-untyped]  # noqa: PLC0415 - late, to keep the direct lane free of it; it has no types
            AioConfig,  # pyright: ignore[reportMissingTypeStubs]
        )

        from dynamorm_async.transport import sdk_session as inside  # noqa: PLC0415 - as above

        session.register_component("credential_provider", inside.ProvidedChain(self._credentials))
        parsers = StrictParsers(session.get_component("response_parser_factory"))
        session.register_component("response_parser_factory", parsers)
        config = AioConfig(http_session_cls=inside.CarefulSession, **self._options())
        with configuration_errors("no aiobotocore client can be made"):
            client = await self._stack.enter_async_context(
                session.create_client(
                    "dynamodb",
                    region_name=self._endpoint.region,
                    endpoint_url=self._endpoint.url,
                    verify=str(self._ca_bundle) if self._ca_bundle else None,
                    config=config,
                )
            )
        names = client.meta.method_to_api_mapping
        methods: dict[str, _Method] = {operation: getattr(client, method) for method, operation in names.items()}
        self._methods = methods
        return methods

    def _options(self) -> dict[str, Any]:  # Any: botocore's settings
        return {
            "connect_timeout": self._timeouts.connect,
            "read_timeout": self._timeouts.read,
            "max_pool_connections": self._pool_size,
            # Names are resolved for each new connection, as on the direct lane: an endpoint that moved is found at once.
            "connector_args": {"keepalive_timeout": self._timeouts.idle, "use_dns_cache": False},
            "retries": {"total_max_attempts": 1, "mode": "standard"},
            "parameter_validation": False,
            "warm_up_loader_caches": True,
            "user_agent_extra": "dynamorm-async",
            # The endpoint is settled: nothing of the environment may move it, or contradict it.
            "use_fips_endpoint": False,
            "use_dualstack_endpoint": False,
            "account_id_endpoint_mode": "disabled",
            "endpoint_discovery_enabled": False,
            "defaults_mode": "legacy",
        }


class SdkLane:
    """The sdk lane, on a client of its own.

    Args:
        client: the client; the lane closes it.
    """

    def __init__(self, client: SdkClient) -> None:
        self._client = client

    async def attempt(self, request: Request, timeout: float) -> Response:
        """Send the request once.

        Args:
            request: what to send.
            timeout: seconds until the whole answer must be there, waiting for a connection included.

        Returns:
            The whole answer, checked, as it was sent.

        Raises:
            ServiceError: DynamoDB refused; the subclass tells why.
            TransportError: no whole answer; ``sent`` tells whether the request may have been applied.
            CredentialsError: there are no credentials to sign with.
            DatabaseClosed: the lane was closed before the request was sent.
        """
        _, response = await self._client.perform(request, timeout)
        return response

    @property
    def leased(self) -> int:
        """How many attempts are under way."""
        return self._client.leased

    @property
    def waiting(self) -> int:
        """How many attempts wait for a connection."""
        return self._client.waiting

    async def aclose(self) -> None:
        """End the attempts under way, as :meth:`SdkClient.aclose` does, and close every connection."""
        await self._client.aclose()


async def _attempt(method: _Method, request: Request) -> tuple[dict[str, Any], Response]:
    try:
        answer = await method(**request.body)
    except Exception as error:  # noqa: BLE001 - sorted, and what is not botocore's is raised as it is
        reraise(error, request)
    meta = answer.pop("ResponseMetadata")
    return answer, Response(meta[BODY], meta.get("RequestId"))
