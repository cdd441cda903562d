"""Where a run is made, and with what: told beside every figure."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from report import Machine
from roster import Entry

CPUINFO = Path("/proc/cpuinfo")


def this_machine(pinning: str) -> Machine:
    """The machine, without its name."""
    return Machine(
        cpu=_cpu_model(),
        cpus=os.cpu_count() or 1,
        system=f"{platform.system()} {platform.machine()}",
        python=f"{platform.python_implementation()} {platform.python_version()}",
        pinning=pinning,
    )


def versions(entries: Iterable[Entry], *more: str) -> dict[str, str]:
    """The versions of everything that took part, by distribution."""
    names = dict.fromkeys([*(name for entry in entries for name in entry.versions), *more])
    return {name: found for name in names if (found := _version(name)) is not None}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _cpu_model() -> str:
    if CPUINFO.is_file():
        for line in CPUINFO.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
