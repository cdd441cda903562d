"""Where the local engines are known to differ from DynamoDB.

A test asks :func:`differs` instead of skipping, and says what it expects in both cases. Behaviours are named by what
DynamoDB does. ``tests/unit/testing/test_differences.py`` holds every entry, and every absent entry, against the engines.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.engines import ENGINES


@dataclass(frozen=True)
class Difference:
    """One behaviour of DynamoDB that one engine does not show."""

    engine: str
    behaviour: str
    reason: str


DIFFERENCES = (
    Difference("dynoxide", "foreign-cursor-refused", "it reads on from the key of another partition"),
    Difference("dynoxide", "limit-of-300-operators", "it does not count them"),
    Difference("dynoxide", "list-positions-of-before", "each removal moves the elements of the next"),
    Difference("dynoxide", "multi-attribute-index-keys", "it takes their declaration, but no query of them"),
    Difference("dynoxide", "partiql-failed-condition-returns-item", "it returns no items of PartiQL"),
    Difference("dynoxide", "point-in-time-recovery", "the operations are unknown"),
    Difference("dynoxide", "regions-apart", "all regions share one set of tables"),
    Difference("dynoxide", "no-old-item-of-an-upsert", "it answers with the key"),
    Difference("dynoxide", "remove-of-an-invalid-path-refused", "it removes nothing, and that is no error"),
    Difference("dynoxide", "resource-policies", "the operations are unknown"),
    Difference(
        "dynoxide", "segment-goes-on-after-a-deleted-key", "the rest of the segment is lost; a scan of one part goes on"
    ),
    Difference("dynoxide", "set-beyond-a-list-appends", "it fills the gap with NULL"),
    Difference("dynoxide", "throughput-of-indexes-changes", "it accepts the change, and nothing comes of it"),
    Difference("dynoxide", "ttl-twice-refused", "it accepts the same setting again"),
    Difference("dynamodb-local", "deletion-protection", "a build of 2020; the parameter is ignored"),
    Difference("dynamodb-local", "empty-values", "a build of 2020; it refuses empty strings and bytes everywhere"),
    Difference("dynamodb-local", "failed-condition-returns-item", "a build of 2020; only transactions return the item"),
    Difference("dynamodb-local", "in-of-100-values", "a build of 2020; it counts the attribute as well"),
    Difference("dynamodb-local", "invalid-update-cancels", "a build of 2020; a transaction's error names no operation"),
    Difference("dynamodb-local", "multi-attribute-index-keys", "a build of 2020; one attribute each"),
    Difference("dynamodb-local", "on-demand-maximum", "a build of 2020; the parameter is unknown"),
    Difference("dynamodb-local", "partiql", "a build of 2020; the operations are unknown"),
    Difference("dynamodb-local", "partiql-arithmetic", "a build of 2020; the operations are unknown"),
    Difference("dynamodb-local", "partiql-batch-of-reads", "a build of 2020; the operations are unknown"),
    Difference("dynamodb-local", "partiql-capacity", "a build of 2020; the operations are unknown"),
    Difference("dynamodb-local", "partiql-comparisons", "a build of 2020; the operations are unknown"),
    Difference("dynamodb-local", "partiql-conditions-of-update", "a build of 2020; the operations are unknown"),
    Difference(
        "dynamodb-local", "partiql-failed-condition-returns-item", "a build of 2020; the operations are unknown"
    ),
    Difference("dynamodb-local", "partiql-indexes", "a build of 2020; the operations are unknown"),
    Difference("dynamodb-local", "partiql-malformed-refused", "a build of 2020; the operations are unknown"),
    Difference("dynamodb-local", "partiql-pages", "a build of 2020; the operations are unknown"),
    Difference("dynamodb-local", "partiql-parameters-of-insert", "a build of 2020; the operations are unknown"),
    Difference("dynamodb-local", "partiql-returning", "a build of 2020; the operations are unknown"),
    Difference("dynamodb-local", "partiql-transaction-positions", "a build of 2020; the operations are unknown"),
    Difference("dynamodb-local", "point-in-time-recovery", "the operations are unknown"),
    Difference("dynamodb-local", "resource-policies", "a build of 2020; the operations are unknown"),
    Difference("dynamodb-local", "table-class", "a build of 2020; the parameter is unknown"),
    Difference("dynamodb-local", "vector-indexes", "a build of 2020; the parameter is ignored, the operation unknown"),
    Difference("dynamodb-local", "tags", "it does not support tags"),
    Difference("dynamodb-local", "transact-get-of-100", "a build of 2020; at most 10 items"),
    Difference("dynamodb-local", "transaction-of-100", "a build of 2020; at most 10 operations"),
    Difference("moto", "batch-of-25-at-most", "it accepts any number"),
    Difference("moto", "begins-with-of-bytes", "it compares the text of base64, which ends in other characters"),
    Difference("moto", "canonical-numbers", "it keeps the text that was sent: 1.50 stays 1.50"),
    Difference("moto", "empty-transaction-refused", "it accepts an empty list"),
    Difference("moto", "exact-arithmetic", "ADD rounds to 28 digits"),
    Difference("moto", "failed-update-is-undone", "it keeps the changes before the one that failed"),
    Difference("moto", "foreign-cursor-refused", "it answers with an empty page"),
    Difference("moto", "invalid-update-cancels", "the error of the transaction names no operation"),
    Difference("moto", "keep-alive", "it closes the connection after each answer"),
    Difference("moto", "half-units", "every read costs whole units, consistent or not"),
    Difference("moto", "key-after-exact-page", "a page of exactly Limit items that is the last has no key"),
    Difference("moto", "key-type-checked-on-read", "it finds nothing instead"),
    Difference("moto", "limit-0-refused", "it answers with an empty page"),
    Difference("moto", "limit-of-300-operators", "it does not count them"),
    Difference("moto", "number-of-38-digits-at-most", "it stores any text"),
    Difference("moto", "on-demand-maximum", "it accepts the parameter, and keeps nothing of it"),
    Difference("moto", "partiql-arithmetic", "an update sets plain values only"),
    Difference("moto", "partiql-batch-of-reads", "it says that the table is not there"),
    Difference("moto", "partiql-capacity", "it reports nothing"),
    Difference("moto", "partiql-comparisons", "it compares parameters with = only"),
    Difference("moto", "partiql-conditions-of-update", "a WHERE that finds nothing changes nothing, and is no error"),
    Difference("moto", "partiql-failed-condition-returns-item", "a failed condition is no error"),
    Difference("moto", "partiql-indexes", "it takes the index for a table"),
    Difference("moto", "partiql-malformed-refused", "its parser breaks, and it answers with status 500"),
    Difference("moto", "partiql-pages", "it passes over Limit"),
    Difference("moto", "partiql-parameters-of-insert", "its parser breaks at ?"),
    Difference("moto", "partiql-returning", "its parser breaks at RETURNING"),
    Difference("moto", "partiql-transaction-positions", "it leaves out what it did not find"),
    Difference("moto", "put-and-delete-of-one-key-refused", "it applies both, in their order"),
    Difference("moto", "short-table-name-refused", "it accepts names of less than 3 characters"),
    Difference("moto", "table-class", "it accepts the parameter, and keeps nothing of it"),
    Difference("moto", "transact-get-of-100", "at most 25 items, DynamoDB's limit of before 2022"),
    Difference("moto", "transact-get-of-one-item-twice-refused", "it answers with the item twice"),
    Difference("moto", "transaction-token", "it ignores tokens: a repeated transaction is applied again"),
    Difference("moto", "ttl-twice-refused", "it accepts the same setting again"),
    Difference("moto", "unused-values-refused", "it does not check values for use"),
    Difference("moto", "vector-indexes", "the parameter is ignored, the operation ends with status 500"),
)

BEHAVIOURS = frozenset(difference.behaviour for difference in DIFFERENCES)


def differs(engine: str, behaviour: str) -> bool:
    """Whether the engine is known to lack a behaviour of DynamoDB.

    Raises:
        LookupError: no such engine, or no entry of the table has this behaviour.
    """
    if engine not in ENGINES:
        raise LookupError(f"there is no engine {engine!r}; the engines are {', '.join(ENGINES)}.")
    if behaviour not in BEHAVIOURS:
        raise LookupError(f"no known difference is named {behaviour!r}; add it to DIFFERENCES with its reason.")
    return any((entry.engine, entry.behaviour) == (engine, behaviour) for entry in DIFFERENCES)
