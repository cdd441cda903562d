from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from dynamorm_async.errors import ConfigurationError
from dynamorm_async.transport import sdk_loader
from dynamorm_async.transport.base import Endpoint
from dynamorm_async.transport.endpoints import resolve_endpoint
from dynamorm_async.transport.sdk_loader import SdkSession

pytestmark = pytest.mark.anyio


@pytest.fixture
def plain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """An environment without shared files, for us and for aiobotocore."""
    files = {
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
    }
    for name, value in files.items():
        monkeypatch.setenv(name, value)
    return files


@pytest.fixture
def no_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    """aiobotocore must not be asked."""

    async def refuse(**_: str | None) -> SdkSession:
        pytest.fail("aiobotocore was asked")

    monkeypatch.setattr(sdk_loader, "open_session", refuse)


async def resolve(
    environ: Mapping[str, str],
    *,
    region: str | None = None,
    endpoint: str | None = None,
    profile: str | None = None,
    account_id: bool = True,
) -> Endpoint:
    return await resolve_endpoint(
        region=region, endpoint=endpoint, profile=profile, environ=environ, account_id=account_id
    )


def write_config(plain: Mapping[str, str], text: str) -> None:
    Path(plain["AWS_CONFIG_FILE"]).write_text(text, encoding="utf-8")


def set_all(monkeypatch: pytest.MonkeyPatch, environ: Mapping[str, str]) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("no_sdk")
@pytest.mark.parametrize(
    ("region", "url"),
    [
        ("eu-west-1", "https://dynamodb.eu-west-1.amazonaws.com"),
        ("ap-southeast-3", "https://dynamodb.ap-southeast-3.amazonaws.com"),
        ("cn-north-1", "https://dynamodb.cn-north-1.amazonaws.com.cn"),
    ],
)
async def test_standard_endpoint_of_the_plain_environment(plain: dict[str, str], region: str, url: str) -> None:
    """A commercial or China region has its standard endpoint, without aiobotocore."""
    found = await resolve(plain, region=region)
    assert (found.url, found.region) == (url, region)


@pytest.mark.usefixtures("no_sdk")
async def test_precedence_of_regions(plain: dict[str, str]) -> None:
    """The argument beats AWS_REGION, which beats AWS_DEFAULT_REGION; empty variables count as unset."""
    environ = plain | {"AWS_REGION": "eu-west-2", "AWS_DEFAULT_REGION": "eu-west-3"}
    assert (await resolve(environ, region="eu-west-1")).region == "eu-west-1"
    assert (await resolve(environ)).region == "eu-west-2"
    assert (await resolve(environ | {"AWS_REGION": ""})).region == "eu-west-3"


@pytest.mark.usefixtures("no_sdk")
async def test_precedence_of_endpoints(plain: dict[str, str]) -> None:
    """The argument beats AWS_ENDPOINT_URL_DYNAMODB, which beats AWS_ENDPOINT_URL; both can be switched off."""
    environ = plain | {
        "AWS_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL_DYNAMODB": "https://one.example:8000",
        "AWS_ENDPOINT_URL": "https://two.example",
    }
    assert (await resolve(environ, endpoint="https://x.example/")).url == "https://x.example"
    assert (await resolve(environ)).url == "https://one.example:8000"
    assert (await resolve(environ | {"AWS_ENDPOINT_URL_DYNAMODB": ""})).url == "https://two.example"
    ignored = environ | {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "True"}
    assert (await resolve(ignored)).host == "dynamodb.eu-west-1.amazonaws.com"
    assert (await resolve(ignored, endpoint="http://three.example")).host == "three.example"


@pytest.mark.usefixtures("no_sdk")
async def test_missing_region_says_what_to_do(plain: dict[str, str]) -> None:
    """Without a region anywhere the error says what to pass and what to set, before any I/O."""
    with pytest.raises(ConfigurationError, match=r'Database\(region="eu-west-1"\) or set AWS_REGION'):
        await resolve(plain)
    with pytest.raises(ConfigurationError, match="AWS_REGION"):
        await resolve(plain, endpoint="https://dynamodb.example.com")
    with pytest.raises(ConfigurationError, match="AWS_REGION"):
        await resolve(plain, endpoint="http://[2001:db8::1]:8000")


@pytest.mark.usefixtures("no_sdk")
@pytest.mark.parametrize("host", ["localhost", "db.localhost", "127.0.0.1", "127.9.9.9", "[::1]", "dynamodb"])
async def test_local_endpoint_needs_no_region(plain: dict[str, str], host: str) -> None:
    """A loopback host or a container's service name works without a region; one that is set is kept."""
    found = await resolve(plain, endpoint=f"http://{host}:8000")
    assert (found.region, found.port, found.url) == ("us-east-1", 8000, f"http://{host}:8000")
    assert (await resolve(plain, region="eu-west-1", endpoint=f"http://{host}:8000")).region == "eu-west-1"


@pytest.mark.usefixtures("no_sdk")
@pytest.mark.parametrize("region", ["eu west 1", "eu-west-1.evil.com", "-eu", "eu-", "123", "", "a" * 64, "eu/w", "é"])
async def test_impossible_region_is_refused(plain: dict[str, str], region: str) -> None:
    """A region that is no host label is refused at once, wherever it comes from."""
    if region:
        with pytest.raises(ConfigurationError, match="no AWS region: write a name such as eu-west-1"):
            await resolve(plain | {"AWS_REGION": region})
    with pytest.raises(ConfigurationError):
        await resolve(plain, region=region, endpoint="https://x.example")


@pytest.mark.parametrize(
    ("environ", "host"),
    [
        ({"AWS_USE_FIPS_ENDPOINT": "true"}, "dynamodb-fips.us-east-1.amazonaws.com"),
        ({"AWS_USE_DUALSTACK_ENDPOINT": "true"}, "dynamodb.us-east-1.api.aws"),
        ({"AWS_ACCOUNT_ID": "123456789012"}, "123456789012.ddb.us-east-1.amazonaws.com"),
        (
            {"AWS_ACCOUNT_ID": "123456789012", "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled"},
            "dynamodb.us-east-1.amazonaws.com",
        ),
        ({"AWS_REGION": "us-gov-west-1"}, "dynamodb.us-gov-west-1.amazonaws.com"),
        ({"AWS_REGION": "us-iso-east-1"}, "dynamodb.us-iso-east-1.c2s.ic.gov"),
        ({"AWS_REGION": "fips-us-east-1"}, "dynamodb-fips.us-east-1.amazonaws.com"),
    ],
)
async def test_other_endpoints_follow_the_rules_of_botocore(
    plain: dict[str, str], monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], host: str
) -> None:
    """FIPS, dual-stack, account-id and isolated regions have the endpoint that botocore's own rules give them."""
    keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s", "AWS_REGION": "us-east-1"}
    whole = plain | keys | environ
    set_all(monkeypatch, whole)
    found = await resolve(whole)
    assert (found.scheme, found.host, found.port) == ("https", host, 443)
    assert found.region == whole["AWS_REGION"].removeprefix("fips-")


@pytest.mark.usefixtures("no_sdk")
async def test_account_of_the_environment_is_not_taken_for_other_keys(plain: dict[str, str]) -> None:
    """AWS_ACCOUNT_ID belongs to the environment's keys: with keys from elsewhere it names no endpoint."""
    found = await resolve(plain | {"AWS_ACCOUNT_ID": "123456789012"}, region="us-east-1", account_id=False)
    assert found.host == "dynamodb.us-east-1.amazonaws.com"


async def test_required_account_id_that_is_missing(plain: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Account-id endpoints required without an account id are a ConfigurationError in botocore's words."""
    environ = plain | {"AWS_REGION": "us-east-1", "AWS_ACCOUNT_ID_ENDPOINT_MODE": "required"}
    set_all(monkeypatch, environ)
    with pytest.raises(ConfigurationError, match=r"no DynamoDB endpoint for region us-east-1: .*AccountID"):
        await resolve(environ)


async def test_profile_gives_region_endpoint_and_account(plain: dict[str, str]) -> None:
    """Region, endpoint and account id of a profile in the shared files are used; arguments beat them."""
    write_config(
        plain,
        "[default]\nregion = eu-north-1\n"
        "[profile local]\nregion = eu-west-3\nendpoint_url = http://localhost:8123\n"
        "[profile account]\nregion = us-east-1\naws_account_id = 123456789012\n",
    )
    assert (await resolve(plain)).host == "dynamodb.eu-north-1.amazonaws.com"
    local = await resolve(plain, profile="local")
    assert (local.url, local.region) == ("http://localhost:8123", "eu-west-3")
    assert (await resolve(plain, profile="local", endpoint="http://x.example")).region == "eu-west-3"
    assert (await resolve(plain, profile="account")).host == "123456789012.ddb.us-east-1.amazonaws.com"
    assert (await resolve(plain, profile="account", region="eu-west-1")).region == "eu-west-1"


async def test_missing_profile_is_named(plain: dict[str, str]) -> None:
    """A profile that does not exist is a ConfigurationError that names it."""
    with pytest.raises(ConfigurationError, match="nobody"):
        await resolve(plain, region="eu-west-1", profile="nobody")


async def test_broken_shared_file_is_named(plain: dict[str, str]) -> None:
    """A shared file that cannot be parsed is a ConfigurationError that names it."""
    write_config(plain, "no section\n")
    with pytest.raises(ConfigurationError, match=r"the shared AWS files cannot be used: .*config"):
        await resolve(plain, region="eu-west-1")


async def test_no_region_in_the_shared_files(plain: dict[str, str]) -> None:
    """Shared files without a region leave the same error, and a local endpoint its default."""
    write_config(plain, "[default]\noutput = json\n")
    with pytest.raises(ConfigurationError, match="no AWS region"):
        await resolve(plain)
    assert (await resolve(plain, endpoint="http://localhost:8000")).region == "us-east-1"
