"""What an export or import is about: the models of a table, and the table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final

import msgspec

from dynamorm_async import Database, Table, UsageError
from dynamorm_async.codec.answers import answer_json
from dynamorm_async.codec.identity import Identities
from dynamorm_async.codec.variant_reader import type_in
from dynamorm_async.errors import DecodeError, Problem, UnrecognizedItem
from dynamorm_async.model.registry import models_of, with_variants
from dynamorm_async.model.spec import ModelSpec, spec_of
from dynamorm_async.plan.recognition import Recognition
from dynamorm_async.types import Sealed


@final
class Scope(msgspec.Struct, frozen=True, eq=False):
    """The items that a file is of.

    Attributes:
        table: the table.
        name: its full name.
        spec: the model; ``None`` for all items of the table.
        models: the models of the items, their variants included; none of a table that no model lives in.
        recognition: tells the models apart; ``None`` of one model, and of a table without models.
        identities: which item a key of the table means.
    """

    table: Table
    name: str
    spec: ModelSpec[Any] | None
    models: tuple[ModelSpec[Any], ...]
    recognition: Recognition | None
    identities: Identities

    @property
    def title(self) -> str:
        """What it is called in errors: the model, or the table."""
        return self.spec.name if self.spec is not None else f"table {self.table.name}"

    @property
    def sealed(self) -> tuple[Sealed, ...]:
        """What is encrypted of its items."""
        return self.table.sealed(self.name)

    @property
    def encrypted(self) -> list[str]:
        """The encrypted attributes of its models, as ``Model.attribute``."""
        return [
            f"{spec.name}.{member.name}"
            for spec in self.models
            for member in spec.attributes.values()
            if member.storage == "encrypted"
        ]

    def read(self, raw: msgspec.Raw) -> Any:  # an instance of one of the models
        """An item in DynamoDB's JSON form as its model.

        Raises:
            DecodeError: it does not fit; ``UnrecognizedItem`` where it is of no model that is known.
        """
        if self.spec is not None:
            return self.spec.reader.decode_item(raw)
        whole = answer_json(raw)
        spec = self.model_of(whole)
        if spec is None:
            raise self._stranger(whole)
        return spec.codec.decode_item(raw)

    def model_of(self, raw: Mapping[str, Any]) -> ModelSpec[Any] | None:
        """The model of an item in DynamoDB's JSON form; ``None`` where it is of none that is known."""
        if self.spec is not None:
            kind = None if self.table.discriminator is None else type_in(raw, self.table.discriminator)
            return self.spec if kind is None else self.spec.variants.get(kind, self.spec)
        return None if self.recognition is None else self.recognition.of(raw)

    def _stranger(self, raw: Mapping[str, Any]) -> DecodeError:
        key = {
            part.name: next(iter(raw[part.name].values()), None) for part in self.table.key_parts() if part.name in raw
        }
        types = ", ".join(spec.name for spec in self.models)
        problem = (
            f"tells none of {types}: import the module of its model, or move the items as they are stored, with "
            'format="dynamodb"'
        )
        return UnrecognizedItem(self.table.name, key, [Problem(self.table.discriminator or "the key", problem)])


def scope_of(target: type | Table, db: Database | None = None) -> Scope:
    """The scope of a model class, or of a table with all its models.

    Args:
        target: the model or table.
        db: knows the table's full name; ``None`` where that is not needed.

    Raises:
        UsageError: it is neither, or the models of the table cannot be told apart.
    """
    spec: ModelSpec[Any] | None
    if isinstance(target, Table):
        table, spec, models = target, None, with_variants(models_of(target))
    elif isinstance(target, type):  # pyright: ignore[reportUnnecessaryIsInstance]  # not checked by a caller without types
        one: ModelSpec[Any] = spec_of(target)
        table, spec, models = one.table, one, with_variants([one])
    else:
        raise UsageError(f"expected a model class or a Table, got {target!r}")
    recognition = Recognition(table, None) if spec is None and models else None
    identities = Identities([part.name for part in table.key_parts()])
    return Scope(table, "" if db is None else db.tables.name(target), spec, models, recognition, identities)
