from __future__ import annotations

import pytest

from dynamorm_async.errors import ConfigurationError
from dynamorm_async.transport.endpoint_url import Named, is_local, is_private, parse_endpoint


def parse(url: str, *, explicit: bool = True) -> str:
    return parse_endpoint(Named(url, "a test", explicit=explicit), "eu-west-1").url


@pytest.mark.parametrize(
    ("url", "taken"),
    [
        ("https://dynamodb.eu-west-1.amazonaws.com", None),
        ("https://vpce-1-2.dynamodb.eu-west-1.vpce.amazonaws.com", None),
        ("https://123456789012.ddb.eu-west-1.amazonaws.com", None),
        ("HTTPS://Dynamodb.Example", "https://dynamodb.example"),
        ("https://dynamodb.example:443/", "https://dynamodb.example"),
        ("https://10.0.0.7:8443", None),
        ("https://8.8.8.8", None),
        ("http://localhost:8000", None),
        ("http://127.0.0.1:8000", None),
        ("http://[::1]:8000", None),
        ("http://[::ffff:127.0.0.1]:8000", None),
        ("http://dynamodb-local:8000", None),
        ("http://dynamodb_local:8000", None),
        ("http://host.docker.internal:8000", None),
        ("http://dynamodb.default.svc.cluster.local:8000", None),
        ("http://172.17.0.2:8000", None),
        ("http://[fd12::7]:8000", None),
    ],
)
@pytest.mark.parametrize("explicit", [True, False])
def test_what_people_use_is_taken(url: str, taken: str | None, *, explicit: bool) -> None:
    """AWS's hosts, VPC endpoints, engines on this machine, in containers and on private networks need no extra word."""
    assert parse(url, explicit=explicit) == (taken or url)


def test_plain_http_to_a_public_host() -> None:
    """The code that opens the database may say so; an environment may not, and is told what to do."""
    assert parse("http://db.example:8000") == "http://db.example:8000"
    with pytest.raises(ConfigurationError, match=r"plain http to db\.example would send .* use https, or pass"):
        parse("http://db.example:8000", explicit=False)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("gopher://x", "its scheme is 'gopher'"),
        ("https://hunter2@x", "a user name or password"),
        ("https://x/path", "a path, query or fragment"),
        ("https://x:0", "its port is 0"),
        ("https://x:99999", "host or port is malformed"),
        ("https://a..b", "no valid host name"),
        ("https://x\n", "a control character"),
        ("http://169.254.169.254", "a link-local or metadata address"),
        ("http://[::ffff:169.254.169.254]", "a link-local or metadata address"),
        ("http://metadata.google.internal", "is a metadata service"),
        ("http://2852039166", "an address in another form"),
        ("http://0.0.0.0", "no address of one machine"),
        ("http://[fe80::1%25eth0]", "no valid host name"),
    ],
)
def test_a_refusal_says_why(url: str, why: str) -> None:
    """Each refusal names its reason and the source, and shows what a good one looks like, but never a password."""
    with pytest.raises(ConfigurationError) as refused:
        parse(url)
    said = str(refused.value)
    assert why in said
    assert "from a test cannot be used" in said
    assert "write it like https://dynamodb.eu-west-1.amazonaws.com" in said
    assert "hunter2" not in said


def test_what_is_local() -> None:
    """Loopback names and addresses are local; names that only look like it are not."""
    assert all(map(is_local, ("localhost", "a.localhost", "127.0.0.1", "::1")))
    assert not any(map(is_local, ("localhost.example.com", "10.0.0.1", "dynamodb", "::2", "xlocalhost")))


def test_what_is_private() -> None:
    """Names without a dot, names that public DNS does not have, and addresses of private networks."""
    assert all(map(is_private, ("localhost", "db", "db.internal", "db.local.", "10.0.0.1", "fd12::7", "::1")))
    assert not any(map(is_private, ("db.example", "internal.example", "8.8.8.8", "::ffff:8.8.8.8", "xlocal.com")))
