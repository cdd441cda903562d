"""Where the canned server is, with which keys it is called, and an environment that says nothing else."""

from __future__ import annotations

from collections.abc import Mapping

HOST = "127.0.0.1"
REGION = "eu-west-1"
ACCESS_KEY = "AKIDEXAMPLE"
SECRET_KEY = "secret"
CONNECTIONS = 100
"""The most connections of a contestant, wherever it has a setting for that."""


def endpoint(port: int) -> str:
    """The URL of the canned server."""
    return f"http://{HOST}:{port}"


def plain_environment(inherited: Mapping[str, str], *, port: int) -> dict[str, str]:
    """An environment with static keys, no profile, no proxy, and the canned server as DynamoDB."""
    kept = {
        name: value
        for name, value in inherited.items()
        if not name.upper().startswith("AWS_") and not name.lower().endswith("_proxy")
    }
    return kept | {
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_CONFIG_FILE": "missing-config",
        "AWS_SHARED_CREDENTIALS_FILE": "missing-credentials",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL_DYNAMODB": endpoint(port),
    }
