"""What is ready to be handed out, in one lane for each name and version.

A worker with filters then looks at lanes, of which there are a handful, and never at items: thousands that nobody
may take cost the others nothing.
"""

import itertools
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")
Lane = tuple[str, str | None]
"""A name and a version; None where no version was asked for."""
Accepts = Callable[[str, str | None], bool]
"""Whether a worker takes work of this name and version."""


class Lanes(Generic[Item]):
    """First in, first out over the lanes that the taker accepts. Guarded by the backend's lock."""

    def __init__(self) -> None:
        self._lanes: dict[Lane, deque[tuple[int, Item]]] = {}
        self._arrivals = itertools.count()

    def put(self, lane: Lane, item: Item) -> None:
        """Add `item` at the end."""
        self._lanes.setdefault(lane, deque()).append((next(self._arrivals), item))

    def take(self, accepts: Accepts) -> Item | None:
        """Take the oldest item of all lanes whose name and version are accepted; None if there is none."""
        oldest = min(
            ((waiting[0][0], lane) for lane, waiting in self._lanes.items() if accepts(*lane)),
            key=lambda head: head[0],
            default=None,
        )
        if oldest is None:
            return None
        waiting = self._lanes[oldest[1]]
        _, item = waiting.popleft()
        if not waiting:
            del self._lanes[oldest[1]]
        return item

    def clear(self) -> None:
        """Forget everything."""
        self._lanes.clear()
