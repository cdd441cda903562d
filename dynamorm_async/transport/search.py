"""Where vector searches go: DynamoDB serves SearchVectors at endpoints of its own.

Source: botocore's endpoint rules of DynamoDB (``IsSearchOperation``); a test holds this against them.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from dynamorm_async.transport.base import Endpoint

# AWS's own hosts alone: an engine on this machine, a VPC endpoint or a proxy serves everything at one place.
# Texts, not patterns: those are compiled when a database is opened, not with the import.
_DOMAIN: Final = r"(?:amazonaws\.(?:com(?:\.cn)?|eu)|api\.aws|api\.amazonwebservices\.(?:com\.cn|eu))"
_PLAIN: Final = rf"(dynamodb(?:-fips)?\.[a-z0-9-]+\.{_DOMAIN})"
_OF_ACCOUNT: Final = rf"([0-9]{{12}})\.ddb(\.[a-z0-9-]+\.{_DOMAIN})"
_SEARCH: Final = rf"(?:search-dynamodb(?:-fips)?|[0-9]{{12}}\.search-ddb)\.[a-z0-9-]+\.{_DOMAIN}"


def search_endpoint(endpoint: Endpoint) -> Endpoint:
    """The endpoint of searches, beside that of everything else; the same one where there is no other."""
    host = endpoint.host.lower()
    if found := re.fullmatch(_PLAIN, host):
        return msgspec.structs.replace(endpoint, host=f"search-{found[1]}")
    if found := re.fullmatch(_OF_ACCOUNT, host):
        return msgspec.structs.replace(endpoint, host=f"{found[1]}.search-ddb{found[2]}")
    return endpoint


def is_search_host(host: str) -> bool:
    """Whether it is one of AWS's hosts of searches. That these send a CRC32 with each answer is not documented."""
    return re.fullmatch(_SEARCH, host.lower()) is not None
