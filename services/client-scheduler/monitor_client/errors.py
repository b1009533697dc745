"""Why a call on a monitor was not done. Each message says what was wrong, where, and what to do."""

from collections.abc import Mapping

from monitor_core.contract import CommandOutcome


class ServiceError(Exception):
    """The base of all that a call of the service may raise by design."""


class SchedulerUnreachable(ServiceError):
    """The scheduler gives no answer: it is down, is somewhere else, or there is no credential for it."""

    def __init__(self, endpoint: str, why: str) -> None:
        self.why = why
        super().__init__(f"cannot reach the scheduler at {endpoint}: {why} (is ENDPOINT right, and does it run?)")


class NoCredential(SchedulerUnreachable):
    """No token could be had, so that the scheduler was not even asked."""

    def __init__(self, endpoint: str, why: str) -> None:
        self.why = why
        ServiceError.__init__(self, f"no credential for the scheduler at {endpoint}: {why} (run `az login`?)")


class GaveUp(SchedulerUnreachable):
    """Whoever watched has waited for an answer for long enough; what was watched goes on without."""

    def __init__(self, seconds: float, error: SchedulerUnreachable) -> None:
        self.why = error.why
        ServiceError.__init__(self, f"gave up watching after {seconds:g} s, the monitor goes on: {error}")


class NotAllowed(ServiceError):
    """The scheduler knows the caller, or does not, and refuses."""

    def __init__(self, endpoint: str, taskhub: str, why: str) -> None:
        super().__init__(
            f"the scheduler at {endpoint} refuses the task hub '{taskhub}': {why} "
            "(the role needed is Durable Task Data Contributor on the task hub)"
        )


class SchedulerRefused(ServiceError):
    """The scheduler answers, but not with what was asked for. `code` is gRPC's word."""

    def __init__(self, endpoint: str, code: str, why: str) -> None:
        self.code = code
        super().__init__(f"the scheduler at {endpoint} answers {code}: {why} (are ENDPOINT and TASKHUB right?)")


class ServerUnreachable(SchedulerUnreachable):
    """The client-scheduler that is gone through gives no answer."""

    def __init__(self, server: str, why: str) -> None:
        self.why = why
        hint = "is --server, or MONITOR_SERVER, right, and does it run?"
        ServiceError.__init__(self, f"cannot reach the client-scheduler at {server}: {why} ({hint})")


class NoServerToken(ServerUnreachable):
    """No token could be had for the client-scheduler, so that it was not even asked."""

    def __init__(self, server: str, why: str) -> None:
        self.why = why
        hint = "run `az login`? is MONITOR_SERVER_AUDIENCE right?"
        ServiceError.__init__(self, f"no token for the client-scheduler at {server}: {why} ({hint})")


class ServerRefused(ServiceError):
    """A client-scheduler that is gone through refuses."""

    def __init__(self, server: str, why: str) -> None:
        super().__init__(f"the client-scheduler at {server} refuses: {why}")


class NoClientScheduler(ServerRefused):
    """What answers is no client-scheduler, or one of another version."""

    def __init__(self, server: str, what: str) -> None:
        hint = "is --server, or MONITOR_SERVER, a client-scheduler's URL?"
        ServiceError.__init__(self, f"{server} {what}: no client-scheduler of this version does that ({hint})")


class NotAdmitted(ServerRefused):
    """The client-scheduler knows the caller, or does not, and refuses."""

    def __init__(self, server: str, why: str, what_to_do: str) -> None:
        super().__init__(server, f"{why} ({what_to_do})")


class ServerBusy(ServerRefused):
    """The client-scheduler serves others first. `retry_seconds` is when to come back."""

    def __init__(self, server: str, why: str, retry_seconds: float) -> None:
        self.retry_seconds = retry_seconds
        super().__init__(server, why)


class ServerFull(ServerBusy):
    """The client-scheduler cannot do just this for now, but may do other things."""


class CommandRefused(ServiceError):
    """The monitor has heard a command, and does not apply it. `outcome` is what it says of it."""

    def __init__(self, outcome: CommandOutcome) -> None:
        self.outcome = outcome
        super().__init__(outcome.message)


class NotFound(ServiceError):
    """There is no such monitor, or no more."""

    def __init__(self, job_id: str, taskhub: str) -> None:
        super().__init__(f"no monitor of '{job_id}' in the task hub '{taskhub}'")


class AlreadyEnded(ServiceError):
    """The monitor has its verdict: it takes no command, and is started anew only on request."""

    def __init__(self, job_id: str, verdict: str, what_to_do: str) -> None:
        self.verdict = verdict
        super().__init__(f"the monitor of '{job_id}' has ended as {verdict}: {what_to_do}")


class WrongToken(ServiceError):
    """A callback token that lets nobody end the wait. It says no word of whether there is such a monitor."""

    def __init__(self) -> None:
        super().__init__("this callback token ends no wait here: it is of another monitor or run, or of none")


class StillRunning(ServiceError):
    """The monitor has no verdict yet: it is not deleted."""

    def __init__(self, job_id: str) -> None:
        super().__init__(f"the monitor of '{job_id}' is running: cancel it first")


class Conflict(ServiceError):
    """The job is being monitored, but not as it is asked for now.

    Args:
        job_id: the job.
        fields: those that differ, and how; of those that are not shown an empty text.
    """

    def __init__(self, job_id: str, fields: Mapping[str, str]) -> None:
        self.fields = dict(fields)
        told = (f"{name} ({how})" if how else name for name, how in fields.items())
        super().__init__(
            f"'{job_id}' is being monitored already, with another {', '.join(told)}: "
            "watch that one as it is, ask for the same, choose another job id, or cancel that monitor first"
        )


class Contested(ServiceError):
    """Others start and end the same job faster than this caller can."""

    def __init__(self, job_id: str) -> None:
        super().__init__(f"others start and end the monitor of '{job_id}' at the same time: try again")


class RunReplaced(ServiceError):
    """The monitor that was watched is no more: its job was started anew."""

    def __init__(self, job_id: str, watched: str, found: str) -> None:
        self.watched, self.found = watched, found
        super().__init__(f"run {watched} of '{job_id}' was replaced by run {found}: watch it anew to see that one")


class Unreadable(ServiceError):
    """An instance stands under the monitor's id, but says what this version does not understand."""

    def __init__(self, instance_id: str, why: str) -> None:
        super().__init__(
            f"cannot read the instance '{instance_id}': {why} "
            "(was it started by something else, or by a newer version?)"
        )


class NotExplained(ServiceError):
    """No worker has said what a check would see."""

    def __init__(self, job_id: str, why: str) -> None:
        super().__init__(f"cannot explain '{job_id}': {why}")


class NotTaken(NotExplained):
    """No worker was there to make the check."""


class NotAnswered(NotExplained):
    """A worker makes the check, and has not answered in time."""
