"""Migrations: files with ``upgrade`` and ``downgrade``, applied once and in order, that can be killed and go on.

``from dynamorm_async import migrations``. ``import dynamorm_async`` does not load it. See ``docs/migrations.md``.
"""

from __future__ import annotations

from dynamorm_async.migrations.context import BackfillOptions, Context, CopyOptions
from dynamorm_async.migrations.migrations import Migrations
from dynamorm_async.migrations.status import MigrationStatus, OnProgress, Progress

__all__ = ["BackfillOptions", "Context", "CopyOptions", "MigrationStatus", "Migrations", "OnProgress", "Progress"]
