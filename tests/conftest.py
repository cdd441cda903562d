"""What holds for every test: a scrubbed environment, reproducible properties, no task left behind, engines by name."""

from __future__ import annotations

import asyncio
import functools
import itertools
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from botocore.loaders import create_loader

from tests.canaries import CanarySearch
from tests.engines import ENGINES, LANES, dynamodb_local_endpoint, dynoxide_endpoint, moto_endpoint

__all__ = ["dynamodb_local_endpoint", "dynoxide_endpoint", "moto_endpoint"]  # fixtures for every test

CONTRACT = Path(__file__).parent / "contract"
LOOP_TURNS = 10
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")

hypothesis.settings.register_profile("ci", derandomize=True, deadline=None, database=None, print_blob=True)
hypothesis.settings.register_profile("dev", deadline=None, print_blob=True)
hypothesis.settings.register_profile("long", max_examples=1000, deadline=None, print_blob=True)
hypothesis.settings.load_profile("ci")  # pytest --hypothesis-profile=dev explores, =long goes ten times as far


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(CanarySearch(), "canaries")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def scrubbed_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test sees the machine's AWS settings or proxies; a test that needs some sets its own."""
    nowhere = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.startswith("AWS_") or name.upper() in PROXIES:
                patch.delenv(name)
        patch.setenv("AWS_CONFIG_FILE", str(nowhere / "config"))
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(nowhere / "credentials"))
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        yield


@pytest.fixture(scope="session", autouse=True)
def shared_service_descriptions() -> Iterator[None]:
    """botocore reads its descriptions of AWS once a run, not once for each client: clients of one session share them, too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("botocore.session.create_loader", functools.cache(create_loader))
        yield


@pytest.fixture
async def loop_of_this_test() -> asyncio.AbstractEventLoop:
    return asyncio.get_running_loop()


@pytest.fixture(autouse=True)
def no_task_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """Autouse fixtures come first and are torn down last: the check runs after every other fixture has closed."""
    if "anyio_backend" not in request.fixturenames:
        yield
        return
    loop: asyncio.AbstractEventLoop = request.getfixturevalue("loop_of_this_test")
    before = asyncio.all_tasks(loop)
    yield
    # A task that was cancelled but not awaited ends in the next turns; one that stays is leaked.
    for _ in range(LOOP_TURNS):
        loop.run_until_complete(asyncio.sleep(0))
    leaked = asyncio.all_tasks(loop) - before
    if leaked:
        for task in leaked:
            task.cancel()
        loop.run_until_complete(asyncio.wait(leaked))
        names = "; ".join(sorted(f"{task.get_name()} ({task.get_coro()})" for task in leaked))
        pytest.fail(f"the test left {len(leaked)} task(s) running: {names}", pytrace=False)


def contract_counts(reporter: pytest.TerminalReporter) -> dict[str, Counter[str]]:
    """For each engine and lane, how many contract tests passed and failed; the test's own property names the pair."""
    counts = {f"{engine} x {lane}": Counter[str]() for engine, lane in itertools.product(ENGINES, LANES)}
    for outcome in ("passed", "failed", "error"):
        for report in reporter.getreports(outcome):
            # A module that fails to import has a report without properties.
            properties: list[tuple[str, object]] = getattr(report, "user_properties", [])
            pair = dict(properties).get("contract")
            if pair is not None and (outcome != "passed" or report.when == "call"):
                counts[str(pair)][outcome] += 1
    return counts


def whole_contract_selected(config: pytest.Config) -> bool:
    # Options of pytest that leave tests out; the last one belongs to a plugin that can be off.
    if any(config.getoption(name, default=False) for name in ("keyword", "markexpr", "collectonly", "deselect", "lf")):
        return False
    arguments = [(config.invocation_params.dir / argument).resolve() for argument in config.args]
    exist = any(CONTRACT.glob("test_*.py"))
    return exist and any(CONTRACT.is_relative_to(argument) for argument in arguments)


def idle_combinations(config: pytest.Config) -> list[str]:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if not isinstance(reporter, pytest.TerminalReporter) or not whole_contract_selected(config):
        return []
    return [pair for pair, counts in contract_counts(reporter).items() if not counts["passed"]]


def pytest_sessionfinish(session: pytest.Session) -> None:
    if session.exitstatus == pytest.ExitCode.OK and idle_combinations(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for pair, counts in contract_counts(terminalreporter).items():
        if counts:
            found = ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
            terminalreporter.write_line(f"contract {pair}: {found}")
    for pair in idle_combinations(config):
        terminalreporter.write_line(f"contract {pair}: nothing passed, so the run fails", red=True)
