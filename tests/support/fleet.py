"""Many monitors at once on a stack of real processes, and whether each came to what it had to.

with fleet(stack_parts) as monitors:
    monitors.start(Member("job-1", "Completed", seconds=8, interval_seconds=0.5), ...)
    ... # whatever goes wrong, noted in `monitors.faults`
    monitors.require_all_well()
"""

import json
import urllib.request
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

from durabletask.azuremanaged.client import DurableTaskSchedulerClient
from durabletask.client import OrchestrationStatus, TaskHubGrpcClient

from monitor_core.contract import ORCHESTRATOR, VERSION, MonitorInput, instance_id, parse_request
from monitor_core.kinds import BUILT_IN
from monitor_core.scheduler import channel_options, sdk_logger
from monitor_core.settings import SchedulerSettings
from stack import Stack
from support.asked import Asked, excused, missed, unexplained_repeats
from up_smoke.evidence import Window

Verdict = Literal["Completed", "Failed", "Timeout", "Error"]
VERDICTS: Final[tuple[Verdict, ...]] = ("Completed", "Failed", "Timeout")
SLACK: Final = timedelta(seconds=5)
"""What a busy machine may add: the whole suite may run beside."""
UNHEARD: Final = timedelta(seconds=20)
"""A turn that is out at a break goes on for its 15 s, while it is made again."""
PATIENCE: Final = 120
_JOBS: Final = {
    "Completed": "duration_seconds={seconds}",
    "Failed": "duration_seconds={seconds}&outcome=Failed",
    "Timeout": "duration_seconds=86400",
    "Error": "status_code=403",
}


@dataclass(frozen=True)
class Member:
    """One monitor of a job of the simulator's.

    Args:
        job_id: its job's.
        verdict: how it has to end.
        seconds: from the first check to the job's end, or from the start to the deadline.
        interval_seconds: between checks.
        delay_seconds: how long each answer takes.
        check_timeout_seconds: how long it may.
        turn_seconds: as a request has it.
        told: a webhook that is told of its verdict.
        tolerated: how many errors in a row are none.
        url: to look at instead, which never ends.
        success_when: instead of the kind's own conditions.
    """

    job_id: str
    verdict: Verdict
    seconds: float
    interval_seconds: float = 0.5
    delay_seconds: float = 0.1
    check_timeout_seconds: float = 5
    turn_seconds: float | Literal["auto"] = 0
    told: str | None = None
    tolerated: int = 3
    url: str | None = None
    success_when: str | None = None

    def request(self, simulator: str) -> dict[str, Any]:
        """What is asked for."""
        job = _JOBS[self.verdict].format(seconds=self.seconds)
        url = f"{simulator}/jobs/{self.job_id}?{job}&steps=Running&delay_seconds={self.delay_seconds}"
        hook = [{"to": {"kind": "webhook", "url": self.told}}] if self.told else []
        return {
            "job_id": self.job_id,
            "check": {"kind": "http", "url": self.url or url},
            "success_when": self.success_when,
            "tolerance": {"consecutive_errors": self.tolerated},
            "polling": {
                "interval_seconds": self.interval_seconds,
                "turn_seconds": self.turn_seconds,
                "honor_retry_after": False,
            },
            "timeout_seconds": self.seconds if self.verdict == "Timeout" else 600,
            "check_timeout_seconds": self.check_timeout_seconds,
            "on_verdict": hook,
        }


@dataclass
class Faults:
    """What was done: the breaks in which reports are lost, and the times in which checks may be missing (UTC).

    Args:
        breaks: in which reports are lost.
        windows: in which checks may be missing.
        unheard: checks of each monitor that may have been made and not counted, besides: a turn that is handed out
            again may be left for later, and a later one makes its check.
    """

    breaks: list[Window] = field(default_factory=list)
    windows: list[Window] = field(default_factory=list)
    unheard: int = 0

    def death(self) -> None:
        """A worker has died, now."""
        self.break_for(0)

    def break_for(self, seconds: float) -> None:
        """Reports are lost from now on, for so long."""
        now = datetime.now(UTC)
        self.breaks.append(Window(now, now + timedelta(seconds=seconds)))

    @contextmanager
    def window(self, recovery_seconds: float = 3, *, breaks: bool = False) -> Iterator[None]:
        """A fault from the beginning of a block to its end, and some time to make up for it."""
        begin = datetime.now(UTC)
        try:
            yield
        finally:
            end = datetime.now(UTC) + timedelta(seconds=recovery_seconds)
            self.windows.append(Window(begin, end))
            self.breaks += [Window(begin, end + UNHEARD)] if breaks else []


class Fleet:
    """The monitors. Its client goes to the scheduler directly, whatever way the workers go.

    Args:
        simulator: the URL of the job simulator.
        client: of the scheduler.
    """

    def __init__(self, simulator: str, client: TaskHubGrpcClient) -> None:
        self._simulator, self._client = simulator, client
        self._members: list[Member] = []
        self.faults = Faults()

    def start(self, *members: Member) -> None:
        """Start monitors that have to come to what they are meant to, checked at every tick."""
        for member in members:
            self.start_other(member)
            self._members.append(member)

    def start_other(self, member: Member) -> None:
        """Start one that comes to something else."""
        request = parse_request(member.request(self._simulator), BUILT_IN)
        given = MonitorInput(request=request, run=uuid.uuid4().hex)
        self._client.schedule_new_orchestration(
            ORCHESTRATOR,
            input=given.model_dump(mode="json", exclude_defaults=True),
            instance_id=instance_id(member.job_id),
            version=VERSION,
        )

    def has_ended(self, job_id: str) -> bool:
        """Whether a monitor has its verdict."""
        state = self._client.get_orchestration_state(instance_id(job_id))
        return state is not None and state.runtime_status is OrchestrationStatus.COMPLETED

    def result(self, job_id: str) -> dict[str, Any]:
        """What a monitor came to; waited for."""
        state = self._client.wait_for_orchestration_completion(instance_id(job_id), timeout=PATIENCE)
        assert state is not None
        assert state.runtime_status is OrchestrationStatus.COMPLETED, (job_id, state.failure_details)
        result: dict[str, Any] = state.get_output()
        return result

    def asked(self, job_id: str) -> list[Asked]:
        """What its job was asked."""
        with urllib.request.urlopen(f"{self._simulator}/ledger?job_id={job_id}", timeout=30) as answer:
            return [Asked.of(entry) for entry in json.load(answer)]

    def require_all_well(self) -> None:
        """Wait until every monitor has ended, and fail where one is not as it has to be."""
        results = {member.job_id: self.result(member.job_id) for member in self._members}
        found = [
            f"{member.job_id}: {complaint}"
            for member in self._members
            for complaint in _complaints(member, results[member.job_id], self.asked(member.job_id), self.faults)
        ]
        assert not found, "\n".join([f"{len(found)} complaints", *found[:40]])


def _complaints(member: Member, result: dict[str, Any], asked: Sequence[Asked], faults: Faults) -> Iterator[str]:
    if result["final_status"] != member.verdict:
        yield f"ended as {result['final_status']}: {result['reason']}"
    yield from _late(member, result, faults)
    if member.url:
        return  # no job of the simulator's: nobody has kept account
    yield from unexplained_repeats(asked, faults.breaks)
    made = len({one.id for one in asked})
    # A turn of several checks that is made again may see the end of it sooner. So may one whose check the deadline
    # cut off, so that the last one followed: made again, it has the last one only.
    cut = int(member.verdict == "Timeout" and bool(faults.breaks))
    unheard = made if member.turn_seconds else cut + faults.unheard
    if not made - unheard <= result["checks_performed"] <= made:
        yield f"{result['checks_performed']} checks are recorded, {made} were made"
    for begin, end in missed(asked, member.interval_seconds + member.delay_seconds, faults.windows, SLACK):
        yield f"no check from {begin:%H:%M:%S.%f} to {end:%H:%M:%S.%f}"


def _late(member: Member, result: dict[str, Any], faults: Faults) -> Iterator[str]:
    """By deadline + check timeout + the time that faults explain; what the job itself ends, by its next tick."""
    begin, end = (datetime.fromisoformat(result[name]) for name in ("started_at", "ended_at"))
    allowed = member.seconds + member.check_timeout_seconds
    if member.verdict != "Timeout":
        allowed += member.interval_seconds
    over = end - begin - timedelta(seconds=allowed) - excused(faults.windows, begin, end)
    if over > SLACK:
        yield f"its verdict came {over.total_seconds():.1f} s late"


@contextmanager
def fleet(parts: Stack) -> Iterator[Fleet]:
    """A fleet on a stack that has a scheduler and a simulator."""
    with DurableTaskSchedulerClient(
        host_address=SchedulerSettings(endpoint=parts.scheduler_url).address,
        taskhub="default",
        token_credential=None,
        secure_channel=False,
        channel_options=channel_options(),
        logger=sdk_logger(),
    ) as client:
        yield Fleet(parts.simulator_url, client)
