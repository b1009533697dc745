"""How long the worker's turns may be: shorter when it falls behind, longer again when it does not.

A turn that waits for its next check holds a slot (a thread). With more monitors than slots that would keep others
from theirs, so the length is a matter of the whole worker. There is no threshold: a hard one is a cliff.
"""

import threading
from typing import Final

from monitor_core.contract.request import LONGEST_TURN_SECONDS

_SHORTEST_SECONDS: Final = 1.0


class Pace:
    """The length that turns of this worker may have (seconds). Safe on any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._limit = LONGEST_TURN_SECONDS

    @property
    def limit_seconds(self) -> float:
        """How long a turn may be just now; 0 is one check and no waiting."""
        with self._lock:
            return self._limit

    def note(self, *, late: bool) -> None:
        """Take in a turn: late is a check that started more than an interval (and a second) after it was due."""
        with self._lock:
            if not late:
                self._limit = min(self._limit + 1.0, LONGEST_TURN_SECONDS)
            else:
                halved = self._limit / 2
                self._limit = halved if halved >= _SHORTEST_SECONDS else 0.0
