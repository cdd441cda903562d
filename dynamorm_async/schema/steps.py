"""Steps that change a table: each is one request of the control plane, and what it does in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, TypeAlias, final, get_args

import msgspec

from dynamorm_async.errors import UsageError

Action: TypeAlias = Literal[
    "create_table",
    "enable_deletion_protection",
    "disable_deletion_protection",
    "switch_billing",
    "raise_throughput",
    "lower_throughput",
    "set_on_demand_maximum",
    "raise_warm_throughput",
    "create_index",
    "delete_index",
    "create_vector_index",
    "delete_vector_index",
    "enable_ttl",
    "disable_ttl",
    "enable_stream",
    "disable_stream",
    "set_encryption",
    "set_table_class",
    "set_point_in_time_recovery",
    "set_tags",
    "remove_tags",
    "set_resource_policy",
    "remove_resource_policy",
    "set_contributor_insights",
    "add_replica",
    "remove_replica",
]
"""What a step does."""

Permission: TypeAlias = Literal[
    "delete_index",
    "replace_index",
    "disable_deletion_protection",
    "disable_stream",
    "disable_ttl",
    "reduce_point_in_time_recovery",
    "remove_replica",
    "remove_resource_policy",
    "remove_tags",
]
"""What a plan does only where it is allowed, for it takes something away."""

PERMISSIONS: Final[tuple[Permission, ...]] = get_args(Permission)


@final
class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One change of a table. ``str()`` is a sentence.

    Attributes:
        table: the table's full name.
        action: what it does.
        subject: the index or region that it is about; ``None`` where it is about the table.
        summary: what it does, in words.
        operation: the operation of DynamoDB's API.
        params: its parameters.
        warning: what to expect of it; ``None`` where nothing is to be feared.
        permission: what it needs to be allowed, for it takes something away; ``None`` where it takes nothing.
    """

    table: str
    action: Action
    summary: str
    operation: str
    params: Mapping[str, Any]  # Any: parameters are as open as DynamoDB's API
    subject: str | None = None
    warning: str | None = None
    permission: Permission | None = None

    @property
    def key(self) -> tuple[str, str, str | None]:
        """What tells it from other steps: the table, what it does, and to what."""
        return self.table, self.action, self.subject

    def __str__(self) -> str:
        return f"table {self.table}: {self.summary}"

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**msgspec.structs.asdict(self), "params": dict(self.params)}


@final
class LeftAlone(msgspec.Struct, frozen=True, kw_only=True):
    """What a plan does not do: only DynamoDB has it, or to change it takes something away. ``str()`` is a sentence.

    Attributes:
        table: the table's full name.
        reason: what differs, and why it is left alone.
        permission: what ``allow=`` needs for it; ``None`` where DynamoDB cannot do it.
        is_extra: whether only DynamoDB has it, so that the models work without a change.
    """

    table: str
    reason: str
    permission: Permission | None
    is_extra: bool

    def __str__(self) -> str:
        return f"table {self.table}: {self.reason}"

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return msgspec.structs.asdict(self)


@final
class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """What is declared and DynamoDB cannot do to a table. ``str()`` is a sentence.

    Attributes:
        table: the table's full name.
        reason: what differs, and why it cannot be changed.
        way_out: what to do instead, one sentence a step.
    """

    table: str
    reason: str
    way_out: tuple[str, ...]

    def __str__(self) -> str:
        return f"table {self.table}: {self.reason}"

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return msgspec.structs.asdict(self)


Item: TypeAlias = Step | LeftAlone | Refusal
"""What comes of a difference."""


def replacement(table: str) -> tuple[str, ...]:
    """What it takes to replace a table by one that is otherwise made."""
    return (
        f"declare the models with another table than {table}, and keep the present declaration as that of the old one",
        "create the new table: schema.apply(db, await schema.plan(db, New))",
        "write to both meanwhile: backfills.DualWrite(db, Old, New, forward=...)",
        "copy what is there: backfills.copy(db, Old, New, transform), which what is written meanwhile wins over",
        f"compare, let the program read and write the new table alone, and delete {table} when nothing uses it",
    )


def check_permissions(allow: tuple[str, ...]) -> frozenset[Permission]:
    """What is allowed.

    Raises:
        UsageError: there is no such permission.
    """
    for name in allow:
        if name not in PERMISSIONS:
            raise UsageError(f"allow={name!r}: there is no such permission; they are {', '.join(PERMISSIONS)}")
    return frozenset(name for name in PERMISSIONS if name in allow)


@final
class Maker(msgspec.Struct, frozen=True, kw_only=True):
    """Makes the steps of one table.

    Attributes:
        table: the table's full name.
        allowed: what the plan may take away.
    """

    table: str
    allowed: frozenset[Permission]

    def update(
        self,
        action: Action,
        summary: str,
        params: Mapping[str, Any],
        *,
        subject: str | None = None,
        warning: str | None = None,
        permission: Permission | None = None,
    ) -> Step:
        """A step that is an UpdateTable."""
        return self.step(
            action,
            summary,
            "UpdateTable",
            {"TableName": self.table, **params},
            subject=subject,
            warning=warning,
            permission=permission,
        )

    def step(
        self,
        action: Action,
        summary: str,
        operation: str,
        params: Mapping[str, Any],
        *,
        subject: str | None = None,
        warning: str | None = None,
        permission: Permission | None = None,
    ) -> Step:
        """A step of any operation."""
        return Step(
            table=self.table,
            action=action,
            subject=subject,
            summary=summary,
            operation=operation,
            params=params,
            warning=warning,
            permission=permission,
        )

    def may(self, permission: Permission) -> bool:
        """Whether something is allowed."""
        return permission in self.allowed

    def left(self, reason: str, permission: Permission | None, *, is_extra: bool) -> LeftAlone:
        """Something that is left alone."""
        advice = f'; allow="{permission}" lets the plan do it' if permission else ""
        return LeftAlone(table=self.table, reason=f"{reason}{advice}", permission=permission, is_extra=is_extra)

    def refused(self, reason: str, way_out: tuple[str, ...] | None = None) -> Refusal:
        """Something that DynamoDB cannot do; by default a replacement of the table is the way out."""
        return Refusal(table=self.table, reason=reason, way_out=way_out or replacement(self.table))
