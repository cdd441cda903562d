"""``python -m dynamorm_async`` is the ``dynamorm`` command."""

from __future__ import annotations

from dynamorm_async.cli import main

if __name__ == "__main__":
    main()
