"""Where the keys of encrypted attributes come from."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol, final

import attrs
import msgspec

from dynamorm_async.codec.sealing import KEY_BYTES, MAX_KEY_ID_BYTES
from dynamorm_async.errors import ConfigurationError


@final
@attrs.frozen
class DataKey:
    """A key that encrypts values.

    Attributes:
        id: what it is found by again, up to 1024 bytes. It stands in front of every ciphertext, readable: a name, or the
            key itself as a key service encrypted it.
        key: 32 random bytes.

    Raises:
        ConfigurationError: the key has another length, or the id has none or is too long.
    """

    id: bytes
    key: bytes = attrs.field(repr=False)

    def __attrs_post_init__(self) -> None:
        if type(self.key) is not bytes or len(self.key) != KEY_BYTES:
            raise ConfigurationError(
                f"the key {self.id.decode(errors='replace')!r} of encrypted attributes is not {KEY_BYTES} bytes: make one with "
                f"secrets.token_bytes({KEY_BYTES}), and keep it where secrets are kept"
            )
        if not 1 <= len(self.id) <= MAX_KEY_ID_BYTES:
            raise ConfigurationError(f"the id of a key has 1 to {MAX_KEY_ID_BYTES} bytes, not {len(self.id)}")


@final
class KeyUse(msgspec.Struct, frozen=True, kw_only=True):
    """What a key is wanted for.

    Attributes:
        table: the name of the table that the values are in.
        values: how many values it is to encrypt or decrypt, so that a provider can bound what one key is used for.
    """

    table: str
    values: int


class KeyProvider(Protocol):
    """Gives the keys of encrypted attributes to a Database; it may fetch them, and is awaited.

    It is asked once for each request that encrypts, and once for each key that an answer needs: it caches what is
    expensive. What it raises is raised by the call; but once a write was answered, the values that it has no key for are
    refused instead (``DecryptError``), so that the call still tells what became of the write. What it takes is not within
    the time that a call's ``timeout`` bounds.
    """

    async def encrypting(self, use: KeyUse, /) -> DataKey:
        """The key to encrypt with now."""
        ...

    async def decrypting(self, key_id: bytes, use: KeyUse, /) -> DataKey | None:
        """The key of an id, as it stands in a ciphertext; ``None`` where there is no such key. The id may be anybody's."""
        ...


@final
class LocalKeyring:
    """Keys that the program has itself: the current one encrypts, all of them decrypt.

    To rotate, add a new key and make it the current one in every running program only once all of them know it. Values
    that are written again are encrypted by it; keep the old key until none is left.

    Args:
        keys: each key, 32 random bytes, by its name. Names are stored with every value, readable.
        current: the name of the key that encrypts; may be left out of a single one.

    Raises:
        ConfigurationError: no keys, a key of another length, or ``current`` is none of them.
    """

    __slots__ = ("_by_id", "_current")

    def __init__(self, keys: Mapping[str, bytes], *, current: str | None = None) -> None:
        found = {name: DataKey(name.encode(), key) for name, key in keys.items()}
        name = next(iter(found)) if current is None and len(found) == 1 else current
        if name is None or name not in found:
            known = ", ".join(found) or "none"
            what = "current= is missing" if name is None else f"current={name!r} is none of the keys"
            raise ConfigurationError(f"LocalKeyring(): {what}: name the key that encrypts; the keys are {known}")
        self._by_id = MappingProxyType({key.id: key for key in found.values()})
        self._current = found[name]

    def __repr__(self) -> str:
        names = ", ".join(repr(key_id.decode()) for key_id in self._by_id)
        return f"<LocalKeyring {names}; current {self._current.id.decode()!r}>"

    async def encrypting(self, _use: KeyUse, /) -> DataKey:
        """The current key. Costs nothing."""
        return self._current

    async def decrypting(self, key_id: bytes, _use: KeyUse, /) -> DataKey | None:
        """The key of an id, ``None`` where there is none. Costs nothing."""
        return self._by_id.get(key_id)
