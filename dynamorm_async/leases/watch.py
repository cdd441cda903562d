"""The rule by which a lease may be taken from a holder that is gone. Pure: the caller says what time it is."""

from __future__ import annotations

from typing import Final, final

from dynamorm_async.leases.record import LeaseRecord

DRIFT: Final = 0.01
"""How much slower than a holder's clock a contender's may count: no clock of a working machine is that far off in its rate."""

_LOOKS: Final = 10
"""How often a lease is looked at while its duration passes, at least."""
_LONGEST_PAUSE: Final = 1.0


def pause(duration: float, random: float) -> float:
    """Seconds from one look to the next, so that those who wait do not all look at once.

    Args:
        duration: of the lease, in seconds.
        random: a number from 0 up to 1.
    """
    return min(_LONGEST_PAUSE, duration / _LOOKS) * (0.5 + random)


@final
class Watch:
    """How long a lease has been seen without any renewal.

    A holder counts its time from before it sent its last renewal; who watches counts from when it saw what that has written,
    which is later. So once the lease's whole duration has passed here without a change, it has passed there.
    """

    def __init__(self) -> None:
        self._seen: tuple[str, int, int] | None = None
        self._since = 0.0

    def see(self, record: LeaseRecord, now: float) -> float:
        """Look at the lease.

        Args:
            record: as it was just read, consistently.
            now: seconds of this machine's clock, after the answer was there.

        Returns:
            The seconds until it may be taken if nothing changes; 0 where that is now.
        """
        if record.owner is None:
            self._seen = None
            return 0.0
        seen = (record.owner, record.token, record.revision)
        if seen != self._seen:
            self._seen, self._since = seen, now
        return max(0.0, self._since + record.duration * (1 + DRIFT) - now)

    def seconds(self, now: float) -> float:
        """For how long the same has been seen."""
        return 0.0 if self._seen is None else now - self._since
