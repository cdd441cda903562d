"""A model in a table whose index has a key attribute that the model does not have."""

from __future__ import annotations

from typing import Any

from dynamorm_async import GSI, Attr, Table, attr, model, partition_key

shelf = Table("shelf", partition_key="note_id", indexes=[GSI("by_topic", "topic", "rank")], types={"rank": "N"})


@model(shelf)
class Note:
    note_id: Attr[str] = partition_key()
    topic: Attr[str] = attr(default="t")


def shared_items(count: int) -> list[dict[str, Any]]:
    """Notes in the falling order of what only the index knows."""
    return [
        {"note_id": {"S": str(n)}, "topic": {"S": "t"}, "rank": {"N": str(count - n)}, "other": {"S": "kept"}}
        for n in range(count)
    ]
