"""The ciphertext of one value: what it is bound to, and what is refused."""

from __future__ import annotations

import sys

import pytest

from dynamorm_async import ConfigurationError
from dynamorm_async.codec.sealing import MAGIC, aead, context_of, parse, seal, unseal

KEY = bytes(range(32))
NONCE = bytes(12)
CONTEXT = context_of("users", ("org", "id"), ("acme", ("1",)), "ssn")


def test_what_was_sealed_is_unsealed() -> None:
    """The content comes back, and is not in the ciphertext; the key's id is, readable."""
    data = seal(KEY, b"2026-11", CONTEXT, NONCE, b"123-45-6789")
    found = parse(data)
    assert found is not None
    assert found.key_id == b"2026-11"
    assert unseal(KEY, CONTEXT, found) == b"123-45-6789"
    assert data.startswith(MAGIC)
    assert b"123-45" not in data


def test_the_format_is_the_one_that_was_written_before() -> None:
    """A stored ciphertext of version 1 is read by every later release."""
    stored = bytes.fromhex(
        "de4445010007323032362d3131000000000000000000000000fbf2386f56d80c56d1b28ebba09905ea20a02d822c2e8512db"
    )
    found = parse(stored)
    assert found is not None
    assert unseal(KEY, CONTEXT, found) == b'{"S":"x"}'


def test_any_changed_bit_is_refused() -> None:
    """No bit of a ciphertext can be changed, those of its head included."""
    data = seal(KEY, b"2026-11", CONTEXT, NONCE, b"content")
    for bit in range(len(data) * 8):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        found = parse(bytes(changed))
        assert found is None or unseal(KEY, CONTEXT, found) is None


def test_a_cut_or_longer_ciphertext_is_refused() -> None:
    """Neither a part of a ciphertext nor one with more behind it is read."""
    data = seal(KEY, b"2026-11", CONTEXT, NONCE, b"content")
    for other in (*(data[:length] for length in range(len(data))), data + b"\0"):
        found = parse(other)
        assert found is None or unseal(KEY, CONTEXT, found) is None


@pytest.mark.parametrize(
    "other",
    [
        context_of("users2", ("org", "id"), ("acme", ("1",)), "ssn"),
        context_of("users", ("org", "id"), ("acme", ("2",)), "ssn"),
        context_of("users", ("org", "id"), ("acme", "1"), "ssn"),
        context_of("users", ("org", "id"), ("acme", b"1"), "ssn"),
        context_of("users", ("org", "id2"), ("acme", ("1",)), "ssn"),
        context_of("users", ("org",), ("acme",), "ssn"),
        context_of("users", ("org", "id"), ("acme", ("1",)), "ss"),
    ],
)
def test_a_ciphertext_is_bound_to_its_place(other: bytes) -> None:
    """Another table, key value, type of key, name of a key or attribute: the ciphertext is not authentic there."""
    found = parse(seal(KEY, b"2026-11", CONTEXT, NONCE, b"content"))
    assert found is not None
    assert unseal(KEY, other, found) is None


def test_parts_of_a_place_cannot_be_moved_into_each_other() -> None:
    """Two places have one context only where all their parts are equal."""
    assert context_of("ab", ("k",), ("v",), "c") != context_of("a", ("k",), ("v",), "bc")
    assert context_of("t", ("a", "b"), ("x", "yz"), "c") != context_of("t", ("a", "b"), ("xy", "z"), "c")


def test_another_key_of_the_same_id_is_refused() -> None:
    """What counts is the key, not its name."""
    found = parse(seal(KEY, b"2026-11", CONTEXT, NONCE, b"content"))
    assert found is not None
    assert unseal(bytes(32), CONTEXT, found) is None


def test_each_place_has_a_cipher_key_of_its_own() -> None:
    """With one nonce, equal contents of two items have unrelated ciphertexts: a nonce is used up for one value only."""
    other = context_of("users", ("org", "id"), ("acme", ("2",)), "ssn")
    one, two = (seal(KEY, b"k", context, NONCE, b"\0" * 64) for context in (CONTEXT, other))
    keystreams = [parsed.text[:64] for parsed in (parse(one), parse(two)) if parsed is not None]
    assert len(set(keystreams)) == 2


def test_without_cryptography_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the extra is not installed, the error says which to install."""
    monkeypatch.setitem(sys.modules, "cryptography.exceptions", None)
    aead.cache_clear()
    try:
        with pytest.raises(ConfigurationError, match=r'install "dynamorm-async\[crypto\]"'):
            aead()
    finally:
        monkeypatch.undo()
        aead.cache_clear()
    assert aead()[0].__name__ == "AESGCM"
