"""A parser for aiobotocore clients that never takes an answer for what it is not."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any, Protocol

from dynamorm_async.errors import BadResponse
from dynamorm_async.transport.sdk_errors import BODY


class _Parser(Protocol):
    # Any: botocore's shapes and its parsed answers.
    def parse(self, response: Mapping[str, Any], shape: Any) -> Awaitable[dict[str, Any]]: ...


class _ParserFactory(Protocol):
    # Any: botocore's parser settings.
    def set_parser_defaults(self, **defaults: Any) -> None: ...

    def create_parser(self, protocol_name: str) -> _Parser: ...


class StrictParsers:
    """A botocore parser factory whose parsers call an answer that cannot be parsed by its name.

    Args:
        factory: botocore's own.
    """

    def __init__(self, factory: _ParserFactory) -> None:
        self._factory = factory

    def set_parser_defaults(self, **defaults: Any) -> None:
        """The hook for parser settings. Any: they are botocore's."""
        self._factory.set_parser_defaults(**defaults)

    def create_parser(self, protocol_name: str) -> StrictParser:
        """A parser for one protocol."""
        return StrictParser(self._factory.create_parser(protocol_name))


class StrictParser:
    """A botocore parser whose failures are ``BadResponse``; they come as any exception at all otherwise.

    It also keeps the body beside what it parsed, in the metadata under :data:`BODY`: botocore drops attributes and
    type tags that it does not know, and reads broken base64 as it comes.

    Args:
        parser: botocore's own.
    """

    def __init__(self, parser: _Parser) -> None:
        self._parser = parser

    # Any: botocore's shapes and its parsed answers.
    async def parse(self, response: Mapping[str, Any], shape: Any) -> dict[str, Any]:
        """Parse an answer.

        Raises:
            BadResponse: it does not have the form of the operation's answer.
        """
        try:
            parsed = await self._parser.parse(response, shape)
        except Exception as error:
            message = f"the answer does not have the form of the operation's answer ({type(error).__name__})"
            raise BadResponse(message, operation="", sent=True) from error
        if "ResponseMetadata" in parsed:  # the second pass over an error, for its own fields, has none
            parsed["ResponseMetadata"][BODY] = response["body"]
        return parsed
