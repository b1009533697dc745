"""The backend's life: listening, stopping without leaving a thread behind, and going on where it was."""

from concurrent.futures import ThreadPoolExecutor

from durabletask.testing.in_memory_backend import InMemoryOrchestrationBackend

from local_scheduler.mends import Limits, Mends
from local_scheduler.server import LOOPBACK, listen
from local_scheduler.stats import Stats
from local_scheduler.timer_queue import TimerQueue

UNLIMITED_EVENTS = 2**63


class Service(InMemoryOrchestrationBackend):
    """The SDK's backend behind a server of our own. Its state is guarded by `_lock`, which may be taken again."""

    def __init__(self, *, port: int, mends: Mends, limits: Limits) -> None:
        history = UNLIMITED_EVENTS if mends.history else limits.unmended_history_events
        super().__init__(port=port, max_history_size=history)
        self.stats = Stats()
        self._mends = mends
        self._limits = limits
        self._timers = TimerQueue()
        self._pool: ThreadPoolExecutor | None = None

    def start(self, host: str = LOOPBACK) -> str:
        """Listen, and return the address. A backend that was stopped goes on where it was, at the same address.

        Raises:
            OSError: the port cannot be had.
        """
        threads = self._limits.pool_threads if self._mends.pool else self._limits.unmended_pool_threads
        pool = ThreadPoolExecutor(threads, thread_name_prefix="local-scheduler")
        self._shutdown_event.clear()
        self._server, self._port = listen(self, host, self._port, pool=pool, large_messages=self._mends.pool)
        self._pool = pool
        self._timers.start()
        return f"{host}:{self._port}"

    def stop(self, grace: float | None = None) -> None:
        """Stop listening and end every thread of ours; what is stored stays for the next `start`.

        `grace` is how many seconds calls under way may still take; None cuts them off.
        """
        if self._pool is None:
            return
        self._timers.stop()
        with self._lock:
            self._shutdown_event.set()
            self._wake_streams()
        super().stop(grace)
        self._release_waiters()
        self._pool.shutdown()
        self._pool = None

    def reset(self) -> None:
        """Forget all instances, timers and counts. Streams stay connected."""
        with self._lock:
            self._release_waiters()
            super().reset()  # type: ignore[no-untyped-call]  # the SDK leaves it unannotated
            self._timers.clear()
            self.stats.clear()

    def _wake_streams(self) -> None:
        """Seam: there may be work, or reason to end."""

    def _release_waiters(self) -> None:
        with self._lock:
            for waiter in (waiter for waiters in self._state_waiters.values() for waiter in waiters):
                waiter.event.set()
            self._state_waiters.clear()
