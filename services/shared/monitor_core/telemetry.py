"""Logging, set up in one place. OpenTelemetry is not there yet; this is where it belongs."""

import logging
import sys
import time
from typing import TextIO

_FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


def configure_logging(level: str, stream: TextIO | None = None) -> None:
    """Log to `stream` (stderr unless given) from `level` on; times are UTC.

    gRPC and the SDK stay at WARNING, whatever `level` says.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    formatter = logging.Formatter(_FORMAT, datefmt="%Y-%m-%dT%H:%M:%SZ")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for noisy in ("durabletask", "grpc", "asyncio", "azure"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
