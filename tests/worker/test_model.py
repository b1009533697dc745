"""Policy and orchestrator against a small model, over any interleaving of what can happen to a monitor.

Reports come in any order, late, of another run, or not at all; commands come twice, at any time, or are nonsense;
time passes. The model keeps only what must hold whatever happens.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from monitor_core import pace
from monitor_core.contract import (
    CheckError,
    ErrorClass,
    ObservationSummary,
    Schedule,
    Turn,
    TurnEnd,
    TurnReport,
)
from monitor_core.schedule import advance
from support.manual import ManualEngine
from support.virtual import START, request

TOLERATED = 5
# Weighted so that most monitors live long enough for something to happen to them.
STATUSES = st.sampled_from(["Queued", "Running", "Running", "Succeeded", "Running", "Queued", "Failed"])
ERRORS = st.sampled_from([*[ErrorClass.TRANSIENT] * 8, ErrorClass.PERMANENT, ErrorClass.MISCONFIGURED])
TICKS = st.floats(0, 20, allow_nan=False)


def parsed(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


class MonitorModel(RuleBasedStateMachine):
    """One monitor, and what must be true of it."""

    @initialize(
        interval=st.sampled_from([0.5, 3, 5, 20]),
        timeout=st.sampled_from([0, 10, 60, 7200]),
        turn_seconds=st.sampled_from(["auto", 0, 30]),
    )
    def begin(self, interval: float, timeout: float, turn_seconds: Any) -> None:
        asked = request(
            polling={"interval_seconds": interval, "turn_seconds": turn_seconds},
            timeout_seconds=timeout,
            tolerance={"consecutive_errors": TOLERATED, "consecutive_successes": 2},
        )
        self.engine = ManualEngine(asked)
        self.deadline = START + timedelta(seconds=timeout)
        self.sent: dict[str, dict[str, Any]] = {}
        self.checks = 0
        self.paused_at: datetime | None = None
        self.heard: dict[str, bool] = {}
        self.read = 0
        self.overtaken: set[int] = set()

    # What can happen

    @precondition(lambda self: self.engine.flights)
    @rule(which=st.integers(0, 5), status=STATUSES, checks=st.integers(1, 4), took=TICKS)
    def a_turn_reports_an_observation(self, which: int, status: str, checks: int, took: float) -> None:
        index, turn = self._flight(which)
        self._pass(took)
        seen = ObservationSummary(
            at=self.engine.now,
            status=status,
            latency_seconds=0,
            success=status == "Succeeded",
            failure=status == "Failed",
        )
        successes = turn.consecutive_successes + 1 if status == "Succeeded" else 0
        self._land(index, turn, checks=checks, observation=seen, consecutive_successes=successes)

    @precondition(lambda self: self.engine.flights)
    @rule(which=st.integers(0, 5), kind=ERRORS, took=TICKS)
    def a_turn_reports_an_error(self, which: int, kind: ErrorClass, took: float) -> None:
        index, turn = self._flight(which)
        self._pass(took)
        error = CheckError(error_class=kind, message="broken", at=self.engine.now)
        self._land(index, turn, checks=1, error=error)

    @precondition(lambda self: self.engine.flights)
    @rule(which=st.integers(0, 5))
    def a_drained_worker_gives_a_turn_back(self, which: int) -> None:
        index, turn = self._flight(which)
        self._land(index, turn, checks=0)

    @precondition(lambda self: self.engine.flights)
    @rule(which=st.integers(0, 5), status=STATUSES)
    def a_late_result_of_an_earlier_run_takes_a_turn_s_place(self, which: int, status: str) -> None:
        index, turn = self._flight(which)
        seen = ObservationSummary(at=self.engine.now, status=status, latency_seconds=0, success=True, failure=True)
        before = self._status
        self._land(index, turn, run="an-earlier-run", checks=3, observation=seen, counts=False)
        if self.engine.result is None:
            assert self._status["observed"] == before["observed"]

    @precondition(lambda self: self.engine.flights)
    @rule(which=st.integers(0, 5))
    def an_activity_fails(self, which: int) -> None:
        index, _ = self._flight(which)
        self.engine.lose(index)

    @rule(seconds=st.one_of(TICKS, st.sampled_from([60, 3600, 8000])))
    def time_passes(self, seconds: float) -> None:
        self._pass(seconds)

    COMMANDS: ClassVar = st.one_of(
        st.fixed_dictionaries({"name": st.just("check_now")}),
        st.fixed_dictionaries({"name": st.just("pause"), "deadline": st.sampled_from(["runs", "stops"])}),
        st.fixed_dictionaries({"name": st.just("resume")}),
        st.fixed_dictionaries({"name": st.just("extend"), "seconds": st.integers(1, 100)}),
        st.fixed_dictionaries({"name": st.just("edit"), "interval_seconds": st.sampled_from([1, 7])}),
        st.fixed_dictionaries({"name": st.just("nonsense")}),
    )

    @rule(payload=COMMANDS)
    def a_command_comes(self, payload: dict[str, Any]) -> None:
        self._send({**payload, "id": f"c{len(self.sent)}"})

    @rule(payloads=st.lists(COMMANDS, min_size=2, max_size=4))
    def commands_come_in_one_batch(self, payloads: list[dict[str, Any]]) -> None:
        if self.engine.result is None:
            batch = [{**payload, "id": f"c{len(self.sent) + n}"} for n, payload in enumerate(payloads)]
            self.sent.update({payload["id"]: payload for payload in batch})
            out = {turn.turn for _, turn in self.engine.flights}
            self.engine.batch(batch)
            for payload in batch:
                self._take_effect(payload, out)

    @precondition(lambda self: len(self.engine.turns) > 10)
    @rule(payload=st.sampled_from([{"name": "cancel"}, {"name": "complete"}]))
    def a_command_ends_it(self, payload: dict[str, Any]) -> None:
        self._send({**payload, "id": f"c{len(self.sent)}"})
        assert self.engine.result is not None

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def a_command_comes_again(self, data: st.DataObject) -> None:
        again = data.draw(st.sampled_from(list(self.sent)[-20:]))
        before, ended = self._status, self.engine.result
        self.engine.command(self.sent[again])
        if ended is None:
            assert self.engine.result is None
            assert self._status["revision"] == before["revision"]
            assert self._status["deadline"] == before["deadline"]

    # What must hold

    @invariant()
    def every_command_is_heard_once(self) -> None:
        if not hasattr(self, "engine"):
            return
        self._hear()
        if self.engine.result is None:
            assert set(self.heard) == set(self.sent)

    @invariant()
    def the_deadline_is_where_the_commands_put_it(self) -> None:
        if hasattr(self, "engine"):
            assert parsed(self._status["deadline"]) == self.deadline

    @invariant()
    def checks_are_counted_whoever_reports_them(self) -> None:
        if hasattr(self, "engine") and self.engine.result is None:
            assert self._status["check_count"] == self.checks

    @invariant()
    def a_running_monitor_waits_for_something(self) -> None:
        if not hasattr(self, "engine") or self.engine.result is not None or self._status["paused"]:
            return
        out = {turn.turn for _, turn in self.engine.flights} - self.overtaken
        timers = [at for at, _, _ in self.engine._events if at >= self.engine.now]
        # A full history takes no further turn before those that were overtaken are back.
        full = (
            self.engine.turns_here >= pace.TURNS_PER_GENERATION or self.engine.wakes >= pace.WAKES_PER_GENERATION
        )
        awaits = full and self.engine.flights
        assert out or timers or awaits, "no turn is out and no timer runs"
        assert out or awaits or min(timers) <= max(self.deadline, self.engine.now), "it sleeps past its deadline"
        assert len(out) <= 1, "two turns are under way"

    @invariant()
    def no_timeout_before_the_deadline(self) -> None:
        result = self.engine.result if hasattr(self, "engine") else None
        if result is not None and result["final_status"] == "Timeout":
            assert parsed(result["ended_at"]) >= self.deadline

    @invariant()
    def history_is_bounded(self) -> None:
        if hasattr(self, "engine") and self.engine.result is None and not self.engine.flights:
            assert self.engine.wakes <= pace.WAKES_PER_GENERATION, "it should have continued as new"

    # The model's hands

    @property
    def _status(self) -> dict[str, Any]:
        return self.engine.statuses[-1]

    def _flight(self, which: int) -> tuple[int, Turn]:
        index = which % len(self.engine.flights)
        return index, self.engine.flights[index][1]

    def _pass(self, seconds: float) -> None:
        self.engine.pass_time(seconds)

    def _land(self, index: int, turn: Turn, *, counts: bool = True, **report: Any) -> None:
        if self.engine.result is not None or index >= len(self.engine.flights):
            return
        if self.engine.flights[index][1] is not turn:
            return
        if counts:
            self.checks += report["checks"]
        schedule: Schedule = advance(turn.polling, "key", turn.schedule, self.engine.now)
        fields: dict[str, Any] = {
            "run": turn.run,
            "revision": turn.revision,
            "turn": turn.turn,
            "ended_by": TurnEnd.OVER,
            "last_check_at": self.engine.now if report["checks"] else None,
            "schedule": schedule if report["checks"] else turn.schedule,
            "final": bool(report["checks"]) and self.engine.now >= turn.deadline,
        }
        self.engine.land(index, TurnReport(**{**fields, **report}))
        if turn.turn in self.overtaken or not counts:
            assert self.engine.result is None, "a turn that was overtaken has decided"

    def _send(self, payload: dict[str, Any]) -> None:
        if self.engine.result is not None:
            return
        self.sent[payload["id"]] = payload
        out = {turn.turn for _, turn in self.engine.flights}
        self.engine.command(payload)
        self._take_effect(payload, out)

    def _take_effect(self, payload: dict[str, Any], out: set[int]) -> None:
        """What a command changes, where it was accepted."""
        self._hear()
        if not self.heard.get(payload["id"]):
            return
        if payload["name"] != "extend":
            self.overtaken |= out
        match payload["name"]:
            case "extend":
                self.deadline += timedelta(seconds=payload["seconds"])
            case "pause":
                self.paused_at = self.engine.now if payload["deadline"] == "stops" else None
            case "resume" if self.paused_at is not None:
                self.deadline += self.engine.now - self.paused_at
                self.paused_at = None

    def _hear(self) -> None:
        """Take in the outcomes that the statuses have shown since the last look."""
        for status in self.engine.statuses[self.read :]:
            for outcome in status["commands"]:
                known = self.heard.setdefault(outcome["id"], outcome["accepted"])
                assert known == outcome["accepted"], "a command has one outcome"
        self.read = len(self.engine.statuses)


# A planted bug is to be found for sure (the rarest shows in the 122nd example); the right code is tried anew at
# every run.
EXAMPLES = 400 if settings.get_current_profile_name() == "planted" else 40
TestMonitorModel = MonitorModel.TestCase
TestMonitorModel.settings = settings(
    max_examples=EXAMPLES, stateful_step_count=60, suppress_health_check=list(HealthCheck)
)
