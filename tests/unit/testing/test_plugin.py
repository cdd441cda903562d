"""The pytest plugin, as a user's test suite sees it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent.parent

SUITE = """
import pytest
from dynamorm_async import Database
from tests.engines import call

TABLE = {
    "TableName": "users",
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
}

@pytest.fixture
def anyio_backend():
    return "asyncio"

@pytest.mark.anyio
@pytest.mark.parametrize("time", [1, 2])
async def test_each_test_starts_empty(dynamodb, dynamodb_endpoint, time):
    assert isinstance(dynamodb, Database)
    assert call(dynamodb_endpoint, "ListTables", {})[1] == {"TableNames": []}
    assert call(dynamodb_endpoint, "CreateTable", TABLE)[0] == 200

def test_one_server_serves_the_run(dynamodb_server, dynamodb_endpoint):
    assert dynamodb_server.endpoint == dynamodb_endpoint
"""


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run pytest with no plugin but anyio's and this one, whether or not the package is installed."""
    plugins = ["-p", "anyio", "-p", "dynamorm_async.testing.plugin", "-p", "no:cacheprovider"]
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "pytest", *plugins, *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_suite_gets_an_open_database_and_empty_tables(tmp_path: Path) -> None:
    """The fixtures give a database on an embedded server; tables are gone after each test, however it made them."""
    (tmp_path / "test_suite.py").write_text(SUITE)
    done = run(tmp_path)
    assert "3 passed" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 0


def test_the_fixtures_are_listed_with_what_they_give(tmp_path: Path) -> None:
    """``pytest --fixtures`` documents each fixture of the plugin."""
    listed = run(tmp_path, "--fixtures").stdout
    for name, text in (
        ("dynamodb ", "every table is dropped after the test"),
        ("dynamodb_endpoint [session scope]", "URL"),
        ("dynamodb_server [session scope]", "one for the whole run"),
    ):
        assert name in listed
        assert text in listed
