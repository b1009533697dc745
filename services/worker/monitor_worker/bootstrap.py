"""The composition root: builds everything the worker is made of; fakes come in as arguments."""

import logging
from collections.abc import Callable, Mapping

from monitor_core import channels, scheduler
from monitor_core.contract import ACTIVITY, DELIVER, EXPLAIN, LOOK, NOTIFY, ORCHESTRATOR, TELL
from monitor_core.scheduler import DrainingWorker
from monitor_core.settings import WorkerSettings
from monitor_worker.activities import Means, look_activity, poll_activity
from monitor_worker.attempts import Attempts
from monitor_worker.checks.masking import Masker
from monitor_worker.checks.registry import ChannelRegistry, Registry
from monitor_worker.clock import SystemClock
from monitor_worker.delivering import notify_orchestrator, tell
from monitor_worker.equipment import resources_of
from monitor_worker.evaluator import Evaluator
from monitor_worker.explaining import explain_orchestrator
from monitor_worker.host import HealthServer, end_after
from monitor_worker.journal import journal_in
from monitor_worker.loop import LoopThread, ask
from monitor_worker.observer import Observer
from monitor_worker.orchestrator import Deployment
from monitor_worker.quarantine import Quarantine
from monitor_worker.slots import Slots
from monitor_worker.versions import LOOPS, Loop, monitor_orchestrator

_log = logging.getLogger(__name__)


class Worker:
    """A worker that can be started and stopped.

    Args:
        settings: what the environment says.
        masker: is told every secret, so that whoever logs can hide it.
        loops: version to loop, the newest last.
        register: adds orchestrators and activities of your own to it: one worker for both.
        clock: the worker's time.
        last_words: done before the process ends because its drain hangs.
    """

    def __init__(
        self,
        settings: WorkerSettings,
        masker: Masker | None = None,
        *,
        loops: Mapping[str, Loop] = LOOPS,
        register: Callable[[DrainingWorker], None] = lambda _: None,
        clock: SystemClock | None = None,
        last_words: Callable[[], object] = lambda: None,
    ) -> None:
        self._settings, self._last_words = settings, last_words
        self._clock = clock or SystemClock()
        self._loop = LoopThread()
        masker = masker or Masker()
        self._resources = resources_of(settings, masker)
        self._checks = Registry(settings.kinds, self._resources)
        self._channels = ChannelRegistry(channels.BUILT_IN, self._resources)
        self._engine = scheduler.build_worker(
            settings.scheduler,
            max_activities=settings.max_activities,
            max_orchestrations=settings.max_orchestrations,
            traces=settings.telemetry.sends_any("traces"),
        )
        self._health = HealthServer(settings.health_host, settings.health_port, self._is_alive, self._is_ready)
        self._observer = Observer(settings.kinds, masker)
        self._journal = journal_in(settings.journal)
        self._evaluator = Evaluator()
        self._register(loops, masker)
        register(self._engine)
        scheduler.take_only_what_is_registered(self._engine, versions=list(loops))

    def _register(self, loops: Mapping[str, Loop], masker: Masker) -> None:
        # The SDK registers by the function's own name, which the contract fixes.
        kinds = self._settings.kinds
        means = self._means(masker)
        deployment = Deployment(kinds=kinds, tell=self._observer.tell)
        names = (
            self._engine.add_orchestrator(monitor_orchestrator(loops, deployment)),
            self._engine.add_orchestrator(explain_orchestrator(kinds)),
            self._engine.add_activity(poll_activity(means)),
            self._engine.add_activity(look_activity(means)),
            self._engine.add_orchestrator(tell),
            self._engine.add_orchestrator(notify_orchestrator()),
            self._engine.add_activity(self._attempts(masker).activity()),
        )
        if names != (ORCHESTRATOR, EXPLAIN, ACTIVITY, LOOK, TELL, NOTIFY, DELIVER):
            raise AssertionError(f"registered is {names}, which is not what the contract says")

    def _means(self, masker: Masker) -> Means:
        return Means(
            registry=self._checks,
            ask=ask,
            evaluate=self._evaluator.holds,
            run=self._loop.run,
            clock=self._clock,
            slots=Slots(self._settings.max_activities),
            mask=masker,
            observer=self._observer,
            quarantine=Quarantine(self._journal, self._clock),
        )

    def _attempts(self, masker: Masker) -> Attempts:
        where = self._settings.scheduler
        return Attempts(
            self._channels,
            self._loop.hand_over,
            mask=masker,
            observer=self._observer,
            source=f"{where.endpoint.rstrip('/')}/taskhubs/{where.taskhub}",
            pages=self._settings.pages,
        )

    def start(self) -> None:
        """Listen for probes, then for work.

        Raises:
            OSError: the health port is taken.
        """
        self._loop.start()
        address = self._loop.run(self._health.start())
        self._engine.start()
        scheduler_settings = self._settings.scheduler
        _log.info("Worker for %s, hub %s", scheduler_settings.endpoint, scheduler_settings.taskhub)
        _log.info("Health on %s/healthz and /readyz", address)

    def stop(self) -> None:
        """Drain: turns come back after their check under way; then stop, within `drain_seconds`."""
        _log.info("Draining")
        began = self._clock.monotonic()
        watchdog = end_after(self._settings.drain_seconds, self._last_words)
        self._clock.drain()
        self._engine.drain()
        self._observer.drained(self._clock.monotonic() - began)
        self._loop.run(self._checks.close())
        self._loop.run(self._channels.close())
        self._loop.run(self._resources.close())
        self._loop.run(self._evaluator.close())
        self._loop.run(self._health.stop())
        self._loop.stop()
        if self._journal is not None:
            self._journal.close()
        watchdog.cancel()
        _log.info("Stopped")

    def _is_alive(self) -> bool:
        return scheduler.is_running(self._engine)

    def _is_ready(self) -> bool:
        return not self._clock.is_draining and scheduler.is_connected(self._engine)
