"""The access patterns that models serve: what can be read without a scan, by which key, in which order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

import msgspec

from dynamorm_async.model.spec import ModelSpec
from dynamorm_async.model.table import Table
from dynamorm_async.plan.membership import memberships, specs_of
from dynamorm_async.plan.pattern import AccessPattern, patterns_of
from dynamorm_async.plan.patterns_text import markdown
from dynamorm_async.plan.sharing import ItemCollection, collections


@final
class UniqueValues(msgspec.Struct, frozen=True, kw_only=True):
    """Attributes whose values, taken together, no two items of a model share. A guarantee, not a way to read.

    Attributes:
        model: the model's class.
        table: the name of its table.
        attributes: their Python names.
        marker_table: the table that holds which values are taken.
    """

    model: type
    table: str
    attributes: tuple[str, ...]
    marker_table: str


@final
class AccessPatterns(msgspec.Struct, frozen=True, kw_only=True):
    """What models serve.

    Attributes:
        patterns: the ways to read them, by table, model, and index.
        collections: which of the models share partitions.
        unique: which values are unique.
    """

    patterns: tuple[AccessPattern, ...]
    collections: tuple[ItemCollection, ...]
    unique: tuple[UniqueValues, ...]

    def markdown(self) -> str:
        """The same as Markdown, for a design document: a heading a table, and a row a pattern.

        The same models give the same text, so that it can be kept in a repository and compared.
        """
        return markdown(self.patterns, self.collections, self.unique)


def access_patterns(*models: type | Table) -> AccessPatterns:
    """What models can be read by, without a scan: keys, indexes, collections, and which values are unique.

    Nothing is sent. Reads with other conditions are possible where a filter drops what does not match; they read, and
    cost, what the pattern reads.

    Args:
        models: model classes, and tables for all models that live in them.

    Raises:
        UsageError: no models are given, a class is no model, or no model of a table has been declared yet.
    """
    specs = sorted(specs_of(models, where="access_patterns()"), key=_place)
    held = {spec.cls: memberships(spec) for spec in specs}
    patterns: list[AccessPattern] = []
    for spec in specs:
        bases = {_identity(pattern) for base in _bases(spec, specs) for pattern in patterns_of(base, held[base.cls])}
        patterns += [one for one in patterns_of(spec, held[spec.cls]) if _identity(one) not in bases]
    return AccessPatterns(
        patterns=tuple(patterns),
        collections=tuple(collections([spec for spec in specs if not _bases(spec, specs)], held)),
        unique=tuple(
            UniqueValues(
                model=spec.cls,
                table=spec.table.name,
                attributes=tuple(member.name for member in constraint.members),
                marker_table=spec.marker_table.name,
            )
            for spec in specs
            if spec.marker_table is not None
            for constraint in spec.unique
        ),
    )


def _place(spec: ModelSpec[Any]) -> tuple[str, ...]:
    return spec.table.name, spec.name, spec.cls.__module__, spec.cls.__qualname__


def _bases(spec: ModelSpec[Any], among: Sequence[ModelSpec[Any]]) -> list[ModelSpec[Any]]:
    """The models that it is a variant of: what reads those reads it as well."""
    return [other for other in among if other is not spec and any(spec is one for one in other.variants.values())]


def _identity(pattern: AccessPattern) -> object:
    return pattern.operation, pattern.index, pattern.key, pattern.then, pattern.sparse
