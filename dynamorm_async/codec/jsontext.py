"""The converter for attributes stored as JSON text."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

import cattrs
from cattrs.preconf.json import make_converter


def make_json_converter() -> cattrs.Converter:
    """A cattrs converter to and from what ``json`` knows: dates and UUIDs as text, Decimal as exact text."""
    converter = make_converter()
    converter.register_unstructure_hook(UUID, str)
    converter.register_structure_hook(UUID, lambda value, _: UUID(value))
    converter.register_unstructure_hook(Decimal, str)
    converter.register_structure_hook(Decimal, _decimal)
    return converter


def _decimal(value: Any, _type: Any) -> Decimal:
    return Decimal(str(value))
