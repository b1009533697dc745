"""What the commands take on the command line. Numbers stay text here: their fields refuse what is wrong."""

from enum import StrEnum
from typing import Annotated, Final

import typer

CHECK: Final = "What is checked"
DECISION: Final = "What decides"
SCHEDULE: Final = "When it is checked"
OUTCOME: Final = "What you get"


class Output(StrEnum):
    """How the outcome is printed."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"
    IDS = "ids"


def _argument(name: str, text: str) -> object:
    return typer.Argument(metavar=name, help=text, show_default=False)


def _value(section: str, metavar: str, text: str, *names: str) -> object:
    return typer.Option(*names, metavar=metavar, help=text, show_default=False, rich_help_panel=section)


def _flag(section: str, text: str, *names: str) -> object:
    return typer.Option(*names, help=text, show_default=False, rich_help_panel=section)


Text = str | None
Texts = list[str] | None

JobId = Annotated[str, _argument("JOB_ID", "The job whose monitor is meant.")]
NewJobId = Annotated[Text, _argument("JOB_ID", "Your name of the job (default: a new UUID).")]
Interval = Annotated[Text, _argument("POLLING_INTERVAL", "Seconds between two checks, at least 0.1 (default: 5).")]
Timeout = Annotated[Text, _argument("TIMEOUT", "Seconds from the start to the deadline (default: 30).")]

File = Annotated[
    Text,
    _value(
        CHECK,
        "FILE",
        "A request of any kind, as YAML or JSON; - is stdin. Options may add to it, not contradict it, and "
        "MONITOR_URL does not count.",
        "--file",
        "-f",
    ),
]
Url = Annotated[
    Text, _value(CHECK, "URL", "URL to check; {job_id} is filled in (default: MONITOR_URL).", "--url", "-u")
]
Method = Annotated[Text, _value(CHECK, "METHOD", "HTTP method (default: GET).", "--method")]
Header = Annotated[Texts, _value(CHECK, "'NAME: VALUE'", "Header to send; repeatable.", "--header", "-H")]
Body = Annotated[Text, _value(CHECK, "JSON|TEXT", "Body to send.", "--body")]
AllowRepeat = Annotated[bool, _flag(CHECK, "A POST or PATCH may be sent twice for one check.", "--allow-repeat")]
CheckTimeout = Annotated[
    Text, _value(CHECK, "SECONDS", "How long one check may take (default: 10).", "--check-timeout")
]
SimulateChecks = Annotated[
    Text, _value(CHECK, "N", "Without a URL: the check that sees the outcome (default: 4).", "--simulate-checks")
]
SimulateOutcome = Annotated[
    Text,
    _value(
        CHECK,
        "OUTCOME",
        "Without a URL: Succeeded, Failed or Canceled (default: Succeeded).",
        "--simulate-outcome",
    ),
]

SuccessWhen = Annotated[
    Text, _value(DECISION, "CEL", "Completed when it holds (default: status is Succeeded).", "--success-when")
]
FailureWhen = Annotated[
    Text,
    _value(DECISION, "CEL", "Failed when it holds (default: status is Failed or Canceled).", "--failure-when"),
]
Expect = Annotated[
    Texts,
    _value(DECISION, "CODE", "Status code, or class, that is no error; repeatable (default: 2xx).", "--expect"),
]
TolerateErrors = Annotated[
    Text, _value(DECISION, "N", "Transient errors in a row that are borne (default: 3).", "--tolerate-errors")
]
Successes = Annotated[
    Text, _value(DECISION, "N", "Checks in a row that have to succeed (default: 1).", "--successes")
]

Backoff = Annotated[
    Text, _value(SCHEDULE, "FACTOR", "The interval grows by it after each check (default: 1).", "--backoff")
]
MaxInterval = Annotated[
    Text, _value(SCHEDULE, "SECONDS", "What the growing interval is capped at.", "--max-interval")
]
Jitter = Annotated[
    Text, _value(SCHEDULE, "PART", "Delay checks by up to this part of the interval (default: 0).", "--jitter")
]
TurnSeconds = Annotated[
    Text,
    _value(
        SCHEDULE,
        "SECONDS",
        "How long a worker goes on checking before it reports, if nothing changes (default: auto: 15 where the "
        "interval is under 5, else one check).",
        "--turn-seconds",
    ),
]
NoRetryAfter = Annotated[bool, _flag(SCHEDULE, "Check on time whatever Retry-After asks.", "--no-retry-after")]

Label = Annotated[Texts, _value(OUTCOME, "NAME=VALUE", "Label to keep; repeatable.", "--label", "-l")]
Notify = Annotated[
    Texts,
    _value(OUTCOME, "URL", "Webhook to tell of the verdict; repeatable (other channels: in a file).", "--notify"),
]
NotifySecret = Annotated[
    Text,
    _value(
        OUTCOME,
        "REFERENCE",
        "What the webhooks are signed with: env:MONITOR_SECRET_NAME, say.",
        "--notify-secret",
    ),
]
AskCallback = Annotated[
    bool,
    _flag(
        OUTCOME,
        "Give out a token, once, by which the system that does the job ends the wait (docs/notifications.md).",
        "--callback",
    ),
]
Restart = Annotated[
    bool, _flag(OUTCOME, "Start anew where the job's monitor has ended; the plain form does.", "--restart")
]
AndWatch = Annotated[
    bool, _flag(OUTCOME, "Show the progress, exit by the verdict; the plain form does.", "--watch", "-w")
]
Reason = Annotated[Text, _value(OUTCOME, "TEXT", "Why; it stands in the result.", "--reason")]
OutputAs = Annotated[
    Output,
    _flag(OUTCOME, "json, yaml: one document on stdout, progress on stderr; ids: job ids.", "--output", "-o"),
]
Quiet = Annotated[bool, _flag(OUTCOME, "No progress and no notes.", "--quiet", "-q")]

AnswerWithin = Annotated[
    Text,
    _value(
        OUTCOME,
        "SECONDS",
        "How long to wait for a worker's answer (default: 20 more than the check may take).",
        "--wait",
    ),
]
WhilePaused = Annotated[
    Text, _value(OUTCOME, "runs|stops", "Whether the time goes on meanwhile (default: runs).", "--deadline")
]
ExtendBy = Annotated[str, _argument("SECONDS", "Seconds to add to the deadline.")]
NewInterval = Annotated[Text, _value(SCHEDULE, "SECONDS", "Seconds between two checks from now on.", "--interval")]
NewTimeout = Annotated[Text, _value(SCHEDULE, "SECONDS", "Seconds from the start to the deadline.", "--timeout")]
IfRevision = Annotated[
    Text, _value(OUTCOME, "N", "Refuse unless the monitor is at this revision.", "--if-revision")
]
PushedOutcome = Annotated[
    Text, _value(OUTCOME, "Completed|Failed", "What it ends as (default: Completed).", "--outcome")
]

Server = Annotated[
    Text,
    _value(
        OUTCOME, "URL", "A client-scheduler to go through, by its HTTP API (default: MONITOR_SERVER).", "--server"
    ),
]
JobIds = Annotated[list[str], _argument("JOB_ID...", "The jobs whose monitors are meant; - for those on stdin.")]
WaitForAny = Annotated[bool, _flag(OUTCOME, "Wait until one has ended.", "--any")]
WaitForAll = Annotated[bool, _flag(OUTCOME, "Wait until all have ended (the default).", "--all")]
WaitNoLonger = Annotated[
    Text, _value(OUTCOME, "SECONDS", "Give up the waiting after so long, with exit code 124.", "--timeout")
]
Yes = Annotated[bool, _flag(OUTCOME, "Do not ask.", "--yes", "-y")]
State = Annotated[Text, _value(DECISION, "running|ended", "Those without a verdict, or with one.", "--state")]
VerdictIs = Annotated[Text, _value(DECISION, "VERDICT", "Those that ended so: Failed, say.", "--verdict")]
Prefix = Annotated[Text, _value(DECISION, "TEXT", "Those whose job id begins so.", "--prefix")]
Labelled = Annotated[Texts, _value(DECISION, "NAME=VALUE", "Those with this label; repeatable.", "--label", "-l")]
CreatedAfter = Annotated[
    Text,
    _value(DECISION, "TIME", "Those started at this time (2026-11-24T12:00:00Z) or later.", "--created-after"),
]
CreatedBefore = Annotated[Text, _value(DECISION, "TIME", "Those started before this time.", "--created-before")]
Limit = Annotated[Text, _value(OUTCOME, "N", "How many to look at, at most (default: 50).", "--limit")]
EveryPage = Annotated[bool, _flag(OUTCOME, "All pages, however many.", "--all", "-a")]

LOAD: Final = "What runs"
STAGE: Final = "What it runs on"

Monitors = Annotated[str, _value(LOAD, "N", "How many monitors are running at a time.", "--monitors", "-n")]
EveryInterval = Annotated[
    Text, _value(LOAD, "SECONDS", "Between two checks, at least 0.1 (default: 5).", "--interval")
]
PlannedBackoff = Annotated[
    Text, _value(LOAD, "FACTOR", "The interval grows by it after each check (default: 1).", "--backoff")
]
PlannedCap = Annotated[Text, _value(LOAD, "SECONDS", "What the growing interval is capped at.", "--max-interval")]
PlannedTurns = Annotated[
    Text,
    _value(LOAD, "SECONDS", "As of start (default: auto: 15 below an interval of 5, else 0).", "--turn-seconds"),
]
Lasts = Annotated[
    Text, _value(LOAD, "SECONDS", "How long a monitor lives; then another follows (default: a day).", "--lasts")
]
ChangeEvery = Annotated[
    Text, _value(LOAD, "SECONDS", "How often the observed status changes (default: never).", "--change-every")
]
Notices = Annotated[
    Text, _value(LOAD, "N", "Notices of each monitor, in its whole life (default: 0).", "--notices")
]
StartRate = Annotated[
    Text, _value(LOAD, "N", "Monitors started a second, where all are started (default: 100).", "--start-rate")
]
PlannedKind = Annotated[
    Text,
    _value(STAGE, "KIND", "Of check, for the CPU that one was measured to take (default: http).", "--kind"),
]
CheckCpu = Annotated[
    Text,
    _value(STAGE, "MS", "What a check takes of a worker's CPU, instead of what was measured.", "--check-cpu-ms"),
]
CheckTakes = Annotated[
    Text, _value(STAGE, "SECONDS", "How long the target takes to answer (default: 0.2).", "--check-takes")
]
ReplicaCpu = Annotated[
    Text, _value(STAGE, "VCPU", "CPU of a worker replica, at most 1 (default: 0.5).", "--replica-cpu")
]
ReplicaSlots = Annotated[
    Text, _value(STAGE, "N", "MONITOR_MAX_ACTIVITIES of a worker (default: 2000).", "--slots")
]
