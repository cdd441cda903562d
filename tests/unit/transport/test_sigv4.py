from __future__ import annotations

from datetime import UTC, datetime
from unittest.mock import patch

import botocore.auth
import botocore.credentials
import pytest
from botocore.awsrequest import AWSRequest
from hypothesis import given
from hypothesis import strategies as st

from dynamorm_async.errors import ConfigurationError, CredentialsError
from dynamorm_async.transport.base import Credentials
from dynamorm_async.transport.sigv4 import Signer

KEYS = Credentials("AKIDEXAMPLE", "secret")
PRINTABLE = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=40)
NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9]{0,30}", fullmatch=True)
REGIONS = st.from_regex(r"[a-z]{2}-[a-z]{4,9}-[1-9]", fullmatch=True)
HOSTS = st.from_regex(r"[a-z][a-z0-9-]{0,20}(\.[a-z]{2,8}){0,3}(:[1-9][0-9]{3})?", fullmatch=True)
TIMES = st.floats(0, 4_000_000_000)


def parse(data: bytes) -> tuple[str, dict[str, str], bytes]:
    head, _, body = data.partition(b"\r\n\r\n")
    line, *headers = head.decode("ascii").split("\r\n")
    return line, dict(header.split(": ", 1) for header in headers), body


def botocore_authorization(headers: dict[str, str], keys: Credentials, *, region: str, body: bytes, now: float) -> str:
    """The Authorization header of botocore's own signer for the same headers and body."""
    signed = {name: headers[name] for name in ("host", "content-type", "x-amz-target")}
    request = AWSRequest(method="POST", url=f"https://{headers['host']}/", headers=signed, data=body)
    request.context["timestamp"] = ""
    frozen = datetime.fromtimestamp(int(now), UTC).replace(tzinfo=None)
    provided = botocore.credentials.Credentials(keys.access_key, keys.secret_key, keys.token)
    with patch("botocore.auth.get_current_datetime", return_value=frozen):
        botocore.auth.SigV4Auth(provided, "dynamodb", region).add_auth(request)
    return str(request.headers["Authorization"])


@given(
    keys=st.builds(Credentials, PRINTABLE, st.text(max_size=40), st.none() | PRINTABLE),
    requests=st.lists(
        st.tuples(NAMES, st.binary(max_size=300) | st.text().map(str.encode), TIMES), min_size=1, max_size=4
    ),
    region=REGIONS,
    host=HOSTS,
)
def test_signs_as_botocore_does(
    keys: Credentials, requests: list[tuple[str, bytes, float]], region: str, host: str
) -> None:
    """For any keys, body, operation, region, host and run of times, the Authorization header is botocore's."""
    signer = Signer(host, region, user_agent="dynamorm-async/1")
    for operation, body, now in requests:
        line, headers, sent = parse(signer.sign(keys, operation, body, now))
        assert line == "POST / HTTP/1.1"
        assert sent == body
        assert headers["content-length"] == str(len(body))
        assert headers.get("x-amz-security-token") == keys.token
        assert headers["authorization"] == botocore_authorization(headers, keys, region=region, body=body, now=now)


def test_every_header_is_sent_once() -> None:
    """The request has exactly the headers that DynamoDB needs, and asks for an uncompressed answer."""
    data = Signer("h:1", "eu-west-1", user_agent="dynamorm-async/1").sign(KEYS, "GetItem", b"{}", 0.0)
    line, headers, body = parse(data)
    assert (line, body) == ("POST / HTTP/1.1", b"{}")
    assert data.count(b"\r\n") == 1 + len(headers) + 1
    assert headers.pop("authorization").startswith(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/19700101/eu-west-1/dynamodb/"
    )
    assert headers == {
        "host": "h:1",
        "content-type": "application/x-amz-json-1.0",
        "accept-encoding": "identity",
        "user-agent": "dynamorm-async/1",
        "x-amz-date": "19700101T000000Z",
        "x-amz-target": "DynamoDB_20120810.GetItem",
        "content-length": "2",
    }


def test_caches_follow_keys_and_time() -> None:
    """After a change of keys, second or day, the signature is that of a signer that never signed before."""
    other = Credentials("AKIDOTHER", "other", "token")
    warm = Signer("h", "eu-west-1", user_agent="a")
    for keys, now in ((KEYS, 1.0), (KEYS, 1.9), (other, 1.9), (KEYS, 2.0), (KEYS, 90_000.0), (other, 90_000.0)):
        fresh = Signer("h", "eu-west-1", user_agent="a")
        assert warm.sign(keys, "PutItem", b"{}", now) == fresh.sign(keys, "PutItem", b"{}", now)


@pytest.mark.parametrize("bad", ["a\r\nx-evil: 1", "a\n", "a b", "ключ", ""])
def test_keys_cannot_inject_headers(bad: str) -> None:
    """An access key that could break out of its header is refused, and the error shows neither secret nor token."""
    signer = Signer("h", "eu-west-1", user_agent="a")
    with pytest.raises(CredentialsError) as caught:
        signer.sign(Credentials(bad, "topsecret", "tok"), "GetItem", b"{}", 0.0)
    assert "topsecret" not in str(caught.value)
    if bad:
        with pytest.raises(CredentialsError) as caught:
            signer.sign(Credentials("AKID", "topsecret", bad), "GetItem", b"{}", 0.0)
        assert "topsecret" not in str(caught.value)
        assert bad not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "region", "agent"), [("h\r\nx: y", "r", "a"), ("h", "r\n", "a"), ("h", "r", "a\r\nb: c"), ("", "r", "a")]
)
def test_configuration_cannot_inject_headers(host: str, region: str, agent: str) -> None:
    """A host, region or user agent with a line break is refused when the signer is made."""
    with pytest.raises(ConfigurationError):
        Signer(host, region, user_agent=agent)
