"""The table of engine differences is true: each behaviour is probed on each engine."""

from __future__ import annotations

import base64
import contextlib
import http.client
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from tests.contract.differences import BEHAVIOURS, DIFFERENCES, differs
from tests.engines import ENGINES, call, endpoint_of

OK = 200


@dataclass(frozen=True)
class Table:
    """A table of two string keys on one engine, spoken to without this library."""

    endpoint: str
    name: str

    def send(self, operation: str, /, **body: Any) -> tuple[int, dict[str, Any]]:
        return call(self.endpoint, operation, {"TableName": self.name, **body})

    def accepts(self, operation: str, /, **body: Any) -> bool:
        return self.send(operation, **body)[0] == OK

    def transact(self, *operations: Mapping[str, Any], token: str | None = None) -> bool:
        more = {"ClientRequestToken": token} if token else {}
        return call(self.endpoint, "TransactWriteItems", {"TransactItems": operations, **more})[0] == OK

    def execute(self, statement: str, /, *parameters: Mapping[str, Any], **more: Any) -> tuple[int, dict[str, Any]]:
        given = {"Parameters": parameters} if parameters else {}
        return call(self.endpoint, "ExecuteStatement", {"Statement": statement, **given, **more})

    def select(self, where: str) -> str:
        return f'SELECT * FROM "{self.name}" WHERE {where}'

    def update(self, change: str) -> str:
        return f"UPDATE \"{self.name}\" SET {change} WHERE pk = 'a' AND sk = 'b'"

    def transact_get(self, *keys: Mapping[str, Any]) -> bool:
        gets = [{"Get": {"TableName": self.name, "Key": key}} for key in keys]
        return call(self.endpoint, "TransactGetItems", {"TransactItems": gets})[0] == OK

    def batch(self, *writes: Mapping[str, Any]) -> bool:
        return call(self.endpoint, "BatchWriteItem", {"RequestItems": {self.name: writes}})[0] == OK

    def stored(self, attribute: str) -> object:
        return self.send("GetItem", Key=key())[1]["Item"][attribute]

    def add_one(self, amount: str = "1") -> dict[str, Any]:
        values = {":n": {"N": amount}}
        update = {"UpdateExpression": "ADD n :n", "ExpressionAttributeValues": values}
        return {"TableName": self.name, "Key": key(), **update}

    def query(self, **more: Any) -> tuple[int, dict[str, Any]]:
        return self.send(
            "Query", KeyConditionExpression="pk = :p", ExpressionAttributeValues={":p": {"S": "a"}}, **more
        )


def key(pk: str = "a", sk: str = "b") -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def create(endpoint: str, name: str, *, keys: Mapping[str, str], **more: Any) -> bool:
    names = {*keys, *(part["AttributeName"] for index in more.values() for part in index[0]["KeySchema"])}
    attributes = [{"AttributeName": name, "AttributeType": "S"} for name in sorted(names)]
    schema = [{"AttributeName": name, "KeyType": kind} for name, kind in keys.items()]
    body = {"TableName": name, "BillingMode": "PAY_PER_REQUEST", "AttributeDefinitions": attributes}
    return call(endpoint, "CreateTable", {**body, "KeySchema": schema, **more})[0] == OK


def failed_condition_returns_item(table: Table) -> bool:
    table.send("PutItem", Item=key())
    guard = {"ConditionExpression": "attribute_not_exists(pk)", "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    return table.send("PutItem", Item=key(), **guard)[1].get("Item") == key()


def empty_values(table: Table) -> bool:
    empty = base64.b64encode(b"").decode()
    return table.accepts("PutItem", Item=key() | {"x": {"S": ""}}) and table.accepts(
        "PutItem", Item=key() | {"x": {"M": {"y": {"B": empty}}}}
    )


def transaction_of_100(table: Table) -> bool:
    return table.transact(*({"Put": {"TableName": table.name, "Item": key(str(n))}} for n in range(100)))


def transact_get_of_100(table: Table) -> bool:
    return table.transact_get(*(key(str(n)) for n in range(100)))


def transact_get_of_one_item_twice_refused(table: Table) -> bool:
    return not table.transact_get(key(), key())


def empty_transaction_refused(table: Table) -> bool:
    return not table.transact()


def transaction_token(table: Table) -> bool:
    token = uuid.uuid4().hex
    repeated = [table.transact({"Update": table.add_one()}, token=token) for _ in range(2)]
    other = table.transact({"Update": table.add_one("3")}, token=token)
    return repeated == [True, True] and table.stored("n") == {"N": "1"} and not other


def deletion_protection(table: Table) -> bool:
    table.send("UpdateTable", DeletionProtectionEnabled=True)
    return table.send("DescribeTable")[1]["Table"].get("DeletionProtectionEnabled") is True


def tags(table: Table) -> bool:
    arn = table.send("DescribeTable")[1]["Table"]["TableArn"]
    tag = {"Key": "team", "Value": "a"}
    call(table.endpoint, "TagResource", {"ResourceArn": arn, "Tags": [tag]})
    return call(table.endpoint, "ListTagsOfResource", {"ResourceArn": arn})[1].get("Tags") == [tag]


def partiql(table: Table) -> bool:
    return table.execute(f"INSERT INTO \"{table.name}\" VALUE {{'pk': 'a', 'sk': 'b'}}")[0] == OK


def partiql_arithmetic(table: Table) -> bool:
    table.send("PutItem", Item=key() | {"n": {"N": "1"}})
    return table.execute(table.update("n = n + ?"), {"N": "1"})[0] == OK


def partiql_batch_of_reads(table: Table) -> bool:
    table.send("PutItem", Item=key())
    statements = [{"Statement": table.select("pk = 'a' AND sk = 'b'")}]
    answer = call(table.endpoint, "BatchExecuteStatement", {"Statements": statements})[1]
    return any("Item" in response for response in answer.get("Responses", []))


def partiql_capacity(table: Table) -> bool:
    return "ConsumedCapacity" in table.execute(table.select("pk = 'a'"), ReturnConsumedCapacity="TOTAL")[1]


def partiql_comparisons(table: Table) -> bool:
    table.send("PutItem", Item=key() | {"n": {"N": "1"}})
    return bool(table.execute(table.select("pk = 'a' AND n >= ?"), {"N": "1"})[1].get("Items"))


def partiql_conditions_of_update(table: Table) -> bool:
    error: str = table.execute(table.update("n = ?"), {"N": "1"})[1].get("__type", "")
    return "ConditionalCheckFailed" in error


def partiql_failed_condition_returns_item(table: Table) -> bool:
    table.send("PutItem", Item=key())
    statement = f"{table.update('n = ?')} AND n = ?"
    answer = table.execute(statement, {"N": "1"}, {"N": "2"}, ReturnValuesOnConditionCheckFailure="ALL_OLD")
    return answer[1].get("Item") == key()


def partiql_indexes(table: Table) -> bool:
    schema = [{"AttributeName": "x", "KeyType": "HASH"}]
    index = {"IndexName": "by_x", "KeySchema": schema, "Projection": {"ProjectionType": "ALL"}}
    name = f"{table.name}-index"
    create(table.endpoint, name, keys={"pk": "HASH"}, GlobalSecondaryIndexes=[index])
    return table.execute(f'SELECT * FROM "{name}"."by_x" WHERE x = \'a\'')[0] == OK


def partiql_malformed_refused(table: Table) -> bool:
    error: str = table.execute(f'SELEC * FROM "{table.name}"')[1].get("__type", "")
    return "ValidationException" in error


def partiql_pages(table: Table) -> bool:
    for sk in "ab":
        table.send("PutItem", Item=key(sk=sk))
    return "NextToken" in table.execute(table.select("pk = 'a'"), Limit=1)[1]


def partiql_parameters_of_insert(table: Table) -> bool:
    return table.execute(f"INSERT INTO \"{table.name}\" VALUE {{'pk': 'a', 'sk': ?}}", {"S": "b"})[0] == OK


def partiql_returning(table: Table) -> bool:
    table.send("PutItem", Item=key())
    answer = table.execute(f"{table.update('n = ?')} RETURNING ALL NEW *", {"N": "1"})[1]
    return any("n" in item for item in answer.get("Items", []))


def partiql_transaction_positions(table: Table) -> bool:
    statements = [{"Statement": table.select("pk = 'a' AND sk = 'b'")}]
    return call(table.endpoint, "ExecuteTransaction", {"TransactStatements": statements})[1].get("Responses") == [{}]


def multi_attribute_index_keys(table: Table) -> bool:
    kinds = {"one": "HASH", "two": "HASH", "three": "RANGE", "four": "RANGE"}
    schema = [{"AttributeName": name, "KeyType": kind} for name, kind in kinds.items()]
    index = {"IndexName": "both", "KeySchema": schema, "Projection": {"ProjectionType": "ALL"}}
    many = Table(table.endpoint, f"{table.name}-multi")
    if not create(many.endpoint, many.name, keys={"pk": "HASH"}, GlobalSecondaryIndexes=[index]):
        return False
    item = {name: {"S": name} for name in ("pk", *kinds)}
    many.send("PutItem", Item=item)
    condition = "one = :a AND two = :b AND three = :c AND four > :d"
    values = {f":{alias}": {"S": value} for alias, value in zip("abcd", ("one", "two", "three", "f"), strict=True)}
    query = {"IndexName": "both", "KeyConditionExpression": condition, "ExpressionAttributeValues": values}
    return many.send("Query", **query)[1].get("Items") == [item]


def vector_indexes(table: Table) -> bool:
    index = {
        "IndexName": "nearest",
        "VectorAttribute": {"AttributeName": "v"},
        "Projection": {"ProjectionType": "ALL"},
        "Dimensions": 2,
        "DistanceFunction": "EUCLIDEAN",
    }
    other = Table(table.endpoint, f"{table.name}-vectors")
    definitions = [{"AttributeName": "pk", "AttributeType": "S"}]
    schema = [{"AttributeName": "pk", "KeyType": "HASH"}]
    other.send(
        "CreateTable",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=definitions,
        KeySchema=schema,
        VectorIndexes=[index],
    )
    other.send("PutItem", Item={"pk": {"S": "a"}, "v": {"L": [{"N": "3"}, {"N": "4"}]}})
    answer = other.send("SearchVectors", IndexName="nearest", SearchVector=[{"N": "0"}, {"N": "0"}], TopK=1)[1]
    return [hit["Item"] for hit in answer.get("SearchResults", [])] == [{"pk": {"S": "a"}}]


def segment_goes_on_after_a_deleted_key(table: Table) -> bool:
    for number in range(8):  # some of them are in this segment
        table.send("PutItem", Item=key(str(number)))
    part = {"Segment": 0, "TotalSegments": 2}
    whole = list(table.send("Scan", **part)[1]["Items"])
    first = table.send("Scan", Limit=1, **part)[1]
    table.send("DeleteItem", Key=first["LastEvaluatedKey"])
    rest = table.send("Scan", ExclusiveStartKey=first["LastEvaluatedKey"], **part)[1]
    return [*first["Items"], *rest["Items"]] == whole


def foreign_cursor_refused(table: Table) -> bool:
    return table.query(ExclusiveStartKey=key("z"))[0] != OK


def key_after_exact_page(table: Table) -> bool:
    table.send("PutItem", Item=key())
    return "LastEvaluatedKey" in table.query(Limit=1)[1]


def limit_0_refused(table: Table) -> bool:
    return table.query(Limit=0)[0] != OK


def regions_apart(table: Table) -> bool:
    return table.name not in call(table.endpoint, "ListTables", {}, region="us-east-1")[1]["TableNames"]


def ttl_twice_refused(table: Table) -> bool:
    setting = {"Enabled": True, "AttributeName": "expires"}
    return [table.accepts("UpdateTimeToLive", TimeToLiveSpecification=setting) for _ in range(2)] == [True, False]


def batch_of_25_at_most(table: Table) -> bool:
    return not table.batch(*({"PutRequest": {"Item": key(str(n))}} for n in range(26)))


def put_and_delete_of_one_key_refused(table: Table) -> bool:
    return not table.batch({"PutRequest": {"Item": key()}}, {"DeleteRequest": {"Key": key()}})


def canonical_numbers(table: Table) -> bool:
    table.send("PutItem", Item=key() | {"n": {"N": "1.50"}})
    return table.stored("n") == {"N": "1.5"}


def number_of_38_digits_at_most(table: Table) -> bool:
    return not table.accepts("PutItem", Item=key() | {"n": {"N": "1" * 39}})


def exact_arithmetic(table: Table) -> bool:
    table.send("PutItem", Item=key() | {"n": {"N": "1." + "2" * 37}})
    table.send("UpdateItem", **table.add_one())
    return table.stored("n") == {"N": "2." + "2" * 37}


def unused_values_refused(table: Table) -> bool:
    condition = {"ConditionExpression": "attribute_not_exists(pk)", "ExpressionAttributeValues": {":v": {"N": "1"}}}
    return not table.accepts("PutItem", Item=key(), **condition)


def begins_with_of_bytes(table: Table) -> bool:
    value = {":v": {"B": base64.b64encode(b"ab").decode()}}
    table.send("PutItem", Item=key() | {"x": {"B": base64.b64encode(b"abc").decode()}})
    begins = {"FilterExpression": "begins_with(x, :v)", "ExpressionAttributeValues": value}
    return len(table.send("Scan", **begins)[1]["Items"]) == 1


def failed_update_is_undone(table: Table) -> bool:
    table.send("PutItem", Item=key() | {"x": {"S": "text"}})
    values = {":v": {"S": "new"}, ":n": {"N": "1"}}
    table.send("UpdateItem", Key=key(), UpdateExpression="SET y = :v ADD x :n", ExpressionAttributeValues=values)
    return "y" not in table.send("GetItem", Key=key())[1]["Item"]


def in_of_100_values(table: Table) -> bool:
    values = {f":v{n}": {"N": str(n)} for n in range(100)}
    condition = f"NOT (x IN ({', '.join(values)}))"
    return table.accepts("PutItem", Item=key(), ConditionExpression=condition, ExpressionAttributeValues=values)


def limit_of_300_operators(table: Table) -> bool:
    values = {":v": {"N": "1"}}
    accepted = [
        table.accepts(
            "PutItem", Item=key(), ConditionExpression=" OR ".join(["n <> :v"] * n), ExpressionAttributeValues=values
        )
        for n in (150, 151)
    ]
    return accepted == [True, False]


def no_old_item_of_an_upsert(table: Table) -> bool:
    return "Attributes" not in table.send("UpdateItem", **table.add_one(), ReturnValues="ALL_OLD")[1]


def _list_after(table: Table, expression: str, *elements: str) -> object:
    table.send("PutItem", Item=key() | {"x": {"L": [{"S": element} for element in elements]}})
    values = {"ExpressionAttributeValues": {":v": {"S": "new"}}} if ":v" in expression else {}
    table.send("UpdateItem", Key=key(), UpdateExpression=expression, **values)
    return table.stored("x")


def list_positions_of_before(table: Table) -> bool:
    return _list_after(table, "REMOVE x[0], x[1]", "a", "b", "c") == {"L": [{"S": "c"}]}


def set_beyond_a_list_appends(table: Table) -> bool:
    return _list_after(table, "SET x[5] = :v", "a") == {"L": [{"S": "a"}, {"S": "new"}]}


def remove_of_an_invalid_path_refused(table: Table) -> bool:
    table.send("PutItem", Item=key())
    return not table.accepts("UpdateItem", Key=key(), UpdateExpression="REMOVE x.y")


def invalid_update_cancels(table: Table) -> bool:
    update = {"TableName": table.name, "Key": key(), "UpdateExpression": "SET x = y"}
    error = call(table.endpoint, "TransactWriteItems", {"TransactItems": [{"Update": update}]})[1]
    return [reason["Code"] for reason in error.get("CancellationReasons", [])] == ["ValidationError"]


def key_type_checked_on_read(table: Table) -> bool:
    return not table.accepts("GetItem", Key={"pk": {"N": "1"}, "sk": {"S": "b"}})


def short_table_name_refused(table: Table) -> bool:
    return not create(table.endpoint, "ab", keys={"pk": "HASH"})


def half_units(table: Table) -> bool:
    table.send("PutItem", Item=key())
    reports = [
        table.query(ReturnConsumedCapacity="TOTAL", ConsistentRead=strongly)[1]["ConsumedCapacity"]["CapacityUnits"]
        for strongly in (False, True)
    ]
    return reports == [0.5, 1.0]


def keep_alive(table: Table) -> bool:
    address = table.endpoint.removeprefix("http://")
    with contextlib.closing(http.client.HTTPConnection(address, timeout=30)) as connection:
        connection.request("GET", "/")
        answer = connection.getresponse()
        answer.read()
        return not answer.will_close


def table_class(table: Table) -> bool:
    table.send("UpdateTable", TableClass="STANDARD_INFREQUENT_ACCESS")
    told: dict[str, Any] = table.send("DescribeTable")[1]["Table"].get("TableClassSummary") or {}
    return told.get("TableClass") == "STANDARD_INFREQUENT_ACCESS"


def on_demand_maximum(table: Table) -> bool:
    table.send("UpdateTable", BillingMode="PAY_PER_REQUEST")
    table.send("UpdateTable", OnDemandThroughput={"MaxReadRequestUnits": 50, "MaxWriteRequestUnits": 5})
    set_now: dict[str, Any] = table.send("DescribeTable")[1]["Table"].get("OnDemandThroughput") or {}
    table.send("UpdateTable", OnDemandThroughput={"MaxReadRequestUnits": -1, "MaxWriteRequestUnits": 9})
    then: dict[str, Any] = table.send("DescribeTable")[1]["Table"].get("OnDemandThroughput") or {}
    return set_now.get("MaxReadRequestUnits") == 50 and then.get("MaxReadRequestUnits", -1) == -1


def point_in_time_recovery(table: Table) -> bool:
    return table.accepts(
        "UpdateContinuousBackups", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )


def resource_policies(table: Table) -> bool:
    arn = table.send("DescribeTable")[1]["Table"]["TableArn"]
    policy = '{"Version":"2012-10-17","Statement":[]}'
    return call(table.endpoint, "PutResourcePolicy", {"ResourceArn": arn, "Policy": policy})[0] == OK


def throughput_of_indexes_changes(table: Table) -> bool:
    throughput = {"ReadCapacityUnits": 3, "WriteCapacityUnits": 3}
    index: dict[str, Any] = {"IndexName": "by_sk", "KeySchema": [{"AttributeName": "sk", "KeyType": "HASH"}]}
    index |= {"Projection": {"ProjectionType": "ALL"}, "ProvisionedThroughput": throughput}
    name = f"{table.name}-metered"
    attributes = [{"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "sk", "AttributeType": "S"}]
    body: dict[str, Any] = {"TableName": name, "AttributeDefinitions": attributes, "BillingMode": "PROVISIONED"}
    body |= {"KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}], "ProvisionedThroughput": throughput}
    assert call(table.endpoint, "CreateTable", {**body, "GlobalSecondaryIndexes": [index]})[0] == OK
    more = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5}
    update = {"Update": {"IndexName": "by_sk", "ProvisionedThroughput": more}}
    call(table.endpoint, "UpdateTable", {"TableName": name, "GlobalSecondaryIndexUpdates": [update]})
    (found,) = call(table.endpoint, "DescribeTable", {"TableName": name})[1]["Table"]["GlobalSecondaryIndexes"]
    return bool(found["ProvisionedThroughput"]["ReadCapacityUnits"] == more["ReadCapacityUnits"])


PROBES: tuple[Callable[[Table], bool], ...] = (
    on_demand_maximum,
    point_in_time_recovery,
    resource_policies,
    table_class,
    throughput_of_indexes_changes,
    batch_of_25_at_most,
    begins_with_of_bytes,
    canonical_numbers,
    deletion_protection,
    empty_transaction_refused,
    empty_values,
    exact_arithmetic,
    failed_condition_returns_item,
    failed_update_is_undone,
    foreign_cursor_refused,
    segment_goes_on_after_a_deleted_key,
    half_units,
    in_of_100_values,
    invalid_update_cancels,
    keep_alive,
    key_after_exact_page,
    key_type_checked_on_read,
    limit_0_refused,
    limit_of_300_operators,
    list_positions_of_before,
    multi_attribute_index_keys,
    no_old_item_of_an_upsert,
    number_of_38_digits_at_most,
    partiql,
    partiql_arithmetic,
    partiql_batch_of_reads,
    partiql_capacity,
    partiql_comparisons,
    partiql_conditions_of_update,
    partiql_failed_condition_returns_item,
    partiql_indexes,
    partiql_malformed_refused,
    partiql_pages,
    partiql_parameters_of_insert,
    partiql_returning,
    partiql_transaction_positions,
    put_and_delete_of_one_key_refused,
    regions_apart,
    remove_of_an_invalid_path_refused,
    set_beyond_a_list_appends,
    short_table_name_refused,
    tags,
    transact_get_of_100,
    transact_get_of_one_item_twice_refused,
    transaction_of_100,
    transaction_token,
    ttl_twice_refused,
    unused_values_refused,
    vector_indexes,
)


def behaviour_of(probe: Callable[[Table], bool]) -> str:
    return probe.__name__.replace("_", "-")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("probe", PROBES, ids=behaviour_of)
def test_the_table_tells_what_the_engine_does(
    engine: str, probe: Callable[[Table], bool], request: pytest.FixtureRequest
) -> None:
    """An engine lacks a behaviour exactly where the table says so."""
    table = Table(endpoint_of(engine, request), f"differences-{uuid.uuid4().hex}")
    assert create(table.endpoint, table.name, keys={"pk": "HASH", "sk": "RANGE"})
    assert probe(table) is not differs(engine, behaviour_of(probe))


def test_every_behaviour_is_probed() -> None:
    """No entry of the table escapes the test above, and none is there twice."""
    assert {behaviour_of(probe) for probe in PROBES} == BEHAVIOURS
    assert len({(entry.engine, entry.behaviour) for entry in DIFFERENCES}) == len(DIFFERENCES)


@pytest.mark.parametrize(("engine", "behaviour"), [("dynoxide", "no-such-thing"), ("dynalite", "partiql")])
def test_unknown_names_are_refused(engine: str, behaviour: str) -> None:
    """A misspelt engine or behaviour is an error, never a silent no."""
    with pytest.raises(LookupError, match="no"):
        differs(engine, behaviour)
