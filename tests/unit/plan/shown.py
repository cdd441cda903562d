"""Expressions for people: the placeholders of a request's body with their names and values put in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any


def shown(body: Mapping[str, Any], parameter: str) -> str:
    """An expression with its names and values put in."""
    text: str = body[parameter]
    for alias, name in body.get("ExpressionAttributeNames", {}).items():
        text = re.sub(rf"{alias}\b", name, text)
    for alias, value in body.get("ExpressionAttributeValues", {}).items():
        text = re.sub(rf"{alias}\b", str(next(iter(value.values()))), text)
    return text
