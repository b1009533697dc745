"""What a report and a command change, as pure functions: counters never fall, old turns never decide."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from monitor_core.contract import (
    Cancel,
    CheckError,
    CheckNow,
    Complete,
    DecidedBy,
    Decision,
    ErrorClass,
    MonitorInput,
    ObservationSummary,
    Progress,
    Schedule,
    Transition,
    TurnEnd,
    TurnReport,
    Verdict,
)
from monitor_core.schedule import due
from monitor_worker import commands, policy, reports
from monitor_worker.policy import Monitor
from support import strategies as some
from support.strategies import examples
from support.virtual import START, request

RUN, REVISION, TURN = "run-1", 2, 9
KEY = "monitor-job-1"


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def monitor(progress: dict[str, Any] | None = None, **fields: Any) -> Monitor:
    """A monitor whose turn 9 of revision 2 is out; its deadline is at 100 s."""
    known: dict[str, Any] = {
        "started_at": START,
        "deadline": at(100),
        "schedule": Schedule(anchor=START, k=4),
        "revision": REVISION,
        "turn": TURN,
        "prompt": False,
        "checks_performed": 8,
        "last_check_at": at(15),
    }
    return Monitor(request(**fields), RUN, KEY, Progress(**known | (progress or {})))


def report(**fields: Any) -> TurnReport:
    """The report of the turn that is out: one check at 20 s."""
    known: dict[str, Any] = {
        "run": RUN,
        "revision": REVISION,
        "turn": TURN,
        "ended_by": TurnEnd.OVER,
        "checks": 1,
        "last_check_at": at(20),
        "schedule": Schedule(anchor=START, k=5),
    }
    return TurnReport(**known | fields)


def seen(status: str = "Running", **says: bool) -> ObservationSummary:
    return ObservationSummary(at=at(20), status=status, latency_seconds=0.1, **says)


def wrong(error_class: ErrorClass = ErrorClass.TRANSIENT, message: str = "HTTP 503") -> CheckError:
    return CheckError(error_class=error_class, message=message, at=at(20))


def decided(told: TurnReport, at_second: float = 20, **given: Any) -> Decision | None:
    return reports.absorb(monitor(**given), told, at(at_second)).decision


def test_a_report_is_taken_in() -> None:
    told = report(checks=3, observation=seen("Waiting"), consecutive_successes=0)
    after = reports.absorb(monitor({"prompt": True, "error": wrong(), "consecutive_errors": 2}), told, at(20))
    progress = after.progress
    assert (progress.checks_performed, progress.last_check_at) == (11, at(20))
    assert (progress.schedule, progress.prompt) == (Schedule(anchor=START, k=5), False)
    assert (progress.observation, progress.error, progress.consecutive_errors) == (seen("Waiting"), None, 0)
    assert progress.transitions == (Transition(at=at(20), status="Waiting"),)
    assert after.decision is None


def test_an_untouched_turn_that_a_draining_worker_gave_back_changes_nothing() -> None:
    before = monitor({"prompt": True, "error": wrong(), "consecutive_errors": 2, "consecutive_successes": 1})
    told = report(
        ended_by=TurnEnd.DRAIN,
        checks=0,
        last_check_at=None,
        schedule=before.progress.schedule,
        consecutive_successes=1,
    )
    assert reports.absorb(before, told, at(20)) == before


def test_a_turn_that_was_left_for_later_is_due_later_by_our_clock_and_keeps_its_number() -> None:
    before = monitor({})
    told = report(ended_by=TurnEnd.OVER, checks=0, last_check_at=None, put_off_seconds=7.5)
    polling, schedule = before.request.polling, reports.absorb(before, told, at(20)).progress.schedule
    assert due(polling, before.key, schedule) == at(27.5)
    assert schedule.k == before.progress.schedule.k
    early = reports.absorb(before, told, at(-20)).progress.schedule
    assert due(polling, before.key, early) == policy.next_due(before), "it does not come forward"


@pytest.mark.parametrize(("checks", "before", "after"), [(1, 0, 1), (1, 2, 3), (0, 2, 3), (2, 2, 1), (9, 0, 1)])
def test_errors_in_a_row_are_counted_over_turns(checks: int, before: int, after: int) -> None:
    told = report(checks=checks, error=wrong(), ended_by=TurnEnd.ERROR)
    found = reports.absorb(monitor({"consecutive_errors": before}), told, at(20)).progress
    assert (found.consecutive_errors, found.error) == (after, wrong())


def test_the_last_observation_stays_through_an_error() -> None:
    before = monitor({"observation": seen("Running")})
    assert reports.absorb(before, report(error=wrong()), at(20)).progress.observation == seen("Running")


def test_only_a_change_of_status_is_a_transition_and_the_last_ten_are_kept() -> None:
    state = monitor()
    for n, status in enumerate("AABBCDEFGHIJKLLM"):
        observation = ObservationSummary(at=at(n), status=status, latency_seconds=0)
        told = report(last_check_at=at(n), observation=observation)
        state = reports.absorb(state, told, at(n))
    assert [transition.status for transition in state.progress.transitions] == list("DEFGHIJKLM")
    assert state.progress.transitions[-2] == Transition(at=at(13), status="L")


@pytest.mark.parametrize(
    ("told", "given", "verdict", "reason"),
    [
        (
            report(observation=seen("Done", success=True), consecutive_successes=1),
            {},
            "Completed",
            "observed Done",
        ),
        (report(observation=seen("Bad", failure=True)), {}, "Failed", "the failure condition holds: observed Bad"),
        (report(error=wrong(ErrorClass.PERMANENT, "HTTP 403")), {}, "Error", "HTTP 403"),
        (report(error=wrong(ErrorClass.MISCONFIGURED, "no such kind")), {}, "Error", "no such kind"),
        (
            report(error=wrong()),
            {"progress": {"consecutive_errors": 3}},
            "Error",
            "4 errors in a row, the last: HTTP 503",
        ),
        (report(error=wrong()), {"tolerance": {"consecutive_errors": 0}}, "Error", "1 error in a row, the last"),
        (report(observation=seen(), final=True), {}, "Timeout", "the last check: observed Running"),
        (report(error=wrong(), final=True), {}, "Timeout", "the last check: HTTP 503"),
        (report(final=True), {}, "Timeout", "the last check: nothing observed"),
    ],
)
def test_each_verdict_has_its_reason(told: TurnReport, given: dict[str, Any], verdict: str, reason: str) -> None:
    decision = decided(told, 100, **given)
    assert decision is not None
    assert (decision.verdict, decision.decided_by) == (
        verdict,
        DecidedBy.DEADLINE if verdict == "Timeout" else DecidedBy.POLL,
    )
    assert reason in decision.reason


@pytest.mark.parametrize(
    ("told", "given"),
    [
        (report(observation=seen()), {}),
        (report(observation=seen(success=False, failure=False)), {}),
        (
            report(observation=seen(success=True), consecutive_successes=2),
            {"tolerance": {"consecutive_successes": 3}},
        ),
        (report(error=wrong()), {"progress": {"consecutive_errors": 2}}),
        (report(error=wrong(), checks=2), {"progress": {"consecutive_errors": 3}}),
    ],
)
def test_otherwise_the_wait_goes_on(told: TurnReport, given: dict[str, Any]) -> None:
    assert decided(told, **given) is None


@pytest.mark.parametrize(
    ("instead", "verdict"),
    [
        ({}, "Failed"),
        ({"observation": seen(success=True)}, "Completed"),
        ({"observation": None}, "Error"),
        ({"observation": None, "error": wrong()}, "Timeout"),
    ],
)
def test_the_first_rule_that_applies_decides(instead: dict[str, Any], verdict: str) -> None:
    all_at_once: dict[str, Any] = {
        "observation": seen(success=True, failure=True),
        "consecutive_successes": 1,
        "error": wrong(ErrorClass.PERMANENT),
        "final": True,
    }
    decision = decided(report(**all_at_once | instead), 100)
    assert decision is not None
    assert decision.verdict == verdict


def test_too_many_errors_in_a_row_come_before_the_time_out() -> None:
    decision = decided(report(error=wrong(), final=True), 100, progress={"consecutive_errors": 3})
    assert decision is not None
    assert decision.verdict is Verdict.ERROR


def test_only_the_orchestrator_s_clock_declares_a_time_out() -> None:
    told = report(observation=seen(), final=True)
    assert decided(told, 99.9) is None
    assert decided(told, 100) is not None


def test_a_deadline_that_passed_is_no_time_out_before_the_last_check() -> None:
    assert decided(report(observation=seen(), final=False), 500) is None


def test_the_last_check_may_complete_after_the_deadline() -> None:
    told = report(observation=seen(success=True), consecutive_successes=1, final=True)
    decision = decided(told, 105)
    assert decision is not None
    assert decision.verdict is Verdict.COMPLETED


def test_only_the_turn_that_is_out_decides() -> None:
    told = report(turn=TURN - 1, observation=seen("Bad", failure=True), final=True)
    after = reports.absorb(monitor(), told, at(100))
    assert (after.decision, after.progress.observation) == (None, None)
    assert (after.progress.checks_performed, after.progress.last_check_at) == (9, at(20))


def test_a_turn_whose_activity_failed_is_a_passing_error_and_no_check() -> None:
    state = monitor()
    turn = policy._turn(state)
    lost = reports.lost_turn(state, turn, "the worker died" * 200, at(20.5))
    assert (lost.run, lost.revision, lost.turn, lost.checks) == (turn.run, turn.revision, turn.turn, 0)
    assert lost.error is not None
    assert (lost.error.error_class, len(lost.error.message)) == (ErrorClass.TRANSIENT, 1000)
    assert due(turn.polling, KEY, lost.schedule) > at(20.5), "it is not tried again in the same breath"
    assert lost.final is False
    assert reports.lost_turn(state, turn, "", at(100)).final is False, "the last check is still to be made"
    last = turn.model_copy(update={"schedule": Schedule(anchor=turn.deadline)})
    assert reports.lost_turn(state, last, "", at(100)).final is True


now = st.integers(0, 200_000).map(lambda n: at(n / 1000))
requests = st.builds(
    lambda tolerance, timeout: request(tolerance=tolerance.model_dump(), timeout_seconds=timeout),
    some.tolerances,
    st.integers(0, 100),
)
monitors = st.builds(Monitor, requests, st.just(RUN), st.just(KEY), some.progresses)


def matching(state: Monitor) -> st.SearchStrategy[TurnReport]:
    progress = state.progress
    return some.reports(run=st.just(RUN), revision=st.just(progress.revision), turn=st.just(progress.turn))


@given(monitors, some.reports(), now)
@examples(80)
def test_a_report_of_another_run_changes_nothing(state: Monitor, told: TurnReport, moment: datetime) -> None:
    assume(told.run != RUN)
    assert reports.absorb(state, told, moment) is state


@given(monitors, some.reports(run=st.just(RUN)), now)
@examples(80)
def test_a_report_of_another_turn_counts_its_checks_and_no_more(
    state: Monitor, told: TurnReport, moment: datetime
) -> None:
    assume(told.turn != state.progress.turn)
    after = reports.absorb(state, told, moment)
    assert after.decision is state.decision
    assert after.progress.checks_performed == state.progress.checks_performed + told.checks
    same = {"checks_performed": state.progress.checks_performed, "last_check_at": state.progress.last_check_at}
    assert after.progress.with_(**same) == state.progress


@given(monitors, st.data(), now)
@examples(80)
def test_a_report_never_lets_a_counter_fall_or_a_list_grow_without_end(
    state: Monitor, data: st.DataObject, moment: datetime
) -> None:
    told = data.draw(matching(state))
    before, after = state.progress, reports.absorb(state, told, moment).progress
    assert after.checks_performed == before.checks_performed + told.checks
    assert after.last_check_at is not None or (before.last_check_at is None and told.last_check_at is None)
    assert before.last_check_at is None or (after.last_check_at or moment) >= before.last_check_at
    assert (after.turn, after.revision, after.deadline) == (before.turn, before.revision, before.deadline)
    assert 0 <= after.consecutive_errors <= before.consecutive_errors + 1
    assert len(after.transitions) <= max(reports.KEPT_TRANSITIONS, len(before.transitions))


@given(monitors, st.data(), now)
@examples(120)
def test_a_verdict_has_its_evidence(state: Monitor, data: st.DataObject, moment: datetime) -> None:
    told = data.draw(matching(state))
    after = reports.absorb(state, told, moment)
    match after.decision and after.decision.verdict:
        case Verdict.FAILED:
            assert told.observation is not None
            assert told.observation.failure is True
        case Verdict.COMPLETED:
            assert told.observation is not None
            assert told.observation.success is True
        case Verdict.ERROR:
            assert told.error is not None
        case Verdict.TIMEOUT:
            last_was_due = due(state.request.polling, KEY, state.progress.schedule) >= state.progress.deadline
            assert told.final or (told.checks > 0 and last_was_due)
            assert moment >= state.progress.deadline
        case other:
            assert other is None


# Commands


def test_cancel_ends_the_monitor_and_says_who_and_why() -> None:
    after = commands.apply(monitor(), Cancel(id="c1", reason="not needed"), at(5))
    assert after.decision == Decision(
        verdict=Verdict.CANCELLED, decided_by=DecidedBy.OPERATOR, reason="cancelled by an operator: not needed"
    )
    outcome = after.progress.commands[-1]
    assert (outcome.id, outcome.name, outcome.accepted, outcome.at) == ("c1", "cancel", True, at(5))
    silent = commands.apply(monitor(), Cancel(id="c1"), at(5)).decision
    assert silent is not None
    assert silent.reason == "cancelled by an operator"


def test_a_push_that_is_meant_for_another_run_decides_nothing() -> None:
    other = commands.apply(monitor(), Complete(id="c1", if_run="run-0"), at(5))
    assert other.decision is None
    assert "another run" in other.progress.commands[-1].message
    mine = commands.apply(monitor(), Complete(id="c1", if_run=RUN), at(5)).decision
    assert mine is not None
    assert (mine.verdict, mine.decided_by) == (Verdict.COMPLETED, DecidedBy.PUSH)


def test_check_now_starts_the_schedule_anew_and_overtakes_the_turn_that_is_out() -> None:
    state = monitor()
    after = commands.apply(state, CheckNow(id="c1"), at(5)).progress
    assert (after.schedule, after.prompt) == (Schedule(anchor=at(5)), True)
    assert after.turn > state.progress.turn
    late = report(observation=seen("Bad", failure=True))
    assert reports.absorb(replace(state, progress=after), late, at(6)).decision is None


def test_check_now_leaves_the_deadline_and_the_revision() -> None:
    after = commands.apply(monitor(), CheckNow(id="c1"), at(5)).progress
    assert (after.deadline, after.revision) == (at(100), REVISION)


@given(monitors, some.commands(), now, now)
@examples(80)
def test_a_command_sent_twice_is_applied_once(
    state: Monitor, command: Cancel | CheckNow, first: datetime, second: datetime
) -> None:
    once = commands.apply(state, command, first)
    assert commands.apply(once, command, second) == once
    undecided = replace(once, decision=None)
    assert commands.apply(undecided, command, second) == undecided, "known by its id, not by what it did"


@given(monitors, some.commands(), now)
@examples(50)
def test_after_a_verdict_no_command_changes_anything(
    state: Monitor, command: Cancel | CheckNow, moment: datetime
) -> None:
    over = replace(state, decision=Decision(verdict=Verdict.TIMEOUT, decided_by=DecidedBy.DEADLINE, reason=""))
    assert commands.apply(over, command, moment) is over


def test_the_last_32_outcomes_are_kept() -> None:
    state = monitor()
    for n in range(50):
        state = commands.apply(state, CheckNow(id=f"c{n}"), at(n))
    assert [outcome.id for outcome in state.progress.commands] == [f"c{n}" for n in range(18, 50)]
    for n in range(50):
        state = commands.reject(state, f"r{n}", "explode", "x" * 5000, at(n))
    assert [outcome.id for outcome in state.progress.commands] == [f"r{n}" for n in range(18, 50)]


@given(monitors, st.text(max_size=64), st.text(max_size=64), st.text(), now)
@examples(80)
def test_what_is_no_command_is_on_record_and_changes_nothing_else(
    state: Monitor, command_id: str, name: str, why: str, moment: datetime
) -> None:
    after = commands.reject(state, command_id, name, why, moment)
    if command_id:
        assert commands.reject(after, command_id, name, why, moment) is after, "once"
    if after is state:
        return
    outcome = after.progress.commands[-1]
    assert (outcome.id, outcome.name, outcome.accepted) == (command_id, name, False)
    assert why.startswith(outcome.message)
    assert after.progress.with_(commands=state.progress.commands) == state.progress
    assert after.decision is state.decision


steps = st.lists(
    some.commands() | some.reports(run=st.sampled_from([RUN, "run-2"])) | st.just("turn"), max_size=40
)


@given(steps)
@examples(80)
def test_whatever_comes_in_whatever_order_the_counters_only_rise(happenings: list[Any]) -> None:
    state = policy.begin(MonitorInput(request=request(), run=RUN), KEY, START)
    for n, happens in enumerate(happenings):
        before, moment = state.progress, at(n)
        match happens:
            case TurnReport():
                told = happens.model_copy(update={"revision": 0, "turn": before.turn - n % 2})
                state = reports.absorb(state, told, moment)
            case "turn":
                state = policy.started(state, policy._turn(state))
            case command:
                state = commands.apply(state, command, moment)
        after = state.progress
        assert after.checks_performed >= before.checks_performed
        assert after.turn >= before.turn
        assert (
            after.last_check_at is None
            or before.last_check_at is None
            or after.last_check_at >= before.last_check_at
        )
        assert len(after.commands) <= commands.KEPT_COMMANDS
        assert len(after.transitions) <= reports.KEPT_TRANSITIONS


def test_a_worker_whose_clock_is_an_hour_ahead_does_not_put_the_next_check_off() -> None:
    by_it = report(last_check_at=at(3620), schedule=Schedule(anchor=START, k=725), observation=seen())
    after = reports.absorb(monitor(), by_it, at(20.5))
    assert policy.next_due(after) == at(25), "the next tick by the schedule that the turn began with"
    late = reports.absorb(monitor(), by_it, at(52))
    assert policy.next_due(late) == at(55), "missed ticks are skipped"


def test_a_retry_after_is_kept_though_the_worker_s_clock_is_an_hour_ahead() -> None:
    asked = report(last_check_at=at(3620), schedule=Schedule(anchor=at(3650)), observation=seen())
    assert policy.next_due(reports.absorb(monitor(), asked, at(20))) == at(50)


def test_a_turn_that_is_left_for_later_moves_the_next_check_and_counts_none() -> None:
    later = Schedule(anchor=at(28))
    after = reports.absorb(monitor(), report(checks=0, last_check_at=None, schedule=later), at(23))
    assert (policy.next_due(after), after.progress.checks_performed) == (at(28), 8)
    assert after.decision is None


def test_nothing_is_dated_later_than_now_though_the_worker_s_clock_is_an_hour_ahead() -> None:
    ahead = at(20 + 3600)
    told = report(last_check_at=ahead, observation=seen("New").model_copy(update={"at": ahead}))
    after = reports.absorb(monitor(), told, at(20)).progress
    assert (after.last_check_at, after.transitions[-1].at) == (at(20), at(20))
    assert after.observation is not None
    assert after.observation.at == at(20)
    failed = report(last_check_at=ahead, error=wrong().model_copy(update={"at": ahead}))
    error = reports.absorb(monitor(), failed, at(20)).progress.error
    assert error is not None
    assert error.at == at(20)
    overtaken = reports.absorb(monitor(), told.model_copy(update={"turn": 99}), at(20)).progress
    assert overtaken.last_check_at == at(20)


def test_clocks_that_differ_by_little_are_left_alone() -> None:
    by_it = report(last_check_at=at(23), observation=seen())
    assert reports.absorb(monitor(), by_it, at(20)).progress.schedule == by_it.schedule


def test_a_worker_to_whose_clock_the_deadline_has_not_come_makes_the_last_check_all_the_same() -> None:
    last = monitor({"schedule": Schedule(anchor=START, k=20)})  # due at 100 s, the deadline
    behind = report(last_check_at=at(-3500), schedule=Schedule(anchor=START, k=21), observation=seen())
    decided = reports.absorb(last, behind, at(100.5)).decision
    assert decided is not None
    assert decided.verdict is Verdict.TIMEOUT
    assert reports.absorb(last, report(checks=0, last_check_at=None), at(100.5)).decision is None, "none was made"
    assert reports.absorb(monitor(), behind, at(100.5)).decision is None, "it was not the last one's turn"
