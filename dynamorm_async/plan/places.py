"""Where items are."""

from __future__ import annotations

from typing import TypeAlias

PlaceId: TypeAlias = tuple[object, ...]
"""The table's name, then the key's identity: equal for one item, however its key was written."""
