"""Calls of the control plane: any operation of DynamoDB's API by the SDK's parameters, under the retry policy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

import msgspec

from dynamorm_async.transport.sender import Sender
from dynamorm_async.types import Request, Response

_LOOKING: Final = ("Describe", "Get", "List")
_READS: Final = frozenset({"BatchGetItem", "Query", "Scan", "SearchVectors", "TransactGetItems"})


def only_reads(operation: str) -> bool:
    """Whether an operation changes nothing, by its name: ``Describe…``, ``List…``, ``Get…`` and reads of items."""
    return operation.startswith(_LOOKING) or operation in _READS


# Any, here and below: an operation's parameters and answer are as open as DynamoDB's API.
class Performer(Protocol):
    """Makes one attempt of any operation: ``SdkClient``."""

    async def perform(self, request: Request, timeout: float) -> tuple[dict[str, Any], Response]:
        """Send the request once; raises as ``Lane.attempt``.

        Args:
            request: what to send.
            timeout: seconds until the whole answer must be there.

        Returns:
            The answer as the SDK gives it, and as it was sent.
        """
        ...

    async def aclose(self) -> None:
        """End the attempts under way, and close every connection."""
        ...


class ControlAnswer(Response, frozen=True):
    """An answer beside what the SDK made of it.

    Attributes:
        parsed: binary content as ``bytes``, timestamps as ``datetime``.
    """

    parsed: dict[str, Any] = msgspec.field(default_factory=dict[str, Any])


class ControlLane:
    """The lane of control-plane calls.

    Args:
        client: makes the attempts; the lane closes it.
    """

    def __init__(self, client: Performer) -> None:
        self._client = client

    async def attempt(self, request: Request, timeout: float) -> ControlAnswer:
        """Send the request once, as ``Lane.attempt`` says."""
        parsed, response = await self._client.perform(request, timeout)
        return ControlAnswer(response.body, response.request_id, parsed=parsed)

    async def aclose(self) -> None:
        """End the attempts under way, and close every connection."""
        await self._client.aclose()


class Control:
    """Makes control-plane calls, again where that is safe and useful.

    Args:
        sender: sends through a :class:`ControlLane`; it is closed with this.
    """

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    async def call(
        self, operation: str, params: Mapping[str, Any], *, table: str | None = None, timeout: float | None = None
    ) -> dict[str, Any]:
        """Make one call.

        What only reads is tried again as reads of items are. All else is tried again only where the failure says that it
        was not applied.

        Args:
            operation: the API operation, for example ``UpdateTable``.
            params: its parameters; binary content as ``bytes``.
            table: the table that it concerns, for errors.
            timeout: seconds for the whole call, all attempts and pauses included; ``None`` is ``Timeouts.call``.

        Returns:
            The answer, without ``ResponseMetadata``; binary content as ``bytes``, timestamps as ``datetime``.

        Raises:
            OutcomeUnknown: the call changes something, and may or may not have been applied.
            CallError: the last attempt's error, with the number of attempts.
            CredentialsError: there are no credentials to sign with.
            ConfigurationError: there is no such operation, or no client can be made from these settings.
            DatabaseClosed: it was closed.
        """
        reads = only_reads(operation)
        request = Request(operation=operation, body=dict(params), table=table, repeatable=reads, only_reads=reads)
        answer = await self._sender.send(request, timeout=timeout)
        assert isinstance(answer, ControlAnswer), "the lane gives nothing else"  # noqa: S101 - an invariant of this class
        return answer.parsed

    async def aclose(self) -> None:
        """Wait for calls under way, as ``Sender.aclose`` does, then close every connection."""
        await self._sender.aclose()
