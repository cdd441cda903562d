"""The ``dynamorm`` command: tables, migrations and items of models, from a shell. Needs ``dynamorm-async[cli]``.

``python -m dynamorm_async`` is the same. Nothing of it is loaded by ``import dynamorm_async``.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec

__all__ = ["main"]


def main() -> None:
    """Run the command line of this process. Ends with ``SystemExit``: 0 done, 1 failed, 2 usage, 3 drift, 4 refused."""
    missing = [name for name in ("click", "rich") if find_spec(name) is None]
    if missing:
        sys.exit(f"dynamorm needs {' and '.join(missing)}: pip install 'dynamorm-async[cli]'")
    from dynamorm_async.cli.app import app  # noqa: PLC0415 - loaded when first used

    app(prog_name="dynamorm")
