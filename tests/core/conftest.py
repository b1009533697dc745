"""Logging that a test may set up as it likes."""

import logging
from collections.abc import Iterator

import pytest

from monitor_core.telemetry.logs import LIBRARIES


@pytest.fixture
def own_logging() -> Iterator[None]:
    """No handler at the root, and in the end everything as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in LIBRARIES}
    root.handlers.clear()  # pytest's own must not be closed
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)
