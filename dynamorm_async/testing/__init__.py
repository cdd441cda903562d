"""Tools for testing code that uses this library; install ``dynamorm-async[testing]``.

The pytest fixtures of :mod:`dynamorm_async.testing.plugin` come with the installation.
"""

from __future__ import annotations

from dynamorm_async.testing.moto_server import MotoServer

__all__ = ["MotoServer"]
