"""Tenants in one process, tokens, and code: nothing crosses over, nothing can be guessed, nothing stored is run."""

from __future__ import annotations

import ast
import random
import re
import uuid
from pathlib import Path
from typing import Any

import anyio
import msgspec
import pytest

from dynamorm_async import Attr, Database, Timeouts, model, partition_key
from dynamorm_async.model.spec import spec_of
from tests.engines import LANES, Lane
from tests.property.injection import MODELS
from tests.unit.security.peer import Peer
from tests.unit.transport.scripted_server import serving

pytestmark = pytest.mark.anyio
LIBRARY = Path(__file__).parent.parent.parent.parent / "dynamorm_async"
CALLS = {"direct": 500, "sdk": 50}  # for each of two tenants
PATIENT = Timeouts(call=60, pool=60, read=60)


@model(table="users")
class User:
    id: Attr[str] = partition_key()


@pytest.mark.parametrize("lane", LANES)
async def test_two_tenants_never_share_credentials(lane: Lane) -> None:
    """Many calls at once through two databases to one endpoint: each is signed with its own tenant's keys."""
    peer = Peer()
    async with serving(peer) as port:
        where: dict[str, Any] = {"endpoint": f"http://127.0.0.1:{port}", "region": "eu-west-1", "lane": lane}
        async with (
            Database(credentials=("AKIDA", "a", "token-a"), timeouts=PATIENT, **where) as one,
            Database(credentials=("AKIDB", "b", "token-b"), timeouts=PATIENT, **where) as other,
            anyio.create_task_group() as tasks,
        ):
            for number in range(CALLS[lane]):
                tasks.start_soon(one.get, User, f"of-a-{number}")
                tasks.start_soon(other.get, User, f"of-b-{number}")
    assert len(peer.heads) == 2 * CALLS[lane]
    for head, body in zip(peer.heads, peer.bodies, strict=True):
        tenant = "a" if b"of-a-" in body else "b"
        assert f"credential=akid{tenant}/" in head
        assert re.search(rf"x-amz-security-token: token-{tenant}\r\n", head)


async def test_tokens_of_transactions_are_random() -> None:
    """Each transaction has a token of its own, a random UUID of 122 bits in 36 letters, whatever is written."""
    peer = Peer()
    tokens: list[str] = []
    async with serving(peer) as port:
        url = f"http://127.0.0.1:{port}"
        async with Database(endpoint=url, region="eu-west-1", credentials=("a", "b"), lane="direct") as db:
            for _ in range(50):
                random.seed(1)  # the library must not draw from here
                async with db.transaction() as transaction:
                    transaction.put(User(id="1"))
    for body in peer.bodies:
        found = re.search(rb'"ClientRequestToken":\s*"([^"]+)"', body)
        assert found is not None
        tokens.append(found[1].decode())
    assert len(set(tokens)) == 50
    assert all(uuid.UUID(token).version == 4 and len(token) == 36 for token in tokens)


RUNS_CODE = {"eval", "exec", "compile", "__import__", "import_module", "run_module", "run_path"}
LOADS_OBJECTS = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "yaml", "jsonpickle"}
KNOWN = {
    ("codec/names.py", "exec"),  # generated from class definitions, which are code already
    ("codec/names.py", "compile"),
    ("__init__.py", "import_module"),  # of this package's own modules, by a fixed table
    ("cli/finding.py", "import_module"),  # of the module that the command line names
    ("migrations/loading.py", "exec"),  # the migrations' files, which are there to be run
    ("migrations/loading.py", "compile"),
}


def suspicious(source: str) -> set[str]:
    """Calls that run code, and modules that load objects."""
    found: set[str] = set()
    if not re.search("|".join(RUNS_CODE | LOADS_OBJECTS), source):
        return found
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            found |= {name.rpartition(".")[2]} & RUNS_CODE if not name.startswith("re.") else set()
        elif isinstance(node, ast.Import | ast.ImportFrom):
            modules = [alias.name for alias in node.names] + [getattr(node, "module", None) or ""]
            found |= {module.split(".")[0] for module in modules} & LOADS_OBJECTS
    return found


def test_nothing_stored_is_run() -> None:
    """No eval, no pickle; code is made from class definitions, and is run of files and modules that the caller names, alone."""
    found = {
        (path.relative_to(LIBRARY).as_posix(), name)
        for path in LIBRARY.rglob("*.py")
        for name in suspicious(path.read_text())
    }
    assert found == KNOWN


@pytest.mark.parametrize("source", ["eval(x)", "builtins.exec(x)", "import pickle", "from yaml import load"])
def test_the_check_sees_code(source: str) -> None:
    """Each kind is found."""
    assert len(suspicious(source)) == 1


def test_attribute_names_do_not_run() -> None:
    """Code is generated for models whose attributes are called by code: names stay names, in both directions."""
    for made in MODELS:
        item: Any = made.model(key="1", place="2", data={"__import__('os')": "x"}, words=["{x}"], tags={"'"})
        codec = spec_of(made.model).codec
        raw = codec.encode(item)
        assert codec.decode(raw) == item
        assert codec.decode_get(msgspec.json.encode({"Item": raw})) == item
