"""Keys that a program has itself."""

from __future__ import annotations

from typing import Any

import pytest

from dynamorm_async import ConfigurationError, Database, DataKey, KeyUse, LocalKeyring

pytestmark = pytest.mark.anyio

OLD, NEW = bytes(32), bytes(range(32))
USE = KeyUse(table="t", values=1)


async def test_the_current_key_encrypts_and_all_decrypt() -> None:
    """Rotation adds a key and makes it the current one; values of the old one stay readable."""
    ring = LocalKeyring({"old": OLD, "new": NEW}, current="new")
    assert await ring.encrypting(USE) == DataKey(b"new", NEW)
    assert await ring.decrypting(b"old", USE) == DataKey(b"old", OLD)
    assert await ring.decrypting(b"none", USE) is None


async def test_a_single_key_is_the_current_one() -> None:
    """Nothing has to be said twice."""
    assert (await LocalKeyring({"only": OLD}).encrypting(USE)).id == b"only"


@pytest.mark.parametrize(
    ("keys", "current", "message"),
    [
        ({}, None, "current= is missing.*the keys are none"),
        ({"a": OLD, "b": NEW}, None, "current= is missing.*the keys are a, b"),
        ({"a": OLD}, "b", "current='b' is none of the keys"),
        ({"a": bytes(16)}, "a", r"the key 'a' of encrypted attributes is not 32 bytes.*secrets.token_bytes\(32\)"),
        ({"a": "x" * 32}, "a", "the key 'a' of encrypted attributes is not 32 bytes"),
        ({"": OLD}, "", "the id of a key has 1 to 1024 bytes, not 0"),
        ({"a" * 1025: OLD}, None, "the id of a key has 1 to 1024 bytes, not 1025"),
    ],
)
def test_wrong_keys_are_refused_where_they_are_given(keys: Any, current: str | None, message: str) -> None:
    """The message says which key, and how one is made."""
    with pytest.raises(ConfigurationError, match=message):
        LocalKeyring(keys, current=current)


def test_keys_are_not_shown() -> None:
    """Neither the ring nor a key shows the key's bytes."""
    ring = LocalKeyring({"2025-01": OLD, "2026-11": NEW}, current="2026-11")
    assert repr(ring) == "<LocalKeyring '2025-01', '2026-11'; current '2026-11'>"
    assert repr(DataKey(b"k", NEW)) == "DataKey(id=b'k')"


def test_a_database_with_keys_wants_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where cryptography is missing, opening the Database says so, not the first write."""
    missing = ConfigurationError('install "dynamorm-async[crypto]"')

    def aead() -> None:
        raise missing

    monkeypatch.setattr("dynamorm_async.database.sealing.aead", aead)
    with pytest.raises(ConfigurationError, match="crypto"):
        Database(keys=LocalKeyring({"only": OLD}))
    Database()  # without keys nothing is imported
