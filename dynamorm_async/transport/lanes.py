"""Which lane to take, and opening it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import msgspec

from dynamorm_async.errors import ConfigurationError
from dynamorm_async.transport.base import CredentialProvider, Endpoint, Lane, Timeouts
from dynamorm_async.transport.credentials import GivenCredentials, SdkCredentials, choose_credentials
from dynamorm_async.transport.direct import DirectLane
from dynamorm_async.transport.endpoints import resolve_endpoint
from dynamorm_async.transport.search import search_endpoint
from dynamorm_async.transport.sender import Sender

if TYPE_CHECKING:
    from pathlib import Path

    from dynamorm_async.transport.control import Control
    from dynamorm_async.transport.sdk import SdkClient

LaneName: TypeAlias = Literal["direct", "sdk"]
"""A lane: our own HTTP client, or a pooled aiobotocore client."""

LaneChoice: TypeAlias = Literal["auto", "direct", "sdk"]
"""A lane, or ``auto``: sdk where a proxy applies to the endpoint, direct otherwise."""

USER_AGENT: Final = "dynamorm-async"
_PROXY_VARIABLES: Final = {"https": "https_proxy", "http": "http_proxy"}


class TransportSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How to reach DynamoDB. The repr shows no credentials.

    Attributes:
        region: the region's name; ``None`` to look for it in environment and shared files.
        endpoint: the endpoint's URL; ``None`` to look for it, then the region's own.
        profile: the profile of the shared files; beats keys in the environment.
        credentials: keys, or a provider of them; ``None`` to look for them.
        lane: which lane to take. ``direct`` ignores proxies.
        pool_size: how many connections there are at most, for each of data plane and control plane.
        timeouts: how long to wait, in seconds.
        ca_bundle: a file of CA certificates in PEM form; ``None`` is ``AWS_CA_BUNDLE``, then ``REQUESTS_CA_BUNDLE``,
            then the system's.
    """

    region: str | None = None
    endpoint: str | None = None
    profile: str | None = None
    credentials: GivenCredentials | None = None
    lane: LaneChoice = "auto"
    pool_size: int = 50
    timeouts: Timeouts = msgspec.field(default_factory=Timeouts)
    ca_bundle: Path | str | None = None

    def __repr__(self) -> str:
        return _text(self, self.__rich_repr__())

    def __rich_repr__(self) -> list[tuple[str, Any]]:  # as of msgspec.Struct
        """What the package rich shows, which otherwise asks for every field."""
        return _shown(self, hidden={"credentials"})


class OpenLane(msgspec.Struct, frozen=True, kw_only=True):
    """A lane ready to use.

    Attributes:
        lane: the lane.
        name: which one it is.
        endpoint: where it sends requests.
        credentials: where it takes its keys from.
        owned: the provider again, where it was made here and is closed with the lane.
        ca_bundle: the CA bundle that was chosen; ``None`` is the system's.
    """

    lane: Lane
    name: LaneName
    endpoint: Endpoint
    credentials: CredentialProvider
    owned: SdkCredentials | None
    ca_bundle: Path | None

    async def aclose(self) -> None:
        """Close the lane, then the credentials that were made for it; a provider that was given stays open."""
        try:
            await self.lane.aclose()
        finally:
            if self.owned is not None:
                await self.owned.aclose()

    def __repr__(self) -> str:
        return _text(self, self.__rich_repr__())

    def __rich_repr__(self) -> list[tuple[str, Any]]:  # as of msgspec.Struct
        """What the package rich shows, which otherwise asks for every field."""
        return _shown(self, hidden={"credentials", "owned"})


def _shown(record: msgspec.Struct, *, hidden: Collection[str]) -> list[tuple[str, Any]]:
    return [(name, getattr(record, name)) for name in record.__struct_fields__ if name not in hidden]


def _text(record: msgspec.Struct, shown: list[tuple[str, Any]]) -> str:
    return f"{type(record).__name__}({', '.join(f'{name}={value!r}' for name, value in shown)})"


async def open_lane(settings: TransportSettings, *, environ: Mapping[str, str]) -> OpenLane:
    """Settle region, endpoint, credentials and lane. Sends nothing; keys are fetched by the first call.

    Args:
        settings: how to reach DynamoDB.
        environ: the environment variables; for aiobotocore's own rules these must be ``os.environ``.

    Raises:
        ConfigurationError: region, endpoint, profile, lane, pool size or CA bundle is missing or cannot be used.
        CredentialsError: the environment, or the argument, has one key without the other.
    """
    _check(settings)
    endpoint = await resolve_endpoint(
        region=settings.region,
        endpoint=settings.endpoint,
        profile=settings.profile,
        environ=environ,
        account_id=settings.credentials is None,
    )
    bundle = _ca_bundle(settings, environ) if endpoint.scheme == "https" else None
    tls = await asyncio.to_thread(tls_context, bundle) if endpoint.scheme == "https" else None
    credentials = choose_credentials(
        settings.credentials, profile=settings.profile, region=endpoint.region, environ=environ
    )
    name = choose_lane(settings.lane, endpoint=endpoint, environ=environ)
    lane = _lane(name, settings, endpoint, credentials, bundle=bundle, tls=tls)
    owned = credentials if settings.credentials is None and isinstance(credentials, SdkCredentials) else None
    return OpenLane(lane=lane, name=name, endpoint=endpoint, credentials=credentials, owned=owned, ca_bundle=bundle)


def open_control(settings: TransportSettings, opened: OpenLane) -> Control:
    """What makes control-plane calls, beside an open lane. Costs nothing until its first call.

    Args:
        settings: the settings that the lane was opened with.
        opened: the lane, whose endpoint and credentials it shares; the caller closes this first.
    """
    from dynamorm_async.transport.control import Control, ControlLane  # noqa: PLC0415 - loaded when first used

    client = _client(settings, opened.endpoint, opened.credentials, opened.ca_bundle)
    return Control(Sender(ControlLane(client), timeouts=settings.timeouts))


async def open_search(settings: TransportSettings, opened: OpenLane, *, environ: Mapping[str, str]) -> Lane | None:
    """A lane for vector searches, beside an open one, where DynamoDB serves them at another endpoint. Sends nothing.

    Args:
        settings: the settings that the lane was opened with.
        opened: the lane, whose credentials it shares; the caller closes this one first.
        environ: the environment variables, as for :func:`open_lane`.

    Returns:
        The lane; ``None`` where the open one reaches them.

    Raises:
        ConfigurationError: the CA bundle cannot be used.
    """
    endpoint = search_endpoint(opened.endpoint)
    if endpoint == opened.endpoint:
        return None
    bundle = opened.ca_bundle
    tls = await asyncio.to_thread(tls_context, bundle) if endpoint.scheme == "https" else None
    name = choose_lane(settings.lane, endpoint=endpoint, environ=environ)  # a proxy may be for one host and not another
    return _lane(name, settings, endpoint, opened.credentials, bundle=bundle, tls=tls)


def choose_lane(choice: LaneChoice, *, endpoint: Endpoint, environ: Mapping[str, str]) -> LaneName:
    """The lane for an endpoint: the one that was asked for, or sdk where a proxy applies and direct otherwise.

    Args:
        choice: what was asked for.
        endpoint: where requests go.
        environ: the environment variables. Where they name a proxy, ``urllib`` (as botocore) reads ``os.environ``.
    """
    if choice != "auto":
        return choice
    return "sdk" if _proxy_applies(endpoint, environ) else "direct"


def tls_context(bundle: Path | None) -> ssl.SSLContext:
    """A TLS context that verifies certificates. Blocks: it reads files.

    Args:
        bundle: a file of CA certificates in PEM form; ``None`` is the system's, or botocore's where that is empty.

    Raises:
        ConfigurationError: the file is missing or holds no certificates.
    """
    try:
        context = ssl.create_default_context(cafile=bundle)
    except OSError as error:  # ssl.SSLError is one
        raise ConfigurationError(
            f"the CA bundle {str(bundle)!r} cannot be used ({error}): give the path of a file of certificates in PEM form"
        ) from error
    if bundle is None and not _has_authorities(context):
        context.load_verify_locations(cafile=_botocore_bundle())
    return context


def _check(settings: TransportSettings) -> None:
    if settings.lane not in ("auto", "direct", "sdk"):
        raise ConfigurationError(f'there is no lane {settings.lane!r}: write "auto", "direct" or "sdk"')
    if settings.pool_size < 1:
        raise ConfigurationError(f"pool_size is {settings.pool_size}: it must be 1 or more")


def _lane(
    name: LaneName,
    settings: TransportSettings,
    endpoint: Endpoint,
    credentials: CredentialProvider,
    *,
    bundle: Path | None,
    tls: ssl.SSLContext | None,
) -> Lane:
    if name == "sdk":
        from dynamorm_async.transport.sdk import SdkLane  # noqa: PLC0415 - loaded when first used

        return SdkLane(_client(settings, endpoint, credentials, bundle))
    return DirectLane(
        endpoint=endpoint,
        credentials=credentials,
        timeouts=settings.timeouts,
        pool_size=settings.pool_size,
        ssl_context=tls,
        user_agent=USER_AGENT,
    )


def _client(
    settings: TransportSettings, endpoint: Endpoint, credentials: CredentialProvider, bundle: Path | None
) -> SdkClient:
    from dynamorm_async.transport.sdk import SdkClient  # noqa: PLC0415 - loaded when first used

    return SdkClient(
        endpoint=endpoint,
        credentials=credentials,
        timeouts=settings.timeouts,
        pool_size=settings.pool_size,
        ca_bundle=bundle,
    )


def _ca_bundle(settings: TransportSettings, environ: Mapping[str, str]) -> Path | None:
    named = settings.ca_bundle
    if named is None:
        named = environ.get("AWS_CA_BUNDLE") or environ.get("REQUESTS_CA_BUNDLE") or None
    if named is None:
        return None
    from pathlib import Path  # noqa: PLC0415 - loaded when first used

    return Path(named)


def _has_authorities(context: ssl.SSLContext) -> bool:
    if context.cert_store_stats()["x509_ca"]:
        return True
    from pathlib import Path  # noqa: PLC0415 - loaded when first used

    folder = ssl.get_default_verify_paths().capath  # read by OpenSSL during handshakes, and so not counted above
    return bool(folder) and any(Path(folder).iterdir())


def _botocore_bundle() -> Path:
    import importlib.util  # noqa: PLC0415 - loaded when first used
    from pathlib import Path  # noqa: PLC0415 - loaded when first used

    found = importlib.util.find_spec("botocore")  # finds the package without importing it
    folders = found.submodule_search_locations if found is not None else None
    if not folders:
        raise ConfigurationError("this machine has no CA certificates: install them, or set AWS_CA_BUNDLE")
    return Path(folders[0]) / "cacert.pem"


def _proxy_applies(endpoint: Endpoint, environ: Mapping[str, str]) -> bool:
    variable = _PROXY_VARIABLES[endpoint.scheme]
    if not (environ.get(variable) or environ.get(variable.upper())):
        return False
    import urllib.request  # noqa: PLC0415 - 30 ms, and for nothing where no proxy is set

    # The very functions that botocore asks, so that this choice and its doing never differ.
    host = endpoint.url.partition("://")[2]
    return endpoint.scheme in urllib.request.getproxies() and not urllib.request.proxy_bypass(host)
