"""Puts the mends asked for in front of the backend, and shows the whole as one thing."""

from types import TracebackType
from typing import Self, cast

from local_scheduler.answers import Failures, Status
from local_scheduler.core import Core
from local_scheduler.dispatch import Dispatch
from local_scheduler.generations import Generations
from local_scheduler.mends import ALL_MENDS, USUAL_LIMITS, Limits, Mends
from local_scheduler.pages import Pages
from local_scheduler.redelivery import Redelivery
from local_scheduler.server import LOOPBACK
from local_scheduler.start_at import StartAt
from local_scheduler.stats import Stats
from local_scheduler.sub_orchestrations import SubOrchestrations
from local_scheduler.suspension import Paused
from local_scheduler.timers import Timers
from local_scheduler.traces import Traces
from local_scheduler.waits import Waits

LAYERS: dict[str, tuple[type[Core], ...]] = {
    "redelivery": (Redelivery,),
    "status": (Status,),
    "failures": (Failures,),
    "pages": (Pages,),
    "waits": (Waits,),
    "start_at": (StartAt,),
    "suspension": (Paused,),
    "traces": (Traces,),
    "timers": (Timers,),
    "generations": (Generations, SubOrchestrations),
    "dispatch": (Dispatch,),
}
"""The classes of each mend, outermost first. `pool` and `history` are figures that `Service` reads."""


def backend(port: int, mends: Mends, limits: Limits) -> Core:
    """Make the backend that these mends ask for: a mend that is off is a class left out."""
    mended = [layer for name, layers in LAYERS.items() if getattr(mends, name) for layer in layers]
    made = cast("type[Core]", type("MendedBackend", (*mended, Core), {}))
    return made(port=port, mends=mends, limits=limits)


class LocalScheduler:
    """A scheduler whose state is gone with the process; as a context manager, started and stopped.

    It listens on loopback unless `host` says otherwise: no credential is asked for. `port` 0 asks for a free port.
    Stopped and started again, it goes on at the same address with what it had; work that was out is handed out
    again.
    """

    def __init__(
        self,
        port: int = 0,
        mends: Mends = ALL_MENDS,
        limits: Limits = USUAL_LIMITS,
        *,
        host: str = LOOPBACK,
    ) -> None:
        self.mends = mends
        self._host = host
        self._backend = backend(port, mends, limits)
        self._address: str | None = None

    def start(self) -> str:
        """Listen, and return the address `HOST:PORT`.

        Raises:
            OSError: the port cannot be had.
        """
        self._address = self._backend.start(self._host)
        return self._address

    def stop(self) -> None:
        """Stop listening; calls under way are cut off. Returns when every thread has ended."""
        self._backend.stop()

    def reset(self) -> None:
        """Forget all instances and counts; clients and workers stay connected."""
        self._backend.reset()

    @property
    def address(self) -> str:
        """Where it listens, `HOST:PORT`.

        Raises:
            RuntimeError: it was never started.
        """
        if self._address is None:
            raise RuntimeError("The local scheduler has no address before start()")
        return self._address

    @property
    def stats(self) -> Stats:
        """Everything that is counted."""
        return self._backend.stats

    @property
    def actions(self) -> dict[str, int]:
        """How many messages of each kind were dispatched to workers, as DTS bills them (see `stats.py`)."""
        return self.stats.actions

    @property
    def events_replayed(self) -> int:
        """How many history events (past and new) went to workers in all turns together."""
        return self.stats.events_replayed

    def max_events_per_dispatch(self, instance_id: str) -> int:
        """The longest history (past and new events) that one turn of the instance carried; 0 if it had none."""
        return self.stats.max_events_per_dispatch(instance_id)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
