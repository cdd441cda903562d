"""What a successful write does to its instance."""

from __future__ import annotations

from dynamorm_async.plan.write import Write


def settle(write: Write) -> None:
    """Let the instance know that its write succeeded."""
    if write.instance is None:
        return
    for name, value in write.changes.items():
        setattr(write.instance, name, value)
    if write.item is not None:
        write.spec.codec.remember(write.instance, write.item, write.held)
