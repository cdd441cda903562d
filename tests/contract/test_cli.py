"""The command line on every engine through each lane."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import pytest

from dynamorm_async import Attr, attr, index, model, partition_key, sort_key
from tests.canaries import KEYS
from tests.engines import Lane
from tests.examples.console import Shell


@model(table="wares")
class Ware:
    shelf: Attr[str] = partition_key()
    number: Attr[int] = sort_key()
    price: Attr[int] = attr(default=0)

    by_price = index(partition="shelf", sort="price")


def reduced(ware: Ware) -> Ware:
    ware.price = 1
    return ware


@pytest.fixture
def shell(endpoint: str, lane: Lane, tmp_path: Path) -> Shell:
    access_key, secret_key, *_ = KEYS
    return Shell(
        tmp_path,
        {
            "AWS_ENDPOINT_URL_DYNAMODB": endpoint,
            "AWS_ACCESS_KEY_ID": access_key,
            "AWS_SECRET_ACCESS_KEY": secret_key,
            "AWS_REGION": "eu-west-1",
            "DYNAMORM_LANE": lane,
            "DYNAMORM_TABLE_PREFIX": f"t{uuid.uuid4().hex[:12]}-",
        },
    )


def test_a_table_is_made_filled_changed_and_read(shell: Shell, tmp_path: Path) -> None:
    """What is planned is applied, what is imported is found, changed by a backfill, and exported again."""
    module = __name__

    def ran(line: str, *, code: int = 0) -> str:
        result = shell.dynamorm(line.replace("WARES", module))
        assert result.exit_code == code, result.output
        return result.stdout

    (tmp_path / "wares.jsonl").write_text(
        "".join(json.dumps({"Item": {"shelf": {"S": "a"}, "number": {"N": str(n)}}}) + "\n" for n in range(3))
    )
    ran("plan WARES:Ware --check", code=3)
    ran("apply WARES:Ware")
    ran("plan WARES:Ware --check")
    assert ran("import WARES:Ware wares.jsonl") == "3 items written, 0 left as they were\n"
    ran("backfill WARES:Ware WARES:reduced --name reduce --segments 1 --where 'price not exists'")
    found = ran("query WARES:Ware --where shelf=a --where 'price>0' --where 'number<2' --json")
    assert [json.loads(line) for line in found.splitlines()] == [
        {"shelf": "a", "number": number, "price": 1} for number in (0, 1)
    ]
    assert json.loads(ran("get WARES:Ware a 2 --json"))["price"] == 1
    ran("export WARES:Ware out.jsonl --where shelf=a")
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 3
