"""How long a watch bears that its server is gone, or busy."""

import time
from collections.abc import Callable
from typing import Final

from monitor_client.errors import GaveUp, SchedulerUnreachable, ServiceError

PATIENCE_SECONDS: Final = 60.0


class Patience:
    """One watch's patience: none with a server that is not there at first, a minute with all else.

    Args:
        on_unreachable: told once, in words, each time that the server is gone; not that it is busy.
        clock: seconds, from anywhere.
    """

    def __init__(self, on_unreachable: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._tell, self._clock = on_unreachable, clock
        self._has_answered = False
        self._since: float | None = None

    def renew(self) -> None:
        """It answers."""
        self._has_answered, self._since = True, None

    def bear(self, error: ServiceError) -> None:
        """It does not; raise the error where that has been so for too long."""
        is_gone = isinstance(error, SchedulerUnreachable)
        if is_gone and not self._has_answered:
            raise error
        if self._since is None:
            self._since = self._clock()
            if is_gone:
                self._tell(str(error))
        elif self._clock() - self._since >= PATIENCE_SECONDS:
            raise _given_up(error) from error


def _given_up(error: ServiceError) -> ServiceError:
    return GaveUp(PATIENCE_SECONDS, error) if isinstance(error, SchedulerUnreachable) else error
