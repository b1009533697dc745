"""The command line: what is typed, and nothing of what is done."""

# ruff: noqa: PLC0415 -- what a command needs is imported when it runs: help and completion are quick without

import io
import os
import re
import signal
import sys
from collections.abc import Sequence
from typing import Final

import typer

from monitor_client.manual import EPILOG, HELP
from monitor_client.options import (
    AllowRepeat,
    AndWatch,
    AnswerWithin,
    AskCallback,
    Backoff,
    Body,
    ChangeEvery,
    CheckCpu,
    CheckTakes,
    CheckTimeout,
    CreatedAfter,
    CreatedBefore,
    EveryInterval,
    EveryPage,
    Expect,
    ExtendBy,
    FailureWhen,
    File,
    Header,
    IfRevision,
    Interval,
    Jitter,
    JobId,
    JobIds,
    Label,
    Labelled,
    Lasts,
    Limit,
    MaxInterval,
    Method,
    Monitors,
    NewInterval,
    NewJobId,
    NewTimeout,
    NoRetryAfter,
    Notices,
    Notify,
    NotifySecret,
    Output,
    OutputAs,
    PlannedBackoff,
    PlannedCap,
    PlannedKind,
    PlannedTurns,
    Prefix,
    PushedOutcome,
    Quiet,
    Reason,
    ReplicaCpu,
    ReplicaSlots,
    Restart,
    Server,
    SimulateChecks,
    SimulateOutcome,
    StartRate,
    State,
    Successes,
    SuccessWhen,
    Timeout,
    TolerateErrors,
    TurnSeconds,
    Url,
    VerdictIs,
    WaitForAll,
    WaitForAny,
    WaitNoLonger,
    WhilePaused,
    Yes,
)
from monitor_client.usage import EXIT_INTERRUPTED, Command, PlainFormGroup, VersionAsked

_NEGATIVE: Final = re.compile(r"No such option: -\d")

app = typer.Typer(
    cls=PlainFormGroup,
    help=HELP,
    epilog=EPILOG,
    rich_markup_mode=None,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command(cls=Command)
def start(
    ctx: typer.Context,
    *,
    job_id: NewJobId = None,
    interval: Interval = None,
    timeout: Timeout = None,
    file: File = None,
    url: Url = None,
    method: Method = None,
    header: Header = None,
    body: Body = None,
    allow_repeat: AllowRepeat = False,
    check_timeout: CheckTimeout = None,
    simulate_checks: SimulateChecks = None,
    simulate_outcome: SimulateOutcome = None,
    success_when: SuccessWhen = None,
    failure_when: FailureWhen = None,
    expect: Expect = None,
    tolerate_errors: TolerateErrors = None,
    successes: Successes = None,
    backoff: Backoff = None,
    max_interval: MaxInterval = None,
    jitter: Jitter = None,
    turn_seconds: TurnSeconds = None,
    no_retry_after: NoRetryAfter = False,
    label: Label = None,
    notify: Notify = None,
    notify_secret: NotifySecret = None,
    callback: AskCallback = False,
    watch: AndWatch = False,
    restart: Restart = False,
    output: OutputAs = Output.TABLE,
    quiet: Quiet = False,
    server: Server = None,
) -> int:
    """Start a monitor, and leave."""
    # The signature declares the options; their values go on together, by name.
    from monitor_client import commands

    return commands.start(ctx.params, _program(ctx))


@app.command(cls=Command)
def explain(
    ctx: typer.Context,
    *,
    job_id: NewJobId = None,
    file: File = None,
    url: Url = None,
    method: Method = None,
    header: Header = None,
    body: Body = None,
    allow_repeat: AllowRepeat = False,
    check_timeout: CheckTimeout = None,
    simulate_checks: SimulateChecks = None,
    simulate_outcome: SimulateOutcome = None,
    success_when: SuccessWhen = None,
    failure_when: FailureWhen = None,
    expect: Expect = None,
    tolerate_errors: TolerateErrors = None,
    successes: Successes = None,
    wait: AnswerWithin = None,
    output: OutputAs = Output.TABLE,
    server: Server = None,
) -> int:
    """Have one check made, and show what it sees and would come to. Nothing is started.

    Exits 0 where it could be made and judged, whatever it saw; 5 where it ended in an error; 6 without a worker.
    """
    from monitor_client import commands

    return commands.explain(ctx.params)


@app.command(cls=Command)
def watch(
    ctx: typer.Context,
    job_id: JobId,
    *,
    output: OutputAs = Output.TABLE,
    quiet: Quiet = False,
    server: Server = None,
) -> int:
    """Show a monitor's progress until its verdict."""
    from monitor_client import commands

    return commands.watch(ctx.params, _program(ctx))


@app.command(cls=Command)
def wait(
    ctx: typer.Context,
    *,
    job_ids: JobIds,
    all_of_them: WaitForAll = False,
    any_of_them: WaitForAny = False,
    timeout: WaitNoLonger = None,
    output: OutputAs = Output.TABLE,
    server: Server = None,
) -> int:
    """Wait until monitors have ended.

    Exits 0 where all of them ended as Completed, else by the worst verdict (Error, Failed, Cancelled, Timeout);
    with --any by the one that ended first.
    """
    from monitor_client import many

    if all_of_them and any_of_them:
        raise typer.BadParameter("--all and --any exclude each other")
    return many.wait({**ctx.params, "any": any_of_them})


@app.command("list", cls=Command)
def list_monitors(
    ctx: typer.Context,
    *,
    state: State = None,
    verdict: VerdictIs = None,
    prefix: Prefix = None,
    label: Labelled = None,
    created_after: CreatedAfter = None,
    created_before: CreatedBefore = None,
    limit: Limit = None,
    every: EveryPage = False,
    output: OutputAs = Output.TABLE,
    server: Server = None,
) -> int:
    """List monitors, in the scheduler's order, a page at a time.

    --verdict and --label select within a page, which may then be short.
    """
    from monitor_client import list_command

    return list_command.list_monitors({**ctx.params, "all": every})


@app.command(cls=Command)
def purge(
    ctx: typer.Context,
    job_ids: JobIds,
    *,
    yes: Yes = False,
    output: OutputAs = Output.TABLE,
    server: Server = None,
) -> int:
    """Delete what is known of monitors that have ended.

    Their deliveries are deleted, too, once they are over: what is still to be told is told.
    """
    from monitor_client import many

    return many.purge(ctx.params)


@app.command(cls=Command)
def show(ctx: typer.Context, job_id: JobId, output: OutputAs = Output.TABLE, server: Server = None) -> int:
    """Show how a monitor stands, or how it ended."""
    from monitor_client import commands

    return commands.show(ctx.params)


@app.command(cls=Command)
def cancel(
    ctx: typer.Context,
    job_id: JobId,
    *,
    reason: Reason = None,
    output: OutputAs = Output.TABLE,
    server: Server = None,
) -> int:
    """End a monitor as Cancelled."""
    from monitor_client import commands

    return commands.send(ctx.params, "cancel")


@app.command(cls=Command)
def check_now(ctx: typer.Context, job_id: JobId, output: OutputAs = Output.TABLE, server: Server = None) -> int:
    """Make a monitor's next check at once."""
    from monitor_client import commands

    return commands.send(ctx.params, "check_now")


@app.command(cls=Command)
def pause(
    ctx: typer.Context,
    job_id: JobId,
    *,
    deadline: WhilePaused = None,
    reason: Reason = None,
    output: OutputAs = Output.TABLE,
    server: Server = None,
) -> int:
    """Make no check until resumed."""
    from monitor_client import commands

    return commands.send(ctx.params, "pause")


@app.command(cls=Command)
def resume(
    ctx: typer.Context,
    job_id: JobId,
    *,
    reason: Reason = None,
    output: OutputAs = Output.TABLE,
    server: Server = None,
) -> int:
    """Go on after a pause."""
    from monitor_client import commands

    return commands.send(ctx.params, "resume")


@app.command(cls=Command)
def extend(
    ctx: typer.Context,
    job_id: JobId,
    seconds: ExtendBy,
    *,
    reason: Reason = None,
    output: OutputAs = Output.TABLE,
    server: Server = None,
) -> int:
    """Move a monitor's deadline."""
    from monitor_client import commands

    return commands.send(ctx.params, "extend")


@app.command(cls=Command)
def edit(
    ctx: typer.Context,
    *,
    job_id: JobId,
    interval_seconds: NewInterval = None,
    timeout_seconds: NewTimeout = None,
    success_when: SuccessWhen = None,
    failure_when: FailureWhen = None,
    if_revision: IfRevision = None,
    reason: Reason = None,
    output: OutputAs = Output.TABLE,
    server: Server = None,
) -> int:
    """Change what a monitor waits for, or how often."""
    from monitor_client import commands

    return commands.send(ctx.params, "edit")


@app.command(cls=Command)
def complete(
    ctx: typer.Context,
    job_id: JobId,
    *,
    outcome: PushedOutcome = None,
    reason: Reason = None,
    output: OutputAs = Output.TABLE,
    server: Server = None,
) -> int:
    """Tell a monitor the outcome: it ends without another check."""
    from monitor_client import commands

    return commands.send(ctx.params, "complete")


@app.command(cls=Command)
def plan(
    ctx: typer.Context,
    *,
    monitors: Monitors,
    interval: EveryInterval = None,
    backoff: PlannedBackoff = None,
    max_interval: PlannedCap = None,
    turn_seconds: PlannedTurns = None,
    lasts: Lasts = None,
    change_every: ChangeEvery = None,
    notices: Notices = None,
    start_rate: StartRate = None,
    kind: PlannedKind = None,
    check_cpu_ms: CheckCpu = None,
    check_takes: CheckTakes = None,
    replica_cpu: ReplicaCpu = None,
    slots: ReplicaSlots = None,
    output: OutputAs = Output.TABLE,
) -> int:
    """Say what a number of monitors takes: actions, scheduler, workers.

    It asks nobody: the rules of the loop, Azure's limits and what was measured say it (docs/scale.md).
    """
    from monitor_client.plan import command

    return command.plan(ctx.params)


@app.command(cls=Command)
def schema(ctx: typer.Context) -> int:
    """Print the JSON Schema of a request."""
    from monitor_client import commands

    return commands.schema(ctx.params)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code. Nothing but one line on stderr tells of a failure."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # What was observed may be more than the terminal's encoding can say.
        sys.stdout.reconfigure(errors="backslashreplace")
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # gRPC writes to stderr from below, about what comes back as an error anyway.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    try:
        code = typer.main.get_command(app).main(args=arguments, standalone_mode=False)
        return int(code or 0)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except VersionAsked:
        from monitor_core import __version__

        print(__version__)  # noqa: T201 # the answer
        return 0
    except typer.TyperException as error:
        return _usage_error(error)
    except Exception as error:  # noqa: BLE001 # the last place to tell of it
        from monitor_client.failures import tell

        return tell(error)


def _usage_error(error: typer.TyperException) -> int:
    from monitor_client.failures import EXIT_USAGE, say

    what = error.format_message().replace("Value error, ", "").rstrip(".")
    hint = "a number below 0 fits nowhere" if _NEGATIVE.search(what) else "--help shows what there is"
    say(f"{what} ({hint})")
    return EXIT_USAGE


def _program(ctx: typer.Context) -> str:
    """How the user has called this program, for commands to copy."""
    name = ctx.find_root().info_name or "monitor"
    return f"python {sys.argv[0]}" if name.endswith(".py") else name
