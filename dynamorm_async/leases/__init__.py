"""Leases: one holder at a time in any number of processes and machines, with a fencing token.

See ``docs/leases.md``.
"""

from __future__ import annotations

from dynamorm_async.leases.bookkeeping import Bookkeeping
from dynamorm_async.leases.holding import Hold, hold
from dynamorm_async.leases.lease import Lease
from dynamorm_async.leases.reading import look
from dynamorm_async.leases.record import LeaseRecord
from dynamorm_async.leases.timing import Timing

__all__ = ["Bookkeeping", "Hold", "Lease", "LeaseRecord", "Timing", "hold", "look"]
