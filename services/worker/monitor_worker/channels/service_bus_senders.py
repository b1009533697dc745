"""The senders that are kept from one delivery to the next: connecting takes ten times as long as sending.

None is kept for longer than a minute. So no token has to be renewed, no server wonders about a silent client, and
a namespace whose name leads elsewhere since a failover is found there.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, NamedTuple
from weakref import WeakValueDictionary

from monitor_core.contract import ErrorClass
from monitor_worker.channels.base import CheckFailed
from monitor_worker.channels.service_bus_sender import GuardedSender

_KEPT_SECONDS: Final = 60.0


class Place(NamedTuple):
    """Where messages go to."""

    namespace: str
    port: int
    queue: str | None
    topic: str | None


class _Line:
    """The deliveries to one place, one at a time: a sender of the SDK takes no more."""

    def __init__(self) -> None:
        self.turn = asyncio.Lock()
        self.sender: GuardedSender | None = None
        self.until = 0.0
        self.timer: asyncio.TimerHandle | None = None

    def take(self) -> GuardedSender | None:
        """The sender that is kept, if any, and is of use still; from then on it is not kept."""
        sender, self.sender = self.sender, None
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        return sender if sender is not None and sender.is_open else None

    def keep(self, sender: GuardedSender) -> None:
        """Keep a sender until its time is over; the timer is what the line lives by until then."""
        self.sender = sender
        self.timer = asyncio.get_running_loop().call_at(self.until, self.cut)

    def cut(self) -> None:
        """Close the connection that is kept."""
        if (sender := self.take()) is not None:
            sender.cut()


class Senders:
    """Lends senders. Use it on one event loop.

    Args:
        kept_seconds: so old a sender's connection may become.
    """

    def __init__(self, kept_seconds: float = _KEPT_SECONDS) -> None:
        self._kept_seconds = kept_seconds
        self._lines: WeakValueDictionary[Place, _Line] = WeakValueDictionary()
        self._closed = False

    @asynccontextmanager
    async def lent(
        self, place: Place, make: Callable[[], Awaitable[GuardedSender]]
    ) -> AsyncIterator[GuardedSender]:
        """A sender for as long as the block lasts. After one that fails it is not used again.

        Args:
            place: where it sends to.
            make: opens one, where none is kept.

        Raises:
            CheckFailed: the senders are closed.
        """
        line = self._lines.get(place) or _Line()
        self._lines[place] = line
        async with line.turn:
            self._require_open()
            sender = line.take() or await self._made(line, make)
            try:
                yield sender
            except BaseException:
                sender.cut()
                raise
            if self._closed:
                sender.cut()
            else:
                line.keep(sender)

    async def close(self) -> None:
        """Close every connection that is kept. None is lent from then on."""
        self._closed = True
        kept = [line.take() for line in list(self._lines.values())]
        await asyncio.gather(*(sender.close() for sender in kept if sender is not None))

    async def _made(self, line: _Line, make: Callable[[], Awaitable[GuardedSender]]) -> GuardedSender:
        line.until = asyncio.get_running_loop().time() + self._kept_seconds
        return await make()

    def _require_open(self) -> None:
        if self._closed:
            raise CheckFailed(ErrorClass.TRANSIENT, "the worker is stopping")
