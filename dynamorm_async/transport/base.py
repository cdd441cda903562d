"""The seam between the pure core and the network."""

from __future__ import annotations

from typing import Any, NoReturn, Protocol

import msgspec

from dynamorm_async.types import Request, Response


class Credentials(msgspec.Struct, frozen=True):
    """One set of AWS keys. Its repr shows no secret, and it cannot be pickled: it stays in the process that it was given to."""

    access_key: str
    secret_key: str
    token: str | None = None

    def __repr__(self) -> str:
        return f"Credentials({self.access_key[:4]}…)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:  # as of msgspec.Struct
        """What the package rich shows, which otherwise asks for every field."""
        return [("access_key", f"{self.access_key[:4]}…")]

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled.

        Raises:
            TypeError: always.
        """
        raise TypeError("Credentials are not pickled: give each process its own source of keys, a profile or a role")


class CredentialProvider(Protocol):
    """Where a lane takes its keys from."""

    def current(self) -> Credentials | None:
        """The keys, where they are at hand and fresh enough to sign with; never waits, costs nanoseconds."""
        ...

    async def refresh(self, *, rejected: Credentials | None = None) -> Credentials:
        """Fetch keys; callers at the same time share one fetch.

        Args:
            rejected: keys that DynamoDB called expired; this call does not return them, whatever their expiry says.

        Raises:
            CredentialsError: no keys were found, or they could not be refreshed.
        """
        ...


class Endpoint(msgspec.Struct, frozen=True):
    """Where requests go.

    Attributes:
        scheme: ``https`` or ``http``.
        host: the host name, without port.
        port: the TCP port.
        region: the region to sign for.
    """

    scheme: str
    host: str
    port: int
    region: str

    @property
    def url(self) -> str:
        """The endpoint as a URL, without a default port."""
        default = 443 if self.scheme == "https" else 80
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" if self.port == default else f"{self.scheme}://{host}:{self.port}"


class Timeouts(msgspec.Struct, frozen=True, kw_only=True):
    """How long to wait, in seconds.

    Attributes:
        call: one whole call, all attempts and pauses included.
        connect: name resolution, TCP and TLS for one connection.
        read: one attempt, from sending the request to its whole answer.
        pool: for a free connection.
        idle: how long a connection may stay unused before it is closed rather than used again.
    """

    call: float = 10.0
    connect: float = 3.0
    read: float = 5.0
    pool: float = 5.0
    idle: float = 20.0


class Lane(Protocol):
    """One way to DynamoDB: makes one attempt at a time and never retries."""

    async def attempt(self, request: Request, timeout: float) -> Response:
        """Send the request once.

        Args:
            request: what to send.
            timeout: seconds until the whole answer must be there, waiting for a connection included.

        Returns:
            The whole answer, checked: status 200, a JSON object, the right CRC32.

        Raises:
            ServiceError: DynamoDB refused; the subclass tells why.
            TransportError: no whole answer; ``sent`` tells whether the request may have been applied.
            CredentialsError: there are no credentials to sign with.
        """
        ...

    async def aclose(self) -> None:
        """Close every connection; called again, it closes what a close that was cancelled left open.

        Attempts that were sent end with ``ConnectionLost`` (``sent``), those that were not, and later ones, with
        ``DatabaseClosed``.
        """
        ...


class Transport(Protocol):
    """What the database sends its requests through: a lane under the retry policy and the call's deadline."""

    async def send(self, request: Request, *, timeout: float | None = None) -> Response:
        """Send a request, again where that is safe and useful.

        Args:
            request: what to send.
            timeout: seconds for the whole call, all attempts and pauses included; ``None`` is the default.

        Raises:
            OutcomeUnknown: a request that is not repeatable may or may not have been applied.
            CallError: the last attempt's error, with the number of attempts.
            CredentialsError: there are no credentials to sign with.
            DatabaseClosed: the transport was closed.
        """
        ...

    async def aclose(self) -> None:
        """Wait for calls under way, then close; later calls are refused with ``DatabaseClosed``."""
        ...
