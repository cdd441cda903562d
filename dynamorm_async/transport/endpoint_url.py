"""An endpoint's URL, taken apart and judged: what is no plain URL of a DynamoDB is refused before a byte leaves.

Requests carry items and session tokens, so that a URL that somebody else could choose (an environment variable, a
tenant's setting) must not turn them towards the metadata services of a cloud or onto a readable connection.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final, NoReturn, TypeAlias
from urllib.parse import SplitResult, urlsplit

import msgspec

from dynamorm_async.errors import ConfigurationError
from dynamorm_async.transport.base import Endpoint

_Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

_PRINTABLE: Final = re.compile(r"[!-~]+")
_NETLOC: Final = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[^\[\]:]+)(?::[0-9]{1,5})?")
_HOST: Final = re.compile(r"(?!.{254})(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}\.?")
_NUMERIC_END: Final = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)\.?")
_PRIVATE_NAMES: Final = (".internal", ".local", ".svc", ".home.arpa", ".lan", ".test")
_MAX_PORT: Final = 65_535
_BROADCAST: Final = 0xFFFF_FFFF
_LOOPBACK: Final = 1

# Names and addresses of the clouds' metadata services, besides the link-local ones.
_METADATA_NAMES: Final = frozenset(
    {"instance-data", "instance-data.ec2.internal", "metadata", "metadata.google.internal", "metadata.azure.internal"}
)
_METADATA: Final = tuple(
    ipaddress.ip_network(block) for block in ("fd00:ec2::/32", "fd20:ce::/32", "100.100.100.200/32", "192.0.0.192/32")
)
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")


class Named(msgspec.Struct, frozen=True):
    """An endpoint URL that somebody wrote down, and where.

    Attributes:
        url: the URL.
        source: where it stands, for messages.
        explicit: whether the code that opens the database names it; an environment or a shared file does not count.
    """

    url: str
    source: str
    explicit: bool


def parse_endpoint(named: Named, region: str) -> Endpoint:
    """The endpoint that a URL names. Resolves no name and opens nothing.

    ``https`` may go anywhere but to addresses that no DynamoDB has. Plain ``http`` may go to this machine and to private
    networks (names without a dot as of containers, ``.internal``, ``.local`` and the like, private addresses); to any
    other host only where the URL is explicit.

    Args:
        named: the URL and where it comes from.
        region: the region to sign for.

    Raises:
        ConfigurationError: the URL is not scheme, host and port; its host is a link-local or metadata address, or
            no address of one machine; or it sends readable requests to a public host without being explicit.
    """
    parts, port = _split(named)
    host = parts.hostname or ""
    _check_host(named, host)
    if parts.scheme == "http" and not named.explicit and not is_private(host):
        _refuse(
            named,
            f"plain http to {host} would send items and session tokens readable over a public network; use https, or "
            "pass Database(endpoint=...) in code if that is what you want",
        )
    default = 443 if parts.scheme == "https" else 80
    return Endpoint(scheme=parts.scheme, host=host, port=default if port is None else port, region=region)


def is_local(host: str) -> bool:
    """Whether a host is this machine: ``localhost``, a name under it, or a loopback address."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    address = _address(host)
    return address is not None and address.is_loopback


def is_private(host: str) -> bool:
    """Whether a host is this machine or on a private network, as far as its name tells."""
    if is_local(host):
        return True
    address = _address(host)
    if address is not None:
        return all(meant.is_private for meant in _embedded(address) or [address])
    name = host.rstrip(".")
    return "." not in name or name.endswith(_PRIVATE_NAMES)


def _split(named: Named) -> tuple[SplitResult, int | None]:
    # The whole URL stays out of messages: it may hold a password. urlsplit drops line ends and control characters
    # without a word, so they are looked for first.
    if named.url and not _PRINTABLE.fullmatch(named.url):
        _refuse(named, "it has a space, a control character or a letter that is not ASCII")
    try:
        parts = urlsplit(named.url)
        port = parts.port
    except ValueError as error:
        _refuse(named, "its host or port is malformed", error)
    if parts.scheme not in ("https", "http"):
        _refuse(named, f"its scheme is {parts.scheme!r}, and only https and http will do")
    if "@" in parts.netloc:
        _refuse(named, "it holds a user name or password")
    if not _NETLOC.fullmatch(parts.netloc):
        _refuse(named, f"it has no valid host name and port ({parts.netloc[:80]!r})")
    if port is not None and not 0 < port <= _MAX_PORT:
        _refuse(named, f"its port is {port}")
    if parts.path not in ("", "/") or "?" in named.url or "#" in named.url:
        _refuse(named, "it has a path, query or fragment")
    return parts, port


def _check_host(named: Named, host: str) -> None:
    address = _address(host)
    if address is None:
        if not _HOST.fullmatch(host):
            _refuse(named, f"it has no valid host name ({host[:80]!r})")
        if _NUMERIC_END.fullmatch(host):  # the system reads 2852039166, 0xa9fea9fe and 127.1 as addresses
            _refuse(named, f"its host {host!r} is an address in another form than four decimal numbers")
        if host.rstrip(".") in _METADATA_NAMES:
            _refuse(named, f"its host {host!r} is a metadata service")
        return
    if isinstance(address, ipaddress.IPv6Address) and address.scope_id is not None:
        _refuse(named, "its address names a network interface")
    for meant in (address, *_embedded(address)):
        if meant.is_link_local or any(meant in block for block in _METADATA if block.version == meant.version):
            _refuse(named, f"its host {host!r} is a link-local or metadata address")
        if meant.is_unspecified or meant.is_multicast or int(meant) == _BROADCAST:
            _refuse(named, f"its host {host!r} is no address of one machine")


def _embedded(address: _Address) -> list[_Address]:
    """The IPv4 addresses that an IPv6 address leads to."""
    if isinstance(address, ipaddress.IPv4Address):
        return []
    last = ipaddress.IPv4Address(int(address) & _BROADCAST)
    translated = last if address in _NAT64 else None
    compatible = last if _LOOPBACK < int(address) <= _BROADCAST else None
    found = (address.ipv4_mapped, address.sixtofour, translated, compatible, *(address.teredo or ()))
    return [each for each in found if each is not None]


def _address(host: str) -> _Address | None:
    try:
        return ipaddress.ip_address(host.removesuffix("."))
    except ValueError:
        return None


def _refuse(named: Named, why: str, cause: Exception | None = None) -> NoReturn:
    raise ConfigurationError(
        f"the endpoint URL from {named.source} cannot be used: {why}; "
        "write it like https://dynamodb.eu-west-1.amazonaws.com or http://localhost:8000"
    ) from cause
