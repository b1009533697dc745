"""The orchestration `explain`: one check, and the verdict that it would bring, by the monitor's own rules.

It starts no monitor and keeps no state. Everything in it is a function of the history.
"""

from datetime import timedelta
from functools import partial
from typing import Any, Final

from durabletask.task import CompletableTask, OrchestrationContext, when_any

from monitor_core.contract import EXPLAIN, LOOK, Evidence, Explanation, Turn
from monitor_core.kinds import BUILT_IN
from monitor_core.kinds.base import Kinds
from monitor_worker import policy, reports
from monitor_worker.orchestrator import Orchestrator, Wait, clock_of, landed, read_input
from monitor_worker.policy import Generation, Monitor, StartTurn

_NO_TURN: Final[frozenset[int]] = frozenset()


def explain_orchestrator(kinds: Kinds = BUILT_IN) -> Orchestrator:
    """The orchestrator `explain` of a deployment with these kinds."""

    def explain(ctx: OrchestrationContext, given: Any) -> Wait:
        return explanation(ctx, given, kinds)

    explain.__name__ = EXPLAIN  # the SDK registers by the function's own name
    return explain


def explanation(ctx: OrchestrationContext, given: Any, kinds: Kinds) -> Wait:
    """What the first check of a monitor would see, and come to.

    Args:
        ctx: the engine.
        given: as a monitor's own input: a `MonitorInput` without progress, or a bare request, as JSON data.
        kinds: what a bare request may check.

    Returns:
        An `Explanation` as JSON data.

    Raises:
        RequestError: `given` is neither.
    """
    # One that was given up before a worker took it is terminated in its first breath, and what it has scheduled by
    # then is done all the same: a timer does no harm, a check that nobody waits for might.
    yield ctx.create_timer(clock_of(ctx))
    monitor = policy.begin(read_input(ctx, given, kinds), ctx.instance_id, clock_of(ctx))
    while True:
        monitor, turn = _first_turn(monitor, ctx)
        task: CompletableTask[Any] = ctx.call_activity(LOOK, input=turn.model_dump(mode="json"))
        yield when_any([task])
        evidence = landed(task, Evidence, partial(_lost, monitor, turn, ctx))
        report = evidence.report
        if report.checks or report.error:
            monitor = reports.absorb(monitor, report, clock_of(ctx))
            return _explanation(monitor, evidence, ctx).model_dump(mode="json")
        # A worker gave it back untouched: it drains, or leaves it for later.
        if report.put_off_seconds:
            yield ctx.create_timer(clock_of(ctx) + timedelta(seconds=report.put_off_seconds))


def _first_turn(monitor: Monitor, ctx: OrchestrationContext) -> tuple[Monitor, Turn]:
    step = policy.next_step(monitor, clock_of(ctx), Generation(), _NO_TURN)
    if not isinstance(step, StartTurn):
        raise AssertionError(f"a monitor's first check is due at once, not {step}")  # noqa: TRY004 # our own bug
    return policy.started(monitor, step.turn), step.turn


def _lost(monitor: Monitor, turn: Turn, ctx: OrchestrationContext, why: str) -> Evidence:
    return Evidence(report=reports.lost_turn(monitor, turn, why, clock_of(ctx)))


def _explanation(monitor: Monitor, evidence: Evidence, ctx: OrchestrationContext) -> Explanation:
    decision = monitor.decision
    return Explanation(
        job_id=monitor.request.job_id,
        kind=str(monitor.request.check["kind"]),
        at=clock_of(ctx),
        observation=evidence.observation,
        error=evidence.report.error,
        variables=evidence.variables,
        shortened=evidence.shortened,
        conditions=evidence.judgements,
        verdict=decision.verdict if decision else None,
        reason=decision.reason if decision else _why_it_goes_on(monitor),
        next_check_at=None if decision else policy.next_due(monitor),
        retry_after_seconds=evidence.retry_after_seconds,
    )


def _why_it_goes_on(monitor: Monitor) -> str:
    progress, tolerance = monitor.progress, monitor.request.tolerance
    if progress.error is not None:
        borne = tolerance.consecutive_errors
        return f"the wait would go on: {progress.consecutive_errors} of {borne} errors in a row that are borne"
    seen = progress.observation
    if seen is not None and seen.success:
        needed = tolerance.consecutive_successes
        return f"the wait would go on: the success condition holds, in 1 of {needed} checks in a row"
    return f"the wait would go on: no condition holds: observed {seen.status if seen else 'nothing'}"
