"""Which items are of an older schema."""

from __future__ import annotations

from dynamorm_async.errors import UsageError
from dynamorm_async.expressions.conditions import Condition
from dynamorm_async.model.spec import spec_of


def outdated(model: type[object], /) -> Condition:
    """The condition that an item is of an older schema than its model's, to find what is not migrated yet::

        async for customer in db.scan(Customer).where(outdated(Customer)):
            await db.save(customer)

    Like every condition it is about what is stored: that is the one thing which tells old items apart.

    Args:
        model: a model with ``schema=`` of 2 or more.

    Raises:
        UsageError: it is no model, or has no older schemas.
    """
    spec = spec_of(model)
    if spec.schema is None or spec.schema.current == 1:
        has = "has no schema version" if spec.schema is None else "has schema 1, the first"
        raise UsageError(f"outdated({spec.name}): {spec.name} {has}, so no item is of an older one")
    return spec.schema.is_older()
