"""Tables as they are declared: what is there, what differs, and a plan that settles it safely.

::

    plan = await schema.plan(db, User, Order)
    print(plan)
    await schema.apply(db, plan)
"""

from dynamorm_async.schema.applying import Applied, Progress, apply
from dynamorm_async.schema.automatic import Migrated, auto_migrate
from dynamorm_async.schema.backup import Backup, CopyBackup, OnDemandBackup
from dynamorm_async.schema.commands import describe, diff, plan
from dynamorm_async.schema.diff import Difference
from dynamorm_async.schema.live import LiveIndex, LiveReplica, LiveTable
from dynamorm_async.schema.planning import Plan, TablePlan
from dynamorm_async.schema.steps import PERMISSIONS, LeftAlone, Permission, Refusal, Step

__all__ = [
    "PERMISSIONS",
    "Applied",
    "Backup",
    "CopyBackup",
    "Difference",
    "LeftAlone",
    "LiveIndex",
    "LiveReplica",
    "LiveTable",
    "Migrated",
    "OnDemandBackup",
    "Permission",
    "Plan",
    "Progress",
    "Refusal",
    "Step",
    "TablePlan",
    "apply",
    "auto_migrate",
    "describe",
    "diff",
    "plan",
]
