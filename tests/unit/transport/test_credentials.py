from __future__ import annotations

import asyncio
import json
import math
import sys
from pathlib import Path
from typing import Any

import anyio
import msgspec
import pytest

from dynamorm_async.errors import ConfigurationError, CredentialsError, DatabaseClosed
from dynamorm_async.transport.base import Credentials
from dynamorm_async.transport.credentials import (
    CredentialSource,
    Fetched,
    SdkCredentials,
    SdkSource,
    StaticCredentials,
    choose_credentials,
    environment_keys,
)
from dynamorm_async.transport.single_flight import SingleFlight

pytestmark = pytest.mark.anyio

ONE, TWO = (Credentials(name, "secret", "token") for name in ("ONE", "TWO"))
ENVIRONMENT = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s"}


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Source:
    """A source that gives what it is told to, when its gate is open."""

    def __init__(self, *results: Fetched | Exception) -> None:
        self.results = list(results)
        self.anew: list[bool] = []
        self.gate = anyio.Event()
        self.gate.set()
        self.called = anyio.Event()

    async def fetch(self, *, anew: bool) -> Fetched:
        self.anew.append(anew)
        self.called.set()
        await self.gate.wait()
        result = self.results.pop(0)
        if isinstance(result, Exception):
            raise result
        return result


def provider(source: CredentialSource, clock: Clock, *, deadline: float = 10.0) -> SdkCredentials:
    return SdkCredentials(source=source, clock=clock, deadline=deadline)


# --- static -----------------------------------------------------------------------------------


async def test_static_keys_are_always_there() -> None:
    """Static keys are at hand without waiting, and a refresh gives them again."""
    static = StaticCredentials(ONE, source="the environment")
    assert static.current() == ONE
    assert await static.refresh() == ONE
    assert await static.refresh(rejected=TWO) == ONE


async def test_expired_static_keys_say_where_they_come_from() -> None:
    """Static keys that DynamoDB calls expired fail that call; the error names their source and no secret."""
    for keys, message in (
        (msgspec.structs.replace(ONE, token="t"), "session token of the environment has expired"),
        (msgspec.structs.replace(ONE, token=None), "keys of the environment expired, and they have no session token"),
    ):
        static = StaticCredentials(keys, source="the environment")
        with pytest.raises(CredentialsError, match=message) as caught:
            await static.refresh(rejected=keys)
        assert "secret" not in str(caught.value)


async def test_one_wrong_answer_does_not_end_static_keys() -> None:
    """Whoever comes after a refusal tries the keys again: it may have been wrong."""
    static = StaticCredentials(ONE, source="the environment")
    with pytest.raises(CredentialsError):
        await static.refresh(rejected=ONE)
    assert static.current() == ONE
    assert await static.refresh() == ONE


def test_keys_of_the_environment() -> None:
    """Keys and token are read from the variables; half a pair is an error that names the missing half."""
    assert environment_keys({}) is None
    assert environment_keys(ENVIRONMENT) == Credentials("a", "s")
    assert environment_keys(ENVIRONMENT | {"AWS_SESSION_TOKEN": ""}) == Credentials("a", "s")
    assert environment_keys(ENVIRONMENT | {"AWS_SESSION_TOKEN": "t"}) == Credentials("a", "s", "t")
    with pytest.raises(CredentialsError, match="without AWS_SECRET_ACCESS_KEY"):
        environment_keys({"AWS_ACCESS_KEY_ID": "a"})


async def test_precedence() -> None:
    """Keys that were given beat an explicit profile, which beats the environment's keys, which beat everything else."""
    given = choose_credentials(("a", "s"), profile="p", region=None, environ=ENVIRONMENT)
    assert given.current() == Credentials("a", "s")
    three = choose_credentials(("a", "s", "t"), profile=None, region=None, environ={})
    assert three.current() == Credentials("a", "s", "t")
    assert choose_credentials(ONE, profile=None, region=None, environ={}).current() == ONE
    own = StaticCredentials(TWO, source="elsewhere")
    assert choose_credentials(own, profile="p", region=None, environ=ENVIRONMENT) is own
    assert isinstance(choose_credentials(None, profile="p", region=None, environ=ENVIRONMENT), SdkCredentials)
    environment = choose_credentials(None, profile=None, region=None, environ=ENVIRONMENT | {"AWS_PROFILE": "p"})
    assert environment.current() == Credentials("a", "s")
    assert isinstance(choose_credentials(None, profile=None, region=None, environ={}), SdkCredentials)
    with pytest.raises(CredentialsError, match="empty access key or secret key"):
        choose_credentials(("", "s"), profile=None, region=None, environ={})


# --- refreshed --------------------------------------------------------------------------------


async def test_callers_share_one_fetch() -> None:
    """Callers at the same time share one fetch; afterwards the keys are at hand."""
    source, clock = Source(Fetched(ONE, math.inf)), Clock()
    source.gate = anyio.Event()
    keys = provider(source, clock)
    assert keys.current() is None
    callers = [asyncio.create_task(keys.refresh()) for _ in range(20)]
    await source.called.wait()
    source.gate.set()
    assert await asyncio.gather(*callers) == [ONE] * 20
    assert source.anew == [False]
    assert keys.current() == ONE
    await keys.aclose()


async def test_callers_share_one_failure_and_the_next_tries_again() -> None:
    """All who waited get the failure of the one fetch; the next caller starts another."""
    source, clock = Source(OSError("no route"), Fetched(ONE, math.inf)), Clock()
    source.gate = anyio.Event()
    keys = provider(source, clock)
    callers = [asyncio.create_task(keys.refresh()) for _ in range(5)]
    await source.called.wait()
    source.gate.set()
    failures = await asyncio.gather(*callers, return_exceptions=True)
    assert [str(failure) for failure in failures] == ["AWS credentials could not be fetched: no route"] * 5
    assert all(isinstance(failure, CredentialsError) for failure in failures)
    assert source.anew == [False]
    assert await keys.refresh() == ONE
    await keys.aclose()


async def test_cancelled_caller_does_not_end_the_fetch() -> None:
    """The first caller's cancellation leaves the fetch to the others."""
    source, clock = Source(Fetched(ONE, math.inf)), Clock()
    source.gate = anyio.Event()
    keys = provider(source, clock)
    first, second = asyncio.create_task(keys.refresh()), asyncio.create_task(keys.refresh())
    await source.called.wait()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    source.gate.set()
    assert await second == ONE
    assert source.anew == [False]
    await keys.aclose()


async def test_fetch_has_a_deadline() -> None:
    """A source that hangs ends as CredentialsError that names the seconds."""
    source = Source()
    source.gate = anyio.Event()
    keys = provider(source, Clock(), deadline=0.01)
    with pytest.raises(CredentialsError, match=r"could not be fetched within 0\.01 s"):
        await keys.refresh()
    await keys.aclose()


async def test_keys_are_renewed_before_expiry_while_the_old_go_on() -> None:
    """Ten minutes before expiry a fetch starts, and nobody waits for it; in the last minute callers wait."""
    source, clock = Source(Fetched(ONE, 1000 + 3600), Fetched(TWO, 1000 + 7200)), Clock()
    keys = provider(source, clock)
    assert await keys.refresh() == ONE
    clock.now = 1000 + 2999
    assert keys.current() == ONE
    clock.now = 1000 + 3001
    assert keys.current() is None
    source.called, source.gate = anyio.Event(), anyio.Event()
    assert await keys.refresh() == ONE
    await source.called.wait()
    assert await keys.refresh() == ONE
    clock.now = 1000 + 3541
    late = asyncio.create_task(keys.refresh())
    source.gate.set()
    assert await late == TWO
    assert keys.current() == TWO
    assert len(source.anew) == 2
    await keys.aclose()


async def test_failed_refresh_keeps_keys_that_still_hold() -> None:
    """While the keys hold a failed refresh is no failure, and is tried again after half a minute only."""
    source, clock = Source(Fetched(ONE, 1000 + 3600), OSError("down"), OSError("down"), OSError("down")), Clock()
    keys = provider(source, clock)
    await keys.refresh()
    clock.now = 1000 + 3550
    assert await keys.refresh() == ONE
    assert keys.current() == ONE
    assert len(source.anew) == 2
    clock.now += 31
    assert keys.current() is None
    assert await keys.refresh() == ONE
    clock.now = 1000 + 3600
    assert keys.current() is None
    with pytest.raises(CredentialsError, match="down"):
        await keys.refresh()
    await keys.aclose()


async def test_short_lived_keys_are_used_for_most_of_their_life() -> None:
    """Keys that live for less than ten minutes are fresh for three quarters of it, not for none."""
    source, clock = Source(Fetched(ONE, 1000 + 400)), Clock()
    keys = provider(source, clock)
    await keys.refresh()
    clock.now = 1000 + 299
    assert keys.current() == ONE
    clock.now = 1000 + 301
    assert keys.current() is None
    await keys.aclose()


async def test_rejected_keys_are_fetched_anew_past_every_cache() -> None:
    """Keys that DynamoDB rejects are replaced whatever their expiry says, past a cache that still has them."""
    source, clock = Source(Fetched(ONE, math.inf), Fetched(ONE, math.inf), Fetched(TWO, math.inf)), Clock()
    keys = provider(source, clock)
    await keys.refresh()
    assert await keys.refresh(rejected=ONE) == TWO
    assert source.anew == [False, False, True]
    assert await keys.refresh(rejected=ONE) == TWO
    assert len(source.anew) == 3
    await keys.aclose()


async def test_source_that_repeats_rejected_keys() -> None:
    """A source that has only the rejected keys is an error that says so, without a secret; later calls try them again."""
    source, clock = Source(*[Fetched(ONE, math.inf)] * 4), Clock()
    keys = provider(source, clock)
    await keys.refresh()
    with pytest.raises(CredentialsError, match="their source gives the same ones again") as caught:
        await keys.refresh(rejected=ONE)
    assert "secret" not in str(caught.value)
    assert keys.current() is None
    assert await keys.refresh() == ONE
    assert source.anew == [False, False, True, False]
    await keys.aclose()


async def test_keys_that_have_expired_on_arrival() -> None:
    """Keys that have expired when they arrive are a CredentialsError, not an error of botocore's."""
    keys = provider(Source(Fetched(ONE, 999.0)), Clock())
    with pytest.raises(CredentialsError, match="have expired already"):
        await keys.refresh()
    await keys.aclose()


async def test_result_that_has_just_landed_is_not_given_to_a_new_caller() -> None:
    """Who asks right after a fetch has ended gets a new one, although the ended task is still remembered."""
    results = [ONE, TWO]
    again: list[asyncio.Task[Credentials]] = []

    async def work() -> Credentials:
        # Scheduled before the task ends, and so run before the flight's own callback.
        if len(results) == 2:
            asyncio.get_running_loop().call_soon(lambda: again.append(flight.start()))
        return results.pop(0)

    flight = SingleFlight(work)
    first = flight.start()
    assert await first == ONE
    assert await again[0] == TWO
    await flight.aclose()


async def test_close_ends_the_fetch_and_cancels_no_caller() -> None:
    """Closing ends a fetch under way; callers get DatabaseClosed, and so do later ones."""
    source = Source()
    source.gate = anyio.Event()
    keys = provider(source, Clock())
    caller = asyncio.create_task(keys.refresh())
    await source.called.wait()
    await keys.aclose()
    with pytest.raises(DatabaseClosed):
        await caller
    with pytest.raises(DatabaseClosed):
        await keys.refresh()


# --- aiobotocore's sources --------------------------------------------------------------------


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """The shared config and credentials files, for aiobotocore."""
    config, credentials = tmp_path / "config", tmp_path / "credentials"
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(credentials))
    return config, credentials


async def test_profile_of_the_credentials_file(files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """An explicit profile's keys are used although the environment has keys; keys in a file do not expire."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    files[1].write_text("[p]\naws_access_key_id = FILE\naws_secret_access_key = x\n", encoding="utf-8")
    source = SdkSource(profile="p", region="eu-west-1")
    assert await source.fetch(anew=False) == Fetched(Credentials("FILE", "x"), math.inf)
    files[1].write_text("[p]\naws_access_key_id = ROTATED\naws_secret_access_key = x\n", encoding="utf-8")
    assert (await source.fetch(anew=False)).keys.access_key == "ROTATED"


async def test_credential_process(files: tuple[Path, Path], tmp_path: Path) -> None:
    """Keys of a credential process come with their expiry, and each fetch runs it again."""
    counter = tmp_path / "runs"
    script = tmp_path / "keys.py"
    answer = {
        "Version": 1,
        "AccessKeyId": "PROCESS",
        "SecretAccessKey": "x",
        "SessionToken": "t",
        "Expiration": "2100-01-01T00:00:00Z",
    }
    script.write_text(f"open({str(counter)!r}, 'a').write('x')\nprint({json.dumps(answer)!r})\n", encoding="utf-8")
    files[0].write_text(f"[profile p]\ncredential_process = {sys.executable} {script}\n", encoding="utf-8")
    keys = SdkCredentials(profile="p")
    assert await keys.refresh() == Credentials("PROCESS", "x", "t")
    assert keys.current() == Credentials("PROCESS", "x", "t")
    with pytest.raises(CredentialsError, match="same ones again"):
        await keys.refresh(rejected=Credentials("PROCESS", "x", "t"))
    assert counter.read_text(encoding="utf-8") == "xxx"
    await keys.aclose()


async def test_failing_credential_process(files: tuple[Path, Path], tmp_path: Path) -> None:
    """A credential process that fails is a CredentialsError that carries its own words."""
    script = tmp_path / "keys.py"
    script.write_text("raise SystemExit('log in first')\n", encoding="utf-8")
    files[0].write_text(f"[profile p]\ncredential_process = {sys.executable} {script}\n", encoding="utf-8")
    keys = SdkCredentials(profile="p")
    with pytest.raises(CredentialsError, match="log in first"):
        await keys.refresh()
    await keys.aclose()


@pytest.mark.usefixtures("files")
async def test_no_credentials_anywhere() -> None:
    """Without keys anywhere the error lists where to put some, a local engine included."""
    keys = SdkCredentials()
    with pytest.raises(CredentialsError, match=r'AWS_PROFILE, or give the process a role.*\("local", "local"\)'):
        await keys.refresh()
    await keys.aclose()


@pytest.mark.usefixtures("files")
async def test_missing_profile() -> None:
    """A profile that does not exist is a ConfigurationError that names it."""
    keys = SdkCredentials(profile="nobody")
    with pytest.raises(ConfigurationError, match="nobody"):
        await keys.refresh()
    await keys.aclose()


@pytest.mark.parametrize("given", [("key",), ("a", "b", "c", "d"), ("a", None), (1, 2)])
def test_a_tuple_that_is_no_pair_of_keys_is_refused(given: Any) -> None:
    """Keys of the wrong number or kind say what to write, and are not shown."""
    with pytest.raises(CredentialsError, match=r"\(access_key, secret_key\)") as told:
        choose_credentials(given, profile=None, region=None, environ={})
    assert "key'" not in str(told.value)
