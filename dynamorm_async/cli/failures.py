"""What is said of an error, and which exit code it has."""

from __future__ import annotations

from typing import Final, cast

from dynamorm_async import BackupRefused, DynamormError, MigrationRefused, PlanRefused

FAILED: Final = 1
DRIFT: Final = 3
REFUSED: Final = 4
INTERRUPTED: Final = 130

_REFUSALS: Final = (PlanRefused, MigrationRefused, BackupRefused)


def clear_failure(error: Exception) -> str | None:
    """The error in words; ``None`` of what is no failure of ours, and therefore wants its traceback."""
    single = _single(error)
    if isinstance(single, DynamormError):
        return "\n".join([str(single) or type(single).__name__, *getattr(single, "__notes__", ())])
    if isinstance(single, OSError) and not isinstance(single, BrokenPipeError):  # whoever read the output had enough
        return f"{single.strerror or single}{f': {single.filename}' if single.filename else ''}"
    return None


def exit_code(error: Exception) -> int:
    """The exit code of an error that is clear."""
    return REFUSED if isinstance(_single(error), _REFUSALS) else FAILED


def _single(error: Exception) -> Exception:
    """The error that a group holds, where it is one."""
    single: Exception = error
    while isinstance(single, ExceptionGroup):
        inside = cast("ExceptionGroup[Exception]", single).exceptions
        if len(inside) != 1:
            return error
        single = inside[0]
    return single
