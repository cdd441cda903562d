"""aiobotocore, imported late and off the event loop, and typed as far as it is used here."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, Protocol, cast

from dynamorm_async.transport.sdk_errors import configuration_errors


class FrozenKeys(Protocol):
    """One consistent set of keys."""

    @property
    def access_key(self) -> str: ...  # noqa: D102 - aiobotocore's, named as it says
    @property
    def secret_key(self) -> str: ...  # noqa: D102
    @property
    def token(self) -> str | None: ...  # noqa: D102


class FoundCredentials(Protocol):
    """What aiobotocore's credential chain finds."""

    _expiry_time: datetime | None

    async def get_frozen_credentials(self) -> FrozenKeys:
        """The keys, refreshed where they are due."""
        ...


class CredentialChain(Protocol):
    """aiobotocore's chain of credential sources."""

    async def load_credentials(self) -> FoundCredentials | None:
        """Ask every source anew; ``None`` where none has any."""
        ...


class ClientMeta(Protocol):
    """Facts on a client."""

    @property
    def region_name(self) -> str: ...  # noqa: D102 - botocore's, named as it says
    @property
    def method_to_api_mapping(self) -> Mapping[str, str]: ...  # noqa: D102


class DynamoClient(Protocol):
    """An aiobotocore DynamoDB client; its operations are looked up by name."""

    @property
    def meta(self) -> ClientMeta: ...  # noqa: D102 - botocore's, named as it says

    def generate_presigned_url(self, method: str, *, Params: Mapping[str, Any]) -> Awaitable[str]:  # noqa: N803 - botocore's name
        """A signed URL for one call; made without any I/O."""
        ...


class SdkSession(Protocol):
    """An aiobotocore session. ``Any`` stands where botocore takes or gives values of every kind."""

    def get_component(self, name: str) -> Any:
        """A part of the session."""
        ...

    def register_component(self, name: str, component: object) -> None:
        """Replace a part of the session."""
        ...

    def set_config_variable(self, name: str, value: object) -> None:
        """Override a setting."""
        ...

    def get_config_variable(self, name: str) -> Any:
        """A setting, from environment or files."""
        ...

    def get_scoped_config(self) -> Mapping[str, Any]:
        """The settings of the profile; reads the files once."""
        ...

    def create_client(self, service: str, **options: Any) -> AbstractAsyncContextManager[DynamoClient]:
        """A client, open inside the ``async with``."""
        ...


async def open_session(*, profile: str | None, region: str | None = None) -> SdkSession:
    """A new aiobotocore session. Importing aiobotocore and reading the shared files happen in a worker thread.

    Args:
        profile: the profile to use whatever the environment says; ``None`` leaves it to the environment.
        region: the region of clients that name none, STS for example; ``None`` leaves it to the environment.

    Raises:
        ConfigurationError: the profile does not exist, or a shared file cannot be read.
    """
    return await asyncio.to_thread(_open_session, profile, region)


def _open_session(profile: str | None, region: str | None) -> SdkSession:
    from aiobotocore.session import (  # type: ignore[import-untyped]  # noqa: PLC0415 - late, to keep the plain path free of it; it has no types
        AioSession,  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]
    )

    session = cast("SdkSession", AioSession(profile=profile))
    if region is not None:
        session.set_config_variable("region", region)
    with configuration_errors("the shared AWS files cannot be used"):
        session.get_scoped_config()  # reads the files now, in this thread
        # An empty setting, which versions of botocore take for "do not verify", is none; so is a missing one.
        if not session.get_config_variable("ca_bundle"):
            session.set_config_variable("ca_bundle", os.environ.get("REQUESTS_CA_BUNDLE") or True)
    return session
