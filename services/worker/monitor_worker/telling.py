"""How the worker tells of its work without being held up by it: whatever telling raises, the work goes on."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from opentelemetry import trace
from opentelemetry.trace import Span, StatusCode

_log = logging.getLogger(__name__)


@contextmanager
def around(span: Span) -> Iterator[None]:
    """The span around a block. What the block raises may hold a secret: of it only the type is told."""
    try:
        with trace.use_span(span, record_exception=False, set_status_on_exception=False):
            yield
    except Exception as error:
        span.set_status(StatusCode.ERROR, type(error).__name__)
        raise
    finally:
        with never_failing():
            span.end()


@contextmanager
def never_failing() -> Iterator[None]:
    """What a block raises is logged; where even that raises it is let go, for there is nobody left to tell."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 # whatever an exporter, a formatter or a sampler raises
        with suppress(Exception):
            _log.error("A monitor could not be told of: %s", type(error).__name__)
