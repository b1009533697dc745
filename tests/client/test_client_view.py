"""A look at a monitor: the engine's word and the monitor's own, as one."""

import pytest
from durabletask.client import OrchestrationStatus as Runtime
from durabletask.task import FailureDetails

from monitor_client.errors import NotFound, Unreadable
from monitor_client.view import MonitorView, Phase, view_of
from monitor_core.contract import Verdict
from support.fake_scheduler import NOON, FakeScheduler, Instance, request, result, status


async def view(instance: Instance) -> MonitorView:
    scheduler = FakeScheduler()
    scheduler.put(request(), "run-1", instance)
    return await scheduler.service().get("job-1")


@pytest.mark.parametrize(
    ("runtime", "shown", "state"),
    [
        (Runtime.PENDING, None, Phase.PENDING),
        (Runtime.RUNNING, None, Phase.RUNNING),
        (Runtime.RUNNING, status(), Phase.RUNNING),
        (Runtime.RUNNING, status(paused=True), Phase.PAUSED),
        (Runtime.CONTINUED_AS_NEW, None, Phase.RUNNING),
        (Runtime.SUSPENDED, status(), Phase.SUSPENDED),
    ],
)
async def test_a_monitor_without_a_verdict_has_a_phase(
    runtime: Runtime, shown: dict[str, object] | None, state: Phase
) -> None:
    seen = await view(Instance(runtime=runtime, shown=shown))
    assert (seen.state, seen.verdict, seen.result, seen.failure) == (state, None, None, None)
    assert (seen.run, seen.created_at) == ("run-1", NOON)
    assert seen.document()["status"] == state


@pytest.mark.parametrize("verdict", list(Verdict))
async def test_a_completed_orchestration_has_the_verdict_of_its_result(verdict: Verdict) -> None:
    seen = await view(Instance(runtime=Runtime.COMPLETED, output=result(final_status=verdict)))
    assert (seen.state, seen.verdict) == (verdict, verdict)
    assert seen.document() == {**result(final_status=verdict), "ended_at": "2026-01-01T12:00:15.250000Z"}


async def test_one_terminated_from_outside_reads_as_cancelled() -> None:
    seen = await view(Instance(runtime=Runtime.TERMINATED, shown=status()))
    assert (seen.verdict, seen.failure) == (Verdict.CANCELLED, "terminated from outside")
    assert seen.document() == {
        "job_id": "job-1",
        "run": "run-1",
        "final_status": "Cancelled",
        "reason": "terminated from outside",
        "checks_performed": 3,
        "monitoring_duration_seconds": 15.0,
    }


@pytest.mark.parametrize("runtime", [Runtime.TERMINATED, Runtime.FAILED])
@pytest.mark.parametrize("verdict", list(Verdict))
async def test_one_that_showed_its_verdict_before_it_was_ended_from_outside_keeps_it(
    verdict: Verdict, runtime: Runtime
) -> None:
    seen = await view(Instance(runtime=runtime, shown=status(status=verdict)))
    assert (seen.verdict, seen.result) == (verdict, None)
    assert seen.document()["final_status"] == verdict
    assert seen.failure


async def test_one_that_failed_reads_as_error_and_as_a_defect_of_ours_in_one_line() -> None:
    details = FailureDetails("something\n  broke", "TypeError", None)
    seen = await view(Instance(runtime=Runtime.FAILED, failure=details))
    assert seen.verdict is Verdict.ERROR
    assert seen.failure is not None
    assert seen.failure.endswith("a defect of Durable Monitor: TypeError: something broke")
    assert seen.document()["checks_performed"] == 0


async def test_what_a_newer_worker_says_more_is_passed_over() -> None:
    transition = {"at": "2026-01-01T12:00:00Z", "status": "Running", "new": 1}
    seen = await view(Instance(shown=status(new=1, transitions=[transition])))
    assert seen.status is not None
    assert seen.status.check_count == 3


@pytest.mark.parametrize(
    ("instance", "says"),
    [
        (Instance(given={"a": 1}), "its input is not a MonitorInput"),
        (Instance(shown={"a": 1}), "its custom status is not a MonitorStatus"),
        (Instance(runtime=Runtime.COMPLETED, output={"a": 1}), "its output is not a MonitorResult"),
        (Instance(runtime=Runtime.COMPLETED), "without a result"),
        (Instance(name="other"), "no 'monitor' but a 'other'"),
    ],
)
async def test_what_is_no_monitor_says_so(instance: Instance, says: str) -> None:
    with pytest.raises(Unreadable, match=says):
        await view(instance)


async def test_no_monitor_is_not_found() -> None:
    with pytest.raises(NotFound, match="'nobody' in the task hub 'hub'"):
        await FakeScheduler().service().get("nobody")


def test_a_look_without_payloads_knows_the_run_by_the_status() -> None:
    seen = view_of(Instance(given={}, shown=status()).state("monitor-job-1", payloads=False))
    assert (seen.run, seen.request) == ("run-1", None)


def test_a_look_keeps_what_only_an_earlier_one_has_seen() -> None:
    given = {"request": request().model_dump(mode="json"), "run": "run-1"}
    earlier = view_of(Instance(given=given, shown=status(check_count=7)).state("i"))
    bare = view_of(Instance(given=given).state("i", payloads=False))
    later = bare.after(earlier)
    assert later.status is not None
    assert (later.run, later.request, later.status.check_count) == ("run-1", earlier.request, 7)
    newer = view_of(Instance(given=given, shown=status(check_count=8)).state("i", payloads=False))
    assert newer.after(earlier).status == newer.status
