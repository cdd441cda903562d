"""What must hold of a variant, so that reads and writes through its base are right for its items, too.

``db.update(Key(Payment, ...), ...)`` does not know whether the item is a Card: whatever it keeps right for payments must be
all that there is to keep right for cards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dynamorm_async.codec.layout import Member
from dynamorm_async.errors import ModelError
from dynamorm_async.model.derived import IndexTemplates, KeyTemplate
from dynamorm_async.model.spec import ModelSpec

_KEPT = ("version", "updated_at", "deleted_at")


def check_variant(spec: ModelSpec[Any], base: ModelSpec[Any]) -> None:
    """Refuse a variant whose items a call on its base would leave wrong.

    Raises:
        ModelError: it has another key, keys of indexes that depend on attributes of the base, a version, time or mark
            that the base has not, or not one that the base has; stores an attribute of the base otherwise; has other unique
            constraints, or hides expired items where the base does not.
    """
    _check_templates(spec, base)
    _check_attributes(spec, base)
    for role in _KEPT:
        own, its = getattr(spec, role), getattr(base, role)
        if own is None and its is not None:
            raise ModelError(
                f"{base.name}.{its.name} is {role}(), and {spec.name}.{its.name} is not, so that writes of a {spec.name} would "
                "not keep it: leave it out"
            )
        if own is not None and its is None:
            raise ModelError(
                f"{spec.name}.{own.name} is {role}(), which a write through {base.name} would not set: declare it on {base.name}"
            )
    if spec.hide_expired != base.hide_expired:
        raise ModelError(
            f"{spec.name} has hide_expired={spec.hide_expired}, and its base {base.name} {base.hide_expired}: reads of "
            f"{base.name} have both, so give both the same"
        )
    _check_unique(spec, base)


def _check_templates(spec: ModelSpec[Any], base: ModelSpec[Any]) -> None:
    if spec.derived is None or base.derived is None:
        return
    for own, others in zip(spec.derived.table_keys, base.derived.table_keys, strict=True):
        if own.template.text != others.template.text:
            raise ModelError(
                f"{spec.name}: {own.name}={own.template.text!r}, but its base {base.name} has {others.template.text!r}: "
                f"Key({base.name}, ...) means items of {spec.name}, too, so their keys are made alike. Leave it out"
            )
    of_base: Mapping[str, IndexTemplates] = {each.index.name: each for each in base.derived.indexes}
    moved = {member.wire: member.name for member in base.attributes.values() if not member.in_key}
    for mine in spec.derived.indexes:
        its = of_base.get(mine.index.name)
        name = mine.index.name
        if its is not None:
            if [key.template.text for key in mine.keys] != [key.template.text for key in its.keys] or (
                mine.when != its.when
            ):
                raise ModelError(
                    f"{spec.name}: {name} has other templates, or another when=, than in its base {base.name}: an update "
                    f"through {base.name} would leave the keys of a {spec.name} wrong. Leave it out"
                )
        elif shared := [moved[wire] for wire in (*mine.inputs, *mine.plain) if wire in moved]:
            raise ModelError(
                f"{spec.name}: the keys of {name} depend on {', '.join(shared)} of its base {base.name}, which has no "
                f"{name}: an update through {base.name} would leave them wrong. Give {name} to {base.name}"
            )


def _check_attributes(spec: ModelSpec[Any], base: ModelSpec[Any]) -> None:
    """Refuse what a write or a condition through the base would miss: it names and stores attributes as the base does."""
    for name, its in base.attributes.items():
        own = spec.attributes.get(name)
        if own is None:
            continue
        stored = (its.wire, its.storage, its.shape.tag)
        if (own.wire, own.storage, own.shape.tag if its.shape.tag else "") != stored:
            raise ModelError(
                f"{spec.name}.{name} is stored as {_shown(own)}, but {base.name}.{name} as {_shown(its)}: calls on {base.name} mean "
                f"items of {spec.name}, too. Give it another name, or declare it as in {base.name}"
            )
    if spec.derived is None or base.derived is None:
        return
    mine = {each.index.name: each for each in spec.derived.indexes}
    for index in base.derived.indexes:
        for wire in (*index.inputs, *index.plain):
            one, two = _member(spec, wire), _member(base, wire)
            if one is not None and two is not None and two.required and not one.required:
                raise ModelError(
                    f"{spec.name}.{one.name} may be missing, but {base.name}.{two.name}, from which the keys of {index.index.name} are "
                    f"made, may not: an update through {base.name} would leave the keys of a {spec.name} wrong"
                )
        _check_forms(spec, base, mine[index.index.name].keys, index.keys)
    _check_forms(spec, base, spec.derived.table_keys, base.derived.table_keys)


def _check_forms(
    spec: ModelSpec[Any], base: ModelSpec[Any], mine: Sequence[KeyTemplate], its: Sequence[KeyTemplate]
) -> None:
    """Refuse components that are written otherwise: a date where the base has a time."""
    for own, other in zip(mine, its, strict=True):
        for one, two in zip(own.template.components, other.template.components, strict=True):
            if (one.form.tag, one.form.runs) != (two.form.tag, two.form.runs):
                raise ModelError(
                    f"{spec.name}.{one.member.name} is not of the type that it is of in {base.name}, so that {own.name} would be "
                    f"made otherwise than calls on {base.name} make it: declare it as in {base.name}"
                )


def _member(spec: ModelSpec[Any], wire: str) -> Member | None:
    return next((member for member in spec.attributes.values() if member.wire == wire), None)


def _shown(member: Member) -> str:
    how = member.shape.tag if member.storage == "native" else member.storage
    return f"{member.wire} ({how or 'of any type'})"


def _check_unique(spec: ModelSpec[Any], base: ModelSpec[Any]) -> None:
    own, its = (
        {each.name: [member.name for member in each.members] for each in model.unique} for model in (spec, base)
    )
    if own == its:
        return
    names = " and ".join(sorted(own.keys() ^ its.keys())) or " and ".join(sorted(own))
    raise ModelError(
        f"{spec.name} and its base {base.name} have different unique constraints ({names}): a write through {base.name} keeps "
        f"those of {base.name} only. Declare them on {base.name}"
    )
