"""Commands outside of pytest measure the same on every machine: its AWS settings and proxies are forgotten."""

from __future__ import annotations

import os
from typing import Final

_PROXIES: Final = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


def forget_surroundings() -> None:
    """Take what the AWS SDK and HTTP clients look for out of this process's environment."""
    for name in list(os.environ):
        if name.startswith("AWS_") or name.upper() in _PROXIES:
            del os.environ[name]
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
