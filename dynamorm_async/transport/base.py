"""The seam between the pure core and the network."""

from __future__ import annotations

from typing import Protocol

from dynamorm_async.types import Request, Response


class Lane(Protocol):
    """One way to DynamoDB: makes one attempt at a time and never retries."""

    async def attempt(self, request: Request, timeout: float) -> Response:  # noqa: ASYNC109 - a part of the call's own deadline
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
        """Close every connection. Calls under way end with ``DatabaseClosed``; later ones are refused."""
        ...


class Transport(Protocol):
    """What the database sends its requests through: a lane under the retry policy and the call's deadline."""

    async def send(self, request: Request, *, timeout: float | None = None) -> Response:  # noqa: ASYNC109 - one deadline over all attempts
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
