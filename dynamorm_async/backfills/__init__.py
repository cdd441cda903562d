"""Backfills: change or copy every item of a table, by any number of processes that may die; and write to two models at once.

``from dynamorm_async import backfills``. ``import dynamorm_async`` does not load it.
"""

from __future__ import annotations

from dynamorm_async.backfills.copy_job import CopyResult, copy
from dynamorm_async.backfills.dual import DualWrite, Phase
from dynamorm_async.backfills.job import Backfill
from dynamorm_async.backfills.results import BackfillResult, Progress
from dynamorm_async.backfills.runner import OnProgress

__all__ = ["Backfill", "BackfillResult", "CopyResult", "DualWrite", "OnProgress", "Phase", "Progress", "copy"]
