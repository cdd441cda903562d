"""A key template, such as ``"ORDER#{placed:%Y-%m-%d}#{order_id}"``: parsed once, rendered for items, parsed back from keys."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any, final

import msgspec

from dynamorm_async.codec.components import Component
from dynamorm_async.codec.keytext import TextForm
from dynamorm_async.codec.layout import Layout, Member
from dynamorm_async.codec.runs import ANYTHING, Run, literal, meet
from dynamorm_async.codec.template_parts import parts_of
from dynamorm_async.errors import InvalidKey
from dynamorm_async.types import AttributeValue, KeyTag


@final
class Template(msgspec.Struct, frozen=True, dict=True):
    """How a key attribute is made of other attributes.

    Two items with other values never have one key, as far as the components are lossless: no component holds the
    separator "#", which ends each whose width is not fixed.

    Attributes:
        text: the template as written.
        name: the key attribute that it makes.
        tag: the key attribute's type tag. A template of ``N`` or ``B`` is one component alone, as it is stored.
        parts: its literals and components, in order.
    """

    text: str
    name: str
    tag: KeyTag
    parts: tuple[str | Component, ...]

    @cached_property
    def components(self) -> tuple[Component, ...]:
        """Its components, in order."""
        return tuple(part for part in self.parts if isinstance(part, Component))

    @cached_property
    def members(self) -> tuple[Member, ...]:
        """The attributes that it is made of, each once, in order."""
        return tuple({part.member.wire: part.member for part in self.components}.values())

    def render(self, item: Mapping[str, AttributeValue]) -> AttributeValue | None:
        """The key attribute of an item.

        Args:
            item: attributes by their names in DynamoDB. Binary content is ``bytes``.

        Returns:
            The key attribute's value, or ``None`` where the item lacks a component or has NULL in its place. Its length is
            not checked.

        Raises:
            InvalidKey: a value that does not fit its component.
        """
        if self.tag != "S":
            return self._whole(item)
        try:
            return {"S": self._frame % tuple([make(item[wire][tag]) for wire, tag, make in self._steps])}
        except (KeyError, ValueError):
            pass  # a component is absent, or does not fit: telling which one, and why, costs more
        values = [(part, _value(part, item)) for part in self.components]
        if any(value is None for _, value in values):
            return None
        return {"S": self._frame % tuple([part.render(value) for part, value in values if value is not None])}

    def prefix(self, item: Mapping[str, AttributeValue]) -> str:
        """What the key of every item with these attributes begins with.

        Args:
            item: some attributes by their names in DynamoDB.

        Returns:
            The literals and components up to the first component that the item lacks. That component's literal before it is
            included, so keys of other values before it do not begin so. Of a template of ``N`` or ``B``, nothing.

        Raises:
            InvalidKey: a value that does not fit its component.
        """
        texts: list[str] = []
        for part in self.parts if self.tag == "S" else ():
            if isinstance(part, str):
                texts.append(part)
                continue
            value = _value(part, item)
            if value is None:
                break
            texts.append(part.render(value))
        return "".join(texts)

    def parse(self, value: AttributeValue) -> dict[str, AttributeValue] | None:
        """The attributes that a key was made of.

        Args:
            value: the key attribute's value. Binary content is ``bytes``.

        Returns:
            The values of its lossless components by their names in DynamoDB; ``None`` where no item has such a key.
        """
        content = value.get(self.tag)
        if content is None:
            return None
        if self.tag != "S":
            whole = self.components[0]
            try:
                whole.render(value)
            except InvalidKey:
                return None
            return {whole.member.wire: value}
        match = self._read(content)
        return None if match is None else self._values(match.groups())

    def matches(self, value: AttributeValue) -> bool:
        """Whether some item has such a key."""
        return self.parse(value) is not None

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        """Which texts it makes, and maybe more."""
        return _runs(self.parts)

    def _values(self, texts: tuple[str, ...]) -> dict[str, AttributeValue] | None:
        found: dict[str, AttributeValue] = {}
        try:
            for (wire, form), text in zip(self._forms, texts, strict=True):
                content = form.content(text)
                if form.lossless:
                    found[wire] = {form.tag: content}
        except ValueError:
            return None
        return found if len(self.members) == len(texts) or self._agree(found, texts) else None

    def _agree(self, found: Mapping[str, AttributeValue], texts: tuple[str, ...]) -> bool:
        """Whether an attribute that stands in it twice is the same both times, where the texts can tell."""
        pairs = zip(self.components, texts, strict=True)
        try:
            return all(
                part.render(found[part.member.wire]) == text for part, text in pairs if part.member.wire in found
            )
        except InvalidKey:
            return False

    def _whole(self, item: Mapping[str, AttributeValue]) -> AttributeValue | None:
        """The value of the one component, as it is stored."""
        (part,) = self.components
        value = _value(part, item)
        if value is not None:
            part.render(value)  # refuses a value of another type
        return value

    @cached_property
    def _forms(self) -> tuple[tuple[str, TextForm], ...]:
        return tuple((part.member.wire, part.form) for part in self.components)

    @cached_property
    def _steps(self) -> tuple[tuple[str, str, Callable[[Any], str]], ...]:  # of the content of an AttributeValue
        return tuple((wire, form.tag, form.make) for wire, form in self._forms)

    @cached_property
    def _frame(self) -> str:
        return "".join(part.replace("%", "%%") if isinstance(part, str) else "%s" for part in self.parts)

    @cached_property
    def _read(self) -> Callable[[str], re.Match[str] | None]:
        patterns = (
            re.escape(part) if isinstance(part, str) else f"({''.join(run.pattern for run in part.form.runs)})"
            for part in self.parts
        )
        return re.compile("".join(patterns)).fullmatch


def _value(part: Component, item: Mapping[str, AttributeValue]) -> AttributeValue | None:
    """The value of a component; ``None`` where the item lacks it or has NULL in its place."""
    value = item.get(part.member.wire)
    return None if value is None or "NULL" in value else value


def overlap(one: Template, other: Template, *, known: int | None = None) -> bool:
    """Whether some key could be made by both templates.

    Where it says no, that is certain. It may say yes for templates whose values never meet.

    Args:
        one: a template.
        other: another one.
        known: how many parts at the beginning of the first one are known: anything may follow them. ``None`` for all.
    """
    if one.tag != other.tag:
        return False
    if one.tag != "S":
        return True
    if known is None or known == len(one.parts):
        return meet(one.runs, other.runs)
    return meet((*_runs(one.parts[:known]), ANYTHING), other.runs)


def _runs(parts: Iterable[str | Component]) -> tuple[Run, ...]:
    return tuple(run for part in parts for run in (literal(part) if isinstance(part, str) else part.form.runs))


def parse_template(text: str, name: str, tag: KeyTag, layout: Layout, *, where: str) -> Template:
    """A key template, checked.

    Args:
        text: the template: text, ``{attribute}`` and ``{attribute:format}``; ``{{`` and ``}}`` are braces themselves.
        name: the key attribute that it makes.
        tag: the key attribute's type tag.
        layout: the model's attributes.
        where: model and key attribute, for errors.

    Raises:
        ModelError: it is empty or not well formed; it names no attribute of the model, or one that cannot be a part of a key; "#"
            is missing after a component; a key attribute of numbers or bytes is not one component alone.
    """
    return Template(text, name, tag, parts_of(text, tag, layout, where=where))
