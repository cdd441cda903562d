"""The catalogue of faults: each by its name, with what the server does and what becomes of the request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tests.faults.broken import BODIES, CONNECTIONS
from tests.faults.fault import Fault
from tests.faults.said import PARTIAL, REDIRECTS, REFUSALS, SERVER_ERRORS, THROTTLES

FAULTS: Final = (*THROTTLES, *REFUSALS, *SERVER_ERRORS, *CONNECTIONS, *BODIES, *REDIRECTS, *PARTIAL)
"""All of them, in families."""

CATALOGUE: Final[Mapping[str, Fault]] = {fault.name: fault for fault in FAULTS}
"""All of them by name."""
