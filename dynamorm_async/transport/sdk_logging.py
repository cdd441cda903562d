"""What the AWS SDK writes to logs, and how to keep it out of them. This library itself logs nothing."""

from __future__ import annotations

import logging
from typing import Final

_LOGGERS: Final = ("botocore", "aiobotocore", "boto3", "s3transfer", "aiohttp", "urllib3")


def quiet_sdk_logging() -> None:
    """Keep the AWS SDK's DEBUG messages out of every log: they hold items, keys, session tokens and signatures.

    Raises the level of the loggers ``botocore``, ``aiobotocore``, ``boto3``, ``s3transfer``, ``aiohttp`` and ``urllib3``, and
    of those under them, to INFO, for the whole process. Call it after logging was configured. It matters where the level of
    the root logger, or of one of these, is DEBUG: the sdk lane, ``db.tables`` and credentials from profiles and roles use
    the SDK. Sends nothing.
    """
    for name in _LOGGERS:
        known = [found for found in list(logging.root.manager.loggerDict) if found.startswith(f"{name}.")]
        for logger in (logging.getLogger(name), *map(logging.getLogger, known)):
            # One that was given no level of its own has its parent's, which is raised first.
            if logger.getEffectiveLevel() < logging.INFO:
                logger.setLevel(logging.INFO)
