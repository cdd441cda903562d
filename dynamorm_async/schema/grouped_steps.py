"""Steps that settle several differences at once: tags, and the throughput of a table and its indexes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dynamorm_async.model.settings import Provisioned
from dynamorm_async.model.table import Table
from dynamorm_async.plan.settings import index_billing, tags_parameter, throughput_parameter
from dynamorm_async.schema.diff import Difference
from dynamorm_async.schema.live import LiveTable
from dynamorm_async.schema.settings_steps import settings_of
from dynamorm_async.schema.steps import Item, Maker


def tag_steps(make: Maker, found: list[Difference], live: LiveTable) -> Iterator[Item]:
    """All tags that are to be set in one step, and those of others in another, where that is allowed."""
    wanted = {str(one.subject): one.declared for one in found if one.declared is not None}
    if wanted:
        yield make.step(
            "set_tags",
            f"set the tags {', '.join(wanted)}",
            "TagResource",
            {"ResourceArn": live.resource, **tags_parameter(wanted)},
        )
    extra = [one for one in found if one.is_extra]
    if extra and make.may("remove_tags"):
        keys = [str(one.subject) for one in extra]
        yield make.step(
            "remove_tags",
            f"remove the tags {', '.join(keys)}",
            "UntagResource",
            {"ResourceArn": live.resource, "TagKeys": keys},
            permission="remove_tags",
        )
    elif extra:
        yield from (make.left(one.sentence, "remove_tags", is_extra=True) for one in extra)


def throughput_steps(make: Maker, found: list[Difference], table: Table, live: LiveTable) -> Iterator[Item]:
    """Provisioned throughput: what goes up goes first, and nothing goes down before all else is done."""
    settings = settings_of(table)
    raised: dict[str | None, Provisioned] = {}
    lowered: dict[str | None, Provisioned] = {}
    for one in found:
        declared = settings.billing
        assert isinstance(declared, Provisioned), "throughput is of provisioned tables"  # noqa: S101 - what the difference says
        name = one.subject
        wanted = declared if name is None else index_billing(settings.index(name), declared)
        now = live.description.billing if name is None else live.indexes[name].billing
        assert isinstance(wanted, Provisioned), "an index is billed as its table"  # noqa: S101 - checked when declared
        if not isinstance(now, Provisioned):
            raised[name] = wanted
            continue
        most = Provisioned(read=max(now.read, wanted.read), write=max(now.write, wanted.write))
        if most != now:
            raised[name] = most
        if wanted != most:
            lowered[name] = wanted
    if raised:
        yield make.update("raise_throughput", _throughput_words("raise", raised), _throughput_params(raised))
    if lowered:
        yield make.update(
            "lower_throughput",
            _throughput_words("lower", lowered),
            _throughput_params(lowered),
            warning="DynamoDB takes few decreases a day",
        )


def _throughput_words(verb: str, wanted: Mapping[str | None, Provisioned]) -> str:
    of = (
        f"{'the table' if name is None else f'index {name}'} to {one.read} read and {one.write} write units"
        for name, one in wanted.items()
    )
    return f"{verb} the throughput of {', '.join(of)}"


def _throughput_params(wanted: Mapping[str | None, Provisioned]) -> dict[str, Any]:
    params: dict[str, Any] = {}
    updates = [
        {"Update": {"IndexName": name, **throughput_parameter(one)}} for name, one in wanted.items() if name is not None
    ]
    if None in wanted:
        params |= throughput_parameter(wanted[None])
    if updates:
        params["GlobalSecondaryIndexUpdates"] = updates
    return params
