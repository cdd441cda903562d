from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent.parent
TRANSPORT = ROOT / "dynamorm_async" / "transport"
SLOW = ("aiobotocore", "aiohttp", "boto3", "botocore", "urllib.request")

IMPORT_ALL = "import importlib, sys\nfor name in {names!r}: importlib.import_module(name)\n"
OPEN = """
import asyncio, os
from dynamorm_async.transport.lanes import TransportSettings, open_control, open_lane

async def main():
    settings = TransportSettings({options})
    opened = await open_lane(settings, environ=os.environ)
    control = open_control(settings, opened)
    assert opened.name == "direct"
    await control.aclose()
    await opened.aclose()

asyncio.run(main())
"""
REPORT = "print([name for name in {slow!r} if name in sys.modules])"


def slow_modules(code: str, tmp_path: Path) -> str:
    names = [
        f"dynamorm_async.transport.{path.stem}" for path in TRANSPORT.glob("[a-z]*.py") if path.stem != "sdk_session"
    ]
    assert "dynamorm_async.transport.lanes" in names
    scrubbed = {name: value for name, value in os.environ.items() if not name.upper().endswith("_PROXY")}
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL.format(names=names) + code + REPORT.format(slow=SLOW)],
        env=scrubbed
        | {
            "PYTHONPATH": str(ROOT),
            "AWS_ACCESS_KEY_ID": "a",
            "AWS_SECRET_ACCESS_KEY": "s",
            "AWS_REGION": "eu-west-1",
            "AWS_CONFIG_FILE": str(tmp_path / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_importing_the_transport_loads_no_sdk(tmp_path: Path) -> None:
    """A fresh interpreter that imports every transport module except sdk_session has loaded no SDK and no aiohttp."""
    assert slow_modules("", tmp_path) == "[]"


@pytest.mark.parametrize("options", ["", "endpoint='http://localhost:8000'"], ids=["standard", "explicit"])
def test_opening_the_direct_lane_loads_no_sdk(tmp_path: Path, options: str) -> None:
    """Static keys in the environment and a standard or explicit endpoint open the direct lane without the SDK."""
    assert slow_modules(OPEN.format(options=options), tmp_path) == "[]"
