"""What of a declared table is not so in DynamoDB."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, TypeAlias, final

import msgspec
from msgspec import UNSET

from dynamorm_async.model.settings import (
    NO_SETTINGS,
    Billing,
    OnDemand,
    Provisioned,
    TableSettings,
    WarmThroughput,
)
from dynamorm_async.model.table import Table
from dynamorm_async.plan.settings import index_billing, wanted_stream
from dynamorm_async.plan.tables import comparable, described_as, shown
from dynamorm_async.plan.vector_tables import comparable_vectors, shown_vectors
from dynamorm_async.schema.live import LiveIndex, LiveTable

Aspect: TypeAlias = Literal[
    "table",
    "partition_key",
    "sort_key",
    "local_index",
    "index",
    "vector_index",
    "ttl",
    "billing",
    "throughput",
    "on_demand_maximum",
    "warm_throughput",
    "stream",
    "point_in_time_recovery",
    "encryption",
    "table_class",
    "tag",
    "deletion_protection",
    "replica",
    "resource_policy",
    "contributor_insights",
]
"""What two tables can differ in."""

_WORDS: Final[Mapping[Aspect, str]] = {
    "ttl": "time to live",
    "on_demand_maximum": "maximum on demand",
    "point_in_time_recovery": "point-in-time recovery",
}
_INSIDE: Final = frozenset({"throughput", "on_demand_maximum", "warm_throughput", "contributor_insights"})


@final
class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is not as it is declared. ``str()`` is a sentence.

    Attributes:
        table: the table's full name.
        aspect: what differs.
        subject: the index, tag or region that it is about; ``None`` where it is about the table.
        live: what it is, in words; ``None`` where it is not there.
        declared: what is declared, in words; ``None`` where nothing is: only DynamoDB has it.
    """

    table: str
    aspect: Aspect
    subject: str | None = None
    live: str | None = None
    declared: str | None = None

    @property
    def is_extra(self) -> bool:
        """Whether only DynamoDB has it."""
        return self.declared is None

    @property
    def what(self) -> str:
        """What differs, in words, such as ``index by_email``."""
        words = _WORDS.get(self.aspect, self.aspect.replace("_", " "))
        if self.subject is None:
            return words
        return f"{words} of index {self.subject}" if self.aspect in _INSIDE else f"{words} {self.subject}"

    def __str__(self) -> str:
        return f"table {self.table}: {self.sentence}" if self.aspect != "table" else f"table {self.table} is not there"

    @property
    def sentence(self) -> str:
        """The difference without the table's name."""
        if self.live is None:
            return (
                f"{self.what} is not there; declared is {self.declared}"
                if self.declared
                else f"{self.what} is not there"
            )
        if self.declared is None:
            return f"{self.what} is {self.live}, and not declared"
        return f"{self.what} is {self.live}, declared is {self.declared}"

    def as_dict(self) -> dict[str, str | None]:
        """For JSON."""
        return {**msgspec.structs.asdict(self), "text": str(self)}


def differences(table: Table, name: str, live: LiveTable | None) -> list[Difference]:
    """What is not as declared, in the order in which it matters. Settings that are not declared are no difference.

    Args:
        table: what is declared.
        name: the table's full name.
        live: what is there; ``None`` where there is no such table. What is declared must have been read.
    """
    if live is None:
        return [Difference(table=name, aspect="table", declared="declared")]
    settings = NO_SETTINGS if table.settings is None else table.settings
    found = (
        *_keys(table, live),
        *_local_indexes(table, live),
        *_billing(settings, live),
        *_indexes(table, live),
        *_vector_indexes(table, live),
        *_ttl(table, live),
        *_stream(settings, live),
        *_protection(settings, live),
        *_tags(settings, live),
        *_replicas(settings, live),
        *_policy(settings, live),
        *_of_indexes(table, settings, live),
        *_insights(settings, live),
        *_warm(None, settings.warm_throughput, live.warm_throughput),
    )
    return [msgspec.structs.replace(one, table=name) for one in found]


def _differ(aspect: Aspect, live: str | None, declared: str | None, *, of: str | None = None) -> Difference:
    return Difference(table="", aspect=aspect, subject=of, live=live, declared=declared)


def _keys(table: Table, live: LiveTable) -> Iterator[Difference]:
    if table.partition_key != live.description.partition_key:
        yield _differ("partition_key", shown(live.description.partition_key), shown(table.partition_key))
    if table.sort_key != live.description.sort_key:
        yield _differ("sort_key", shown(live.description.sort_key), shown(table.sort_key))


def _local_indexes(table: Table, live: LiveTable) -> Iterator[Difference]:
    return _of_kind(table, live, local=True)


def _indexes(table: Table, live: LiveTable) -> Iterator[Difference]:
    return _of_kind(table, live, local=False)


def _of_kind(table: Table, live: LiveTable, *, local: bool) -> Iterator[Difference]:
    aspect: Aspect = "local_index" if local else "index"
    there = {one.index.name: one.index for one in live.description.indexes if one.index.local is local}
    declared = {index.name: index for index in table.indexes if index.local is local}
    for name, index in declared.items():
        found = there.get(name)
        if found is None:
            yield _differ(aspect, None, described_as(index), of=name)
        elif comparable(found) != comparable(index):
            yield _differ(aspect, described_as(found), described_as(index), of=name)
    for name, index in there.items():
        if name not in declared:
            yield _differ(aspect, described_as(index), None, of=name)


def _vector_indexes(table: Table, live: LiveTable) -> Iterator[Difference]:
    there = {one.index.name: one.index for one in live.description.vector_indexes}
    for index in table.vector_indexes:
        found = there.get(index.name)
        if found is None:
            yield _differ("vector_index", None, shown_vectors(index), of=index.name)
        elif comparable_vectors(found) != comparable_vectors(index):
            yield _differ("vector_index", shown_vectors(found), shown_vectors(index), of=index.name)
    for name, extra in there.items():
        if table.vector_index(name) is None:
            yield _differ("vector_index", shown_vectors(extra), None, of=name)


def _ttl(table: Table, live: LiveTable) -> Iterator[Difference]:
    assert live.ttl is not UNSET, "time to live is always managed, so it was read"  # noqa: S101 - the reader's promise
    if table.ttl != live.ttl:
        yield _differ("ttl", live.ttl, table.ttl)


def _billing(settings: TableSettings, live: LiveTable) -> Iterator[Difference]:
    declared, found = settings.billing, live.description.billing
    if declared is UNSET or declared == found:
        return
    yield _differ(billing_aspect(declared, found), in_words(found), in_words(declared))


def billing_aspect(declared: Billing, found: Billing) -> Aspect:
    """What differs of two ways to pay: the way itself, or the throughput."""
    if type(declared) is not type(found):
        return "billing"
    return "throughput" if isinstance(declared, Provisioned) else "on_demand_maximum"


def _of_indexes(table: Table, settings: TableSettings, live: LiveTable) -> Iterator[Difference]:
    """Settings of the indexes that are there as declared; those of others come with them."""
    for name, found in same_indexes(table, live).items():
        own = settings.index(name)
        if settings.billing is not UNSET and type(settings.billing) is type(live.description.billing):
            wanted = index_billing(own, settings.billing)
            managed = own.billing is not UNSET or isinstance(wanted, Provisioned)
            if managed and wanted != found.billing:
                aspect = billing_aspect(wanted, found.billing or wanted)
                yield _differ(aspect, found.billing and in_words(found.billing), in_words(wanted), of=name)
        yield from _warm(name, own.warm_throughput, found.warm_throughput)
        if own.contributor_insights not in (UNSET, found.contributor_insights):
            shown_now, wanted_insights = found.contributor_insights or "off", own.contributor_insights or "off"
            yield _differ("contributor_insights", str(shown_now), str(wanted_insights), of=name)


def same_indexes(table: Table, live: LiveTable) -> dict[str, LiveIndex]:
    """The global indexes that are there with the keys and projection that are declared."""
    there = {one.index.name: comparable(one.index) for one in live.description.indexes}
    return {
        index.name: live.indexes[index.name]
        for index in table.indexes
        if not index.local and there.get(index.name) == comparable(index) and index.name in live.indexes
    }


def _warm(index: str | None, declared: Any, found: WarmThroughput | None) -> Iterator[Difference]:
    """Warm throughput is at least what is declared: DynamoDB raises it by itself, and never lowers it."""
    if declared is UNSET or (found and found.read >= declared.read and found.write >= declared.write):
        return
    yield _differ("warm_throughput", found and _pair(found), _pair(declared), of=index)


def _stream(settings: TableSettings, live: LiveTable) -> Iterator[Difference]:
    wanted = wanted_stream(settings)
    if wanted is not UNSET and wanted != live.stream:
        yield _differ("stream", live.stream or "off", wanted or "off")


def _protection(settings: TableSettings, live: LiveTable) -> Iterator[Difference]:
    days, found = settings.point_in_time_recovery, live.point_in_time_recovery
    if days is not UNSET and not (days is True and found) and (days or None) != found:
        wanted = "off" if not days else "on" if days is True else _days(days)
        yield _differ("point_in_time_recovery", _days(found) if found else "off", wanted)
    if settings.encryption is not UNSET and not same_key(settings.encryption, live.encryption):
        yield _differ("encryption", live.encryption, settings.encryption)
    if settings.table_class not in (UNSET, live.table_class):
        yield _differ("table_class", live.table_class, str(settings.table_class))
    if settings.deletion_protection not in (UNSET, live.deletion_protection):
        yield _differ(
            "deletion_protection", _switch(live.deletion_protection), _switch(bool(settings.deletion_protection))
        )


def same_key(declared: str, found: str) -> bool:
    """Whether a declared encryption is that of the table. DynamoDB does not tell whose a KMS key is."""
    if declared == "aws_owned":
        return found == "aws_owned"
    if declared == "aws_managed":
        return found != "aws_owned"
    return found == declared or found.endswith(f"/{declared}")


def _tags(settings: TableSettings, live: LiveTable) -> Iterator[Difference]:
    if settings.tags is UNSET or live.tags is UNSET:
        return
    for key, value in settings.tags.items():
        if live.tags.get(key) != value:
            yield _differ("tag", live.tags.get(key), value, of=key)
    for key, value in live.tags.items():
        if key not in settings.tags and not key.startswith("aws:"):
            yield _differ("tag", value, None, of=key)


def _replicas(settings: TableSettings, live: LiveTable) -> Iterator[Difference]:
    if settings.replicas is UNSET:
        return
    wanted = [one.region for one in settings.regions]
    there = {one.region: one.status for one in live.replicas}
    yield from (_differ("replica", None, "declared", of=region) for region in wanted if region not in there)
    yield from (_differ("replica", there[region], None, of=region) for region in there if region not in wanted)


def _policy(settings: TableSettings, live: LiveTable) -> Iterator[Difference]:
    declared, found = settings.resource_policy, live.resource_policy
    if declared is UNSET or declared == found:
        return
    yield _differ("resource_policy", _document(found), _document(declared) or "none")


def _insights(settings: TableSettings, live: LiveTable) -> Iterator[Difference]:
    wanted = settings.contributor_insights
    if wanted not in (UNSET, live.contributor_insights):
        yield _differ("contributor_insights", str(live.contributor_insights or "off"), str(wanted or "off"))


def in_words(billing: Billing) -> str:
    """How a table or index is paid for."""
    if isinstance(billing, Provisioned):
        return f"provisioned, {billing.read} read and {billing.write} write units"
    if billing == OnDemand():
        return "on demand, without a maximum"
    most = {"read": billing.max_read, "write": billing.max_write}
    told = [f"{units} {kind}" for kind, units in most.items() if units is not None]
    return f"on demand, at most {' and '.join(told)} units a second"


def _pair(warm: WarmThroughput) -> str:
    return f"{warm.read} read and {warm.write} write units a second"


def _document(policy: object) -> str | None:
    return None if policy is None or policy is UNSET else json.dumps(policy, sort_keys=True)


def _days(days: int) -> str:
    return f"{days} days" if days > 1 else "1 day"


def _switch(on: bool) -> str:  # noqa: FBT001 - what is put into words
    return "on" if on else "off"
