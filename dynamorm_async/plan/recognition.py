"""Of which model an item of a shared table is: told by its discriminator, else by its key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, final

from dynamorm_async.codec.answers import bytes_in
from dynamorm_async.codec.misfit import Misfit
from dynamorm_async.codec.variant_reader import type_in
from dynamorm_async.errors import UsageError
from dynamorm_async.model.registry import models_of, with_variants
from dynamorm_async.model.spec import ModelSpec
from dynamorm_async.model.table import Table


@final
class Recognition:
    """Tells the models of a table apart.

    Args:
        table: the table.
        held: the attributes that items have where they are read; ``None`` for whole items.
        asked: the models that are asked for, their variants among them; none for all of the table.

    Raises:
        UsageError: no model lives in the table, one that is asked for does not, or some cannot be told apart.
    """

    def __init__(self, table: Table, held: frozenset[str] | None, asked: Sequence[ModelSpec[Any]] = ()) -> None:
        self.table = table
        known = models_of(table)
        if not known:
            raise UsageError(
                f"no model lives in table {table.name}: import the modules that declare its models, @model({table!r}, ...)"
            )
        self.asked: tuple[ModelSpec[Any], ...] = with_variants(asked or known)
        for spec in self.asked:
            if spec not in known:
                raise UsageError(f"{spec.name} lives in table {spec.table.name}, not in {table.name}")
        told = table.discriminator is not None and (held is None or table.discriminator in held)
        self.discriminator = table.discriminator if told else None
        """The attribute that tells the type; ``None`` where items do not have it."""
        self.by_type: Mapping[str, ModelSpec[Any]] = {spec.type: spec for spec in known if spec.type is not None}
        """All models of the table that have a type."""
        variants = [variant for spec in known for variant in spec.variants.values()]
        roots = [spec for spec in known if spec not in variants]
        self._templated = [spec for spec in roots if _has_templates(spec)]
        self._untyped = [spec for spec in roots if not _has_templates(spec) and (spec.type is None or not told)]
        self._check(roots)

    def of(self, raw: Mapping[str, Any]) -> ModelSpec[Any] | None:
        """The model of an item in DynamoDB's JSON form; ``None`` where it is of none that is known."""
        if self.discriminator is not None and self.discriminator in raw:
            kind = type_in(raw, self.discriminator)
            return None if kind is None else self.by_type.get(kind)
        for spec in self._templated:
            if _has_key_of(spec, raw):
                return spec
        return self._untyped[0] if self._untyped else None

    def _check(self, roots: Sequence[ModelSpec[Any]]) -> None:
        """Refuse models that cannot be told apart."""
        where = f"table {self.table.name}"
        untyped = [spec.name for spec in self._untyped]
        if len(untyped) > 1 or (untyped and self.discriminator is None and len(roots) > 1):
            missing = (
                "items there have no discriminator"
                if self.discriminator is None
                else f"{' and '.join(untyped)} {'has' if len(untyped) == 1 else 'have'} no type"
            )
            raise UsageError(
                f"the models of {where} cannot be told apart: {missing}, and the keys of {' and '.join(untyped)} are made by "
                "no template. Give each model a type, @model(table, type=...), and let what is read hold the discriminator"
            )
        if self.discriminator is None:
            for spec in self.asked:
                if spec not in roots and not any(
                    root in self.asked for root in roots if spec in root.variants.values()
                ):
                    raise UsageError(
                        f"{spec.name} cannot be told from the other variants of its base where items have no "
                        f"{self.table.discriminator}: read the table, let the index hold it, or ask for the base"
                    )


def _has_templates(spec: ModelSpec[Any]) -> bool:
    return spec.derived is not None and bool(spec.derived.table_keys)


def _has_key_of(spec: ModelSpec[Any], raw: Mapping[str, Any]) -> bool:
    """Whether the item's key is one that the model's templates make."""
    assert spec.derived is not None, "it has templates"  # noqa: S101 - of models with templates only
    try:
        key = bytes_in({name: raw[name] for name in spec.key_names if name in raw})
    except Misfit:
        return False
    return all(part.name in key and part.template.matches(key[part.name]) for part in spec.derived.table_keys)
