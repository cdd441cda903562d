"""Between plans and transport: plaintexts of requests become ciphertexts, ciphertexts of answers become plaintexts.

A request is encrypted once, above all retries. What cannot be decrypted stays in the answer as a refusal, which the codec
turns into ``DecryptError`` with the model, the attribute and the key; so one item that was tampered with does not keep
others of a page from being named, and nothing is ever read as if it had been encrypted.
"""

from __future__ import annotations

import os
from typing import Any, final

import msgspec

from dynamorm_async.codec.answers import answer_json
from dynamorm_async.codec.encrypted import ENCRYPTED, Plaintext
from dynamorm_async.codec.sealing import NONCE_BYTES, aead, seal
from dynamorm_async.database.keyring import DataKey, KeyProvider, KeyUse
from dynamorm_async.database.unsealing import Opening, opened_errors, openings
from dynamorm_async.errors import ConditionFailed, ConfigurationError, TransactionCancelled
from dynamorm_async.plan.sealed import Part, bound_to, parts_of, with_parts
from dynamorm_async.transport.base import Transport
from dynamorm_async.types import AttributeValue, Request, Response, Sealed


@final
class Sealer:
    """Sends requests whose values, and whose answers' values, may be encrypted.

    Args:
        keys: gives the keys; ``None`` for a database that has none.

    Raises:
        ConfigurationError: there are keys, and the package ``cryptography`` is missing.
    """

    def __init__(self, keys: KeyProvider | None) -> None:
        self._keys = keys
        if keys is not None:
            aead()

    async def send(self, transport: Transport, request: Request, timeout: float | None) -> Response:
        """Send a request, encrypted, and give its answer, decrypted.

        Raises:
            ConfigurationError: it has values to encrypt, and there are no keys; nothing was sent.
            CallError, CredentialsError: as the transport raises them; the items that they carry are decrypted.
            Exception: what the provider of the keys raises. Where that would hide what became of a write, the values that
                it has no keys for are refused instead.
        """
        try:
            response = await transport.send(await self._sealed(request), timeout=timeout)
        except (ConditionFailed, TransactionCancelled) as error:
            await self._open(opened_errors(error, request), of_write=True)
            raise
        answer = answer_json(response.body)
        await self._open(openings(answer, request), of_write=request.writes)
        return msgspec.structs.replace(response, body=msgspec.json.encode(answer))

    async def _sealed(self, request: Request) -> Request:
        """The request with ciphertexts in place of plaintexts; the one that is given stays as it is."""
        parts = parts_of(request)
        counts: dict[str, int] = {}
        for part in parts:
            counts[part.sealed.table] = counts.get(part.sealed.table, 0) + len(part.plaintexts)
        if not counts:
            return request
        if self._keys is None:
            raise ConfigurationError(
                f"{', '.join(sorted(counts))} has encrypted() attributes, and this Database has no keys to encrypt them: "
                "pass some, Database(keys=LocalKeyring(...))"
            )
        keys = {table: await self._keys.encrypting(KeyUse(table=table, values=n)) for table, n in counts.items()}
        return with_parts(request, {id(part.body): _sealed_part(part, keys[part.sealed.table]) for part in parts})

    async def _open(self, found: list[Opening], *, of_write: bool) -> None:
        """Put what was encrypted in the places of ciphertexts, or why it cannot be read."""
        wanted: dict[tuple[str, bytes], int] = {}
        for opening in found:
            place = opening.sealed.table, opening.sealing.key_id
            wanted[place] = wanted.get(place, 0) + 1
        keys: dict[tuple[str, bytes], bytes | Exception | None] = {}
        for (table, key_id), count in wanted.items():
            try:
                keys[table, key_id] = await self._key(key_id, KeyUse(table=table, values=count))
            except Exception as error:
                if not of_write:
                    raise
                keys[table, key_id] = error
        for opening in found:
            opening.settle(keys[opening.sealed.table, opening.sealing.key_id], has_keys=self._keys is not None)

    async def _key(self, key_id: bytes, use: KeyUse) -> bytes | None:
        found = None if self._keys is None else await self._keys.decrypting(key_id, use)
        return None if found is None else found.key


def _sealed_part(part: Part, key: DataKey) -> dict[str, Any]:
    """A part of a request's body with ciphertexts."""
    return {
        **part.body,
        part.field: {
            name: _ciphertext(value[ENCRYPTED], part.sealed, part.key, name, key, in_item=part.field == "Item")
            if ENCRYPTED in value
            else value
            for name, value in part.body[part.field].items()
        },
    }


def _ciphertext(
    plaintext: Plaintext, sealed: Sealed, item_key: Any, name: str, key: DataKey, *, in_item: bool
) -> AttributeValue:
    """The ciphertext of a value; the same for a request that is made again, such as a batch's or a transaction's."""
    context = bound_to(sealed, item_key, name if in_item else plaintext.attribute)
    made_for = key.id, context
    if plaintext.sealed is None or plaintext.sealed[0] != made_for:
        data = seal(key.key, key.id, context, os.urandom(NONCE_BYTES), plaintext.content())
        plaintext.sealed = made_for, data
    return {"B": plaintext.sealed[1]}
