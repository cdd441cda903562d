"""Which DynamoDB to talk to: region and endpoint, from arguments, environment and shared files.

The plain environment is answered here, without aiobotocore; everything else by aiobotocore's own rules.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from dynamorm_async.errors import ConfigurationError
from dynamorm_async.transport.base import Endpoint

if TYPE_CHECKING:
    from dynamorm_async.transport.endpoint_url import Named
    from dynamorm_async.transport.sdk_loader import SdkSession

_REGION: Final = re.compile(r"(?!-)(?![0-9]+\Z)[A-Za-z0-9-]{1,63}(?<!-)")
_STANDARD_REGION: Final = re.compile(r"(?:us|eu|ap|sa|ca|me|af|il|mx|cn)-[a-z]+-[0-9]+")
_NO_REGION: Final = (
    'no AWS region was found in the environment or the shared config file: pass Database(region="eu-west-1") '
    "or set AWS_REGION"
)


async def resolve_endpoint(
    *,
    region: str | None,
    endpoint: str | None,
    profile: str | None,
    environ: Mapping[str, str],
    account_id: bool = True,
) -> Endpoint:
    """Where requests go and which region they are signed for.

    Region: ``region``, then ``AWS_REGION``, ``AWS_DEFAULT_REGION``, then the profile. Endpoint: ``endpoint``, then
    ``AWS_ENDPOINT_URL_DYNAMODB``, ``AWS_ENDPOINT_URL`` (unless ``AWS_IGNORE_CONFIGURED_ENDPOINT_URLS`` is true),
    then the profile, then the region's own; FIPS, dual-stack and account-id endpoints by aiobotocore's rules.
    Plain ``http`` goes to this machine and to private networks; to any other host only from the argument ``endpoint``,
    since requests and session tokens then travel readable.

    No request is made and no credentials are fetched. The plain environment costs a look at two file names; any
    other imports aiobotocore in a worker thread and creates a client once (about 0.3 s).

    Args:
        region: the region's name; ``None`` to look for it.
        endpoint: the endpoint's URL; ``None`` to look for it.
        profile: the profile that was asked for explicitly; ``None`` leaves it to the environment.
        environ: the environment variables. aiobotocore's own rules read ``os.environ``, whatever is given here.
        account_id: whether the keys come from environment or profile, so that their account id belongs to them.

    Raises:
        ConfigurationError: no region, or a region or endpoint that cannot be right; the message says which.
    """
    named = _named_endpoint(endpoint, environ)
    name = region or environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")
    if name is not None:
        _check_region(name)
    by_files = bool(profile or environ.get("AWS_PROFILE") or environ.get("AWS_DEFAULT_PROFILE"))
    by_files = by_files or await asyncio.to_thread(_shared_file_exists, environ)
    if named is not None and (name is not None or not by_files):
        return _at(named, name)
    if name is None and not by_files:
        raise ConfigurationError(_NO_REGION)
    if name is not None and not by_files and _is_plain(name, environ, account_id=account_id):
        suffix = "amazonaws.com.cn" if name.startswith("cn-") else "amazonaws.com"
        return Endpoint(scheme="https", host=f"dynamodb.{name}.{suffix}", port=443, region=name)
    from dynamorm_async.transport.sdk_loader import open_session  # noqa: PLC0415 - loaded when first used

    session = await open_session(profile=profile)
    name = name or session.get_config_variable("region")
    if named is not None:
        return _at(named, name)
    if name is None:
        raise ConfigurationError(_NO_REGION)
    _check_region(name)
    account = _account_id(session, profile, environ) if account_id else None
    return await _by_sdk_rules(session, name, account)


def _at(named: Named, region: str | None) -> Endpoint:
    from dynamorm_async.transport.endpoint_url import is_local, parse_endpoint  # noqa: PLC0415 - loaded when first used

    if region is not None:
        _check_region(region)
        return parse_endpoint(named, region)
    found = parse_endpoint(named, "us-east-1")
    if is_local(found.host) or not ("." in found.host or ":" in found.host):
        return found  # an engine on this machine or a container's service name: any region will do
    raise ConfigurationError(_NO_REGION)


def _check_region(name: str) -> None:
    if not _REGION.fullmatch(name):
        raise ConfigurationError(f"{name!r} is no AWS region: write a name such as eu-west-1")


def _named_endpoint(endpoint: str | None, environ: Mapping[str, str]) -> Named | None:
    if endpoint is not None:
        return _named(endpoint, "the endpoint argument", explicit=True)
    if _is_true(environ, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"):
        return None
    for variable in ("AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL"):
        if url := environ.get(variable):
            return _named(url, variable, explicit=False)
    return None


def _named(url: str, source: str, *, explicit: bool) -> Named:
    from dynamorm_async.transport.endpoint_url import Named  # noqa: PLC0415 - loaded when first used

    return Named(url, source, explicit)


def _is_plain(region: str, environ: Mapping[str, str], *, account_id: bool) -> bool:
    """Whether the region's standard endpoint is the one, by a rule that needs none of aiobotocore's data."""
    if _is_true(environ, "AWS_USE_FIPS_ENDPOINT") or _is_true(environ, "AWS_USE_DUALSTACK_ENDPOINT"):
        return False
    mode = environ.get("AWS_ACCOUNT_ID_ENDPOINT_MODE", "preferred").lower()
    if mode == "required" or (mode != "disabled" and account_id and environ.get("AWS_ACCOUNT_ID")):
        return False
    return _STANDARD_REGION.fullmatch(region) is not None


def _is_true(environ: Mapping[str, str], variable: str) -> bool:
    return environ.get(variable, "").lower() == "true"


def _shared_file_exists(environ: Mapping[str, str]) -> bool:
    from pathlib import Path  # noqa: PLC0415 - here in a worker thread, and not where the environment says all

    files = (
        environ.get("AWS_CONFIG_FILE") or "~/.aws/config",
        environ.get("AWS_SHARED_CREDENTIALS_FILE") or "~/.aws/credentials",
    )
    return any(Path(file).expanduser().is_file() for file in files)


def _account_id(session: SdkSession, profile: str | None, environ: Mapping[str, str]) -> str | None:
    # The account belongs to the keys, so it is taken from where botocore takes the keys.
    if profile is None and environ.get("AWS_ACCESS_KEY_ID"):
        return environ.get("AWS_ACCOUNT_ID") or None
    account = session.get_scoped_config().get("aws_account_id")
    return str(account) if account else None


async def _by_sdk_rules(session: SdkSession, region: str, account_id: str | None) -> Endpoint:
    from aiobotocore.config import (  # type: ignore[import-untyped]  # noqa: PLC0415 - late, to keep the plain path free of it; it has no types
        AioConfig,  # pyright: ignore[reportMissingTypeStubs]
    )

    from dynamorm_async.transport.endpoint_url import Named, parse_endpoint  # noqa: PLC0415 - loaded when first used
    from dynamorm_async.transport.sdk_errors import configuration_errors  # noqa: PLC0415 - loaded when first used

    # A client's meta.endpoint_url does not know of account-id endpoints, which are chosen for each call. The URL of
    # a presigned call does, is made by public means, and needs neither network nor real keys.
    made_up = {"aws_access_key_id": "endpoint", "aws_secret_access_key": "endpoint", "aws_account_id": account_id}
    config = AioConfig(warm_up_loader_caches=True, defaults_mode="legacy")  # loads files in a thread; asks no IMDS
    with configuration_errors(f"no DynamoDB endpoint for region {region}"):
        async with session.create_client("dynamodb", region_name=region, config=config, **made_up) as client:
            call = {"TableName": "table", "Key": {"key": {"S": "value"}}}
            url = await client.generate_presigned_url("get_item", Params=call)
            signing_region = client.meta.region_name
    return parse_endpoint(Named(url.partition("?")[0], "the shared AWS configuration", explicit=False), signing_region)
