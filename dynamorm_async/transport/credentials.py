"""AWS keys: at once from arguments or environment, everything else through aiobotocore's sources."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

import msgspec

from dynamorm_async.errors import CredentialsError, DynamormError
from dynamorm_async.transport.base import CredentialProvider, Credentials

if TYPE_CHECKING:
    from dynamorm_async.transport.sdk_loader import CredentialChain, SdkSession

GivenCredentials: TypeAlias = Credentials | tuple[str, str] | tuple[str, str, str] | CredentialProvider
"""What a caller may give as credentials: keys, (access key, secret key[, token]), or a provider of their own."""

_EARLY: Final = 600.0  # seconds before expiry at which new keys are fetched; the old ones go on being used meanwhile
_LATE: Final = 60.0  # seconds before expiry from which on callers wait for new keys
_BACK_OFF: Final = 30.0  # seconds until a failed refresh is tried again while the keys still hold
_NOT_FOUND: Final = (
    "no AWS credentials were found in the environment, the shared files and the process's role: "
    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or give the process a role; for a local engine any "
    'keys will do: Database(credentials=("local", "local"), ...)'
)


class StaticCredentials:
    """Keys that never change.

    Args:
        keys: the keys.
        source: where they come from, for messages; "the environment" for example.
    """

    def __init__(self, keys: Credentials, *, source: str) -> None:
        self._keys = keys
        self._source = source

    def current(self) -> Credentials | None:
        """The keys, whatever DynamoDB has called them."""
        return self._keys

    async def refresh(self, *, rejected: Credentials | None = None) -> Credentials:
        """The keys again: there are no others, so later calls try them again. One wrong answer must not end a database.

        Args:
            rejected: keys that DynamoDB called expired.

        Raises:
            CredentialsError: these are the keys that were rejected.
        """
        if rejected is None or rejected != self._keys:
            return self._keys
        if self._keys.token is None:
            raise CredentialsError(
                f"DynamoDB calls the keys of {self._source} expired, and they have no session token: if they are "
                "temporary keys, give their token too"
            )
        raise CredentialsError(
            f"the session token of {self._source} has expired: give new keys and token and open the database "
            "again, or use a profile or role, whose keys are refreshed"
        )


class Fetched(msgspec.Struct, frozen=True):
    """Keys from a source.

    Attributes:
        keys: the keys.
        expires: when they expire, in seconds since 1970; infinite for keys that do not.
    """

    keys: Credentials
    expires: float


class CredentialSource(Protocol):
    """Where :class:`SdkCredentials` fetches from."""

    async def fetch(self, *, anew: bool) -> Fetched:
        """Fetch keys.

        Args:
            anew: whether whatever was cached since the last fetch must be forgotten.

        Raises:
            CredentialsError: there are none.
        """
        ...


class SdkSource:
    """aiobotocore's credential chain: profiles, SSO, web identity, assumed roles, processes, containers, IMDS.

    Args:
        profile: the profile to use whatever the environment says; ``None`` leaves it to the environment.
        region: the region to reach STS and SSO in; ``None`` leaves it to environment and profile.
    """

    def __init__(self, *, profile: str | None, region: str | None) -> None:
        self._profile = profile
        self._region = region
        self._session: SdkSession | None = None

    async def fetch(self, *, anew: bool) -> Fetched:
        """Ask every source in botocore's order. Costs what the source costs; the first time 0.3 s to import aiobotocore.

        Args:
            anew: whether cached roles and files are forgotten first.

        Raises:
            CredentialsError: no source has any.
            ConfigurationError: the profile does not exist, or a shared file cannot be read.
        """
        from dynamorm_async.transport.sdk_loader import open_session  # noqa: PLC0415 - loaded when first used

        if self._session is None or anew:
            self._session = await open_session(profile=self._profile, region=self._region)
        chain: CredentialChain = self._session.get_component("credential_provider")
        found = await chain.load_credentials()
        if found is None:
            raise CredentialsError(_NOT_FOUND)
        frozen = await found.get_frozen_credentials()
        # The one private name: botocore tells the expiry by no public one. Keys without expiry lack it.
        expiry = getattr(found, "_expiry_time", None)
        expires = expiry.timestamp() if expiry is not None else math.inf
        return Fetched(Credentials(frozen.access_key, frozen.secret_key, frozen.token), expires)


class SdkCredentials:
    """Keys that are fetched when they are first needed, and again before they expire.

    New keys are fetched ten minutes before expiry (or in the last quarter of a shorter life), while the old ones
    go on being used; only in the last minute do callers wait. All callers share one fetch and its failure. While the
    keys hold, a failed refresh is no failure: the next try comes after half a minute.

    Args:
        profile: the profile to use whatever the environment says; ``None`` leaves it to the environment.
        region: the region to reach STS and SSO in; ``None`` leaves it to environment and profile.
        deadline: seconds that one fetch may take.
        source: where to fetch; ``None`` is aiobotocore's chain.
        clock: seconds since 1970.
    """

    def __init__(
        self,
        *,
        profile: str | None = None,
        region: str | None = None,
        deadline: float = 10.0,
        source: CredentialSource | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        from dynamorm_async.transport.single_flight import SingleFlight  # noqa: PLC0415 - loaded when first used

        self._source: CredentialSource = source or SdkSource(profile=profile, region=region)
        self._deadline = deadline
        self._clock = clock
        self._fetching = SingleFlight(self._renew)
        self._keys: Credentials | None = None
        self._expires = 0.0
        self._fresh_until = 0.0
        self._rejected: Credentials | None = None

    def current(self) -> Credentials | None:
        """The keys, where they are fresh."""
        return self._keys if self._clock() < self._fresh_until else None

    async def refresh(self, *, rejected: Credentials | None = None) -> Credentials:
        """Keys to sign with; waits for a fetch only where there are none that hold for another minute.

        Args:
            rejected: keys that DynamoDB called expired; this call does not return them, whatever their expiry says.

        Raises:
            CredentialsError: no keys were found, or they could not be refreshed and the old ones have expired.
            ConfigurationError: the profile does not exist, or a shared file cannot be read.
            DatabaseClosed: after :meth:`aclose`.
        """
        if rejected is not None and rejected == self._keys:
            self._rejected, self._keys = rejected, None
        fresh = self.current()
        if fresh is not None:
            return fresh
        if self._keys is not None and self._clock() < self._expires - _LATE:
            self._fetching.start()
            return self._keys
        return await self._fetching.run()

    async def aclose(self) -> None:
        """End a fetch under way; whoever waits for it gets ``DatabaseClosed``."""
        await self._fetching.aclose()

    async def _renew(self) -> Credentials:
        import anyio  # noqa: PLC0415 - loaded when first used

        try:
            with anyio.fail_after(self._deadline):
                fetched = await self._fetch()
        except Exception as error:
            now = self._clock()
            if self._keys is not None and now < self._expires:
                self._fresh_until = min(now + _BACK_OFF, self._expires)
                return self._keys
            if isinstance(error, DynamormError):
                raise
            if isinstance(error, TimeoutError):
                raise CredentialsError(f"AWS credentials could not be fetched within {self._deadline:g} s") from error
            raise CredentialsError(f"AWS credentials could not be fetched: {error}") from error
        left = fetched.expires - self._clock()
        self._keys, self._expires, self._rejected = fetched.keys, fetched.expires, None
        self._fresh_until = fetched.expires - min(_EARLY, left / 4) if math.isfinite(left) else math.inf
        return fetched.keys

    async def _fetch(self) -> Fetched:
        fetched = await self._source.fetch(anew=False)
        if fetched.keys == self._rejected:  # out of a cache, most likely
            fetched = await self._source.fetch(anew=True)
        if fetched.keys == self._rejected:
            self._rejected = None  # later calls try them again: one wrong answer must not end a database
            raise CredentialsError(
                f"DynamoDB calls the AWS keys {fetched.keys!r} expired, and their source gives the same ones again: "
                "renew them there, for example with `aws sso login`"
            )
        if fetched.expires <= self._clock():
            raise CredentialsError(
                f"the AWS keys {fetched.keys!r} from the environment, profile or role have expired already: renew them "
                "there, and check this machine's clock"
            )
        return fetched


def environment_keys(environ: Mapping[str, str]) -> Credentials | None:
    """The keys in the environment variables; ``None`` where there are none.

    Args:
        environ: the environment variables.

    Raises:
        CredentialsError: there is an access key without its secret.
    """
    access_key = environ.get("AWS_ACCESS_KEY_ID")
    if not access_key:
        return None
    secret_key = environ.get("AWS_SECRET_ACCESS_KEY")
    if not secret_key:
        raise CredentialsError("AWS_ACCESS_KEY_ID is set without AWS_SECRET_ACCESS_KEY: set both, or neither")
    token = environ.get("AWS_SESSION_TOKEN") or environ.get("AWS_SECURITY_TOKEN")
    return Credentials(access_key, secret_key, token or None)


_KEY_COUNTS = (2, 3)


def choose_credentials(
    given: GivenCredentials | None, *, profile: str | None, region: str | None, environ: Mapping[str, str]
) -> CredentialProvider:
    """The provider for a database: keys that were given, then an explicit profile, then the environment, then the rest.

    Args:
        given: what the caller gave; a provider is returned as it is.
        profile: the profile that was asked for explicitly; it beats the environment's keys.
        region: the region to reach STS and SSO in.
        environ: the environment variables, read once.

    Raises:
        CredentialsError: a key that was given is empty, or the environment has an access key without its secret.
    """
    if isinstance(given, tuple):
        if not all(isinstance(part, str) for part in given) or len(given) not in _KEY_COUNTS:  # pyright: ignore[reportUnnecessaryIsInstance, reportUnnecessaryContains]  # callers may be untyped
            raise CredentialsError(
                "credentials= takes (access_key, secret_key) or (access_key, secret_key, token), all text"
            )
        given = Credentials(*given)
    if isinstance(given, Credentials):
        if not given.access_key or not given.secret_key:
            raise CredentialsError("the credentials argument has an empty access key or secret key")
        return StaticCredentials(given, source="the credentials argument")
    if given is not None:
        return given
    keys = environment_keys(environ) if profile is None else None
    if keys is not None:
        return StaticCredentials(keys, source="the environment")
    return SdkCredentials(profile=profile, region=region)
