"""What each command does: it asks the service, prints what comes of it, and says the exit code."""

import logging
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from uuid import uuid4

from monitor_client import rows
from monitor_client.callback_lines import callback_lines
from monitor_client.delivery_rows import told_rows
from monitor_client.display import Display, display, print_rows, utc_now
from monitor_client.documents import Document
from monitor_client.explanation_rows import explanation_rows
from monitor_client.face import Monitors
from monitor_client.identity import How, Started
from monitor_client.options import Output
from monitor_client.printing import print_document, print_lines
from monitor_client.request_files import read_documents, request_of, the_only
from monitor_client.requests import build_request, number, seconds
from monitor_client.session import Watched, operand, run
from monitor_client.view import MonitorView
from monitor_core.contract import (
    EXIT_CODES,
    MonitorRequest,
    Problem,
    RequestError,
    Verdict,
    parse_command,
    request_schema,
)
from monitor_core.settings import ClientSettings, client_settings
from monitor_core.telemetry import configure_logging
from monitor_core.words import clean

EXIT_REFUSED: Final = 2
_NUMBERS: Final = frozenset({"if_revision", "interval_seconds", "seconds", "timeout_seconds"})
_OWN: Final = frozenset({"job_id", "output", "server"})
"""Parameters that are the command line's own, and no fields of a command."""

Parameters = Mapping[str, Any]
"""A command's parameters by name, as typer has read them."""


def start(parameters: Parameters, program: str) -> int:
    """Start a monitor, and with `watch` stay until its verdict; without it, one for each request of a file."""
    if parameters["file"] is not None and not parameters["watch"]:
        documents = read_documents(parameters["file"])
        if len(documents) > 1:
            from monitor_client.many import start_all  # noqa: PLC0415 # it stands on this module

            return start_all(documents, parameters)
        parameters = {**parameters, "documents": documents}
    settings = settings_of(parameters)
    request = _request(parameters, settings)
    watched = Watched(request.job_id, program, is_known=False, server=parameters["server"])

    async def errand(service: Monitors) -> int:
        started = await service.start(request, restart=parameters["restart"])
        if not parameters["watch"]:
            _print_started(started, request, parameters, program)
            return 0
        watched.is_known = True
        shown = _display(parameters)
        for note in _notes(started, request, parameters):
            shown.note(note)
        say_callback(started)
        return _conclude(await watched.follow(service, started.run, shown), parameters)

    return watched.run(settings, errand)


def explain(parameters: Parameters) -> int:
    """Print what one check sees, and would come to."""
    settings = settings_of(parameters)
    request = _request(parameters, settings)
    wait_seconds = seconds("--wait", parameters["wait"])

    async def errand(service: Monitors) -> int:
        said = await service.explain(request, wait_seconds=wait_seconds)
        _print(said.model_dump(mode="json"), explanation_rows(said, utc_now()), parameters)
        return EXIT_CODES[Verdict.ERROR] if said.error else 0

    return run(settings, errand)


def watch(parameters: Parameters, program: str) -> int:
    """Show a monitor's progress until its verdict."""
    watched = Watched(parameters["job_id"], program, is_known=True, server=parameters["server"])

    async def errand(service: Monitors) -> int:
        return _conclude(await watched.follow(service, None, _display(parameters)), parameters)

    return watched.run(settings_of(parameters), errand)


def show(parameters: Parameters) -> int:
    """Print how a monitor stands, or how it ended."""

    async def errand(service: Monitors) -> int:
        view, now = await service.get(parameters["job_id"]), utc_now()
        shown = rows.state_rows(view, now) if view.verdict is None else rows.result_rows(view, now)
        _print(view.model_dump(mode="json"), [*shown, *told_rows(view, now)], parameters)
        return 0

    return run(settings_of(parameters), errand)


def send(parameters: Parameters, name: str) -> int:
    """Send a command to a monitor, and print what became of it."""
    fields = {field: value for field, value in parameters.items() if field not in _OWN and value is not None}
    numbers = {field: number(fields[field]) for field in _NUMBERS & fields.keys()}
    given = {"id": uuid4().hex, "name": name, **fields, **numbers}
    try:
        command = parse_command(given)
    except RequestError as error:
        raise RequestError(_in_words_of_options(problem, name) for problem in error.problems) from error

    async def errand(service: Monitors) -> int:
        job = ("job_id", clean(parameters["job_id"]))
        outcome = await service.send(parameters["job_id"], command)
        if outcome is None:
            unanswered = "sent, not answered yet: the monitor takes it as soon as a worker runs it"
            _print({**given, "accepted": None}, [job, (name, unanswered)], parameters)
            return 0
        _print(outcome.model_dump(mode="json"), [job, (name, rows.outcome(outcome))], parameters)
        return 0 if outcome.accepted else EXIT_REFUSED

    return run(settings_of(parameters), errand)


def _in_words_of_options(problem: Problem, name: str) -> Problem:
    flags = {"command": name.replace("_", "-"), "seconds": "SECONDS"}
    option = f"--{problem.field.removesuffix('_seconds').replace('_', '-')}"
    return Problem(flags.get(problem.field, option), problem.reason)


def schema(parameters: Parameters) -> int:
    """Print the JSON Schema of a request."""
    print_document(request_schema(settings_of(parameters).kinds), Output.JSON)
    return 0


def _request(parameters: Parameters, settings: ClientSettings) -> MonitorRequest:
    new_id = str(uuid4())
    if parameters["file"] is not None:
        return request_of(the_only(_documents(parameters), parameters["file"]), parameters, new_id, settings.kinds)
    job_id = parameters["job_id"] if parameters["job_id"] is not None else new_id
    return build_request({**parameters, "job_id": job_id}, settings.url, settings.kinds)


def _documents(parameters: Parameters) -> list[Document]:
    """What the file holds, which may be a stream that is read once."""
    return parameters["documents"] if "documents" in parameters else read_documents(parameters["file"])


def settings_of(parameters: Parameters) -> ClientSettings:
    """What the environment says, and `--server`; logging is set up by it.

    Raises:
        SettingsError: names each variable that cannot be used.
    """
    settings = client_settings(server=parameters.get("server"))
    # Images ask for JSON, for their services; who runs a command there by hand reads text.
    configure_logging(settings.log_level, form="text" if sys.stderr.isatty() else settings.log_format)
    if settings.log_level != "DEBUG":
        # Credentials log their own failures, over several lines; what comes of them is said once, by us.
        logging.getLogger("azure").setLevel(logging.ERROR)
    return settings


def _display(parameters: Parameters) -> Display:
    stream = sys.stdout if parameters["output"] is Output.TABLE else sys.stderr
    return display(stream, quiet=parameters["quiet"])


def _notes(started: Started, request: MonitorRequest, parameters: Parameters) -> Iterator[str]:
    """What the user may not expect, said once before the progress."""
    if request.check["kind"] == "simulated" and parameters["file"] is None:
        yield "No URL given: this monitors a simulated job. Give --url, or set MONITOR_URL, for a real one."
    job, run_id = clean(started.job_id), started.run
    match started.how:
        case How.ATTACHED:
            yield f"{job} is being monitored already: attached to its run {run_id}."
        case How.RESTARTED:
            yield f"{job} had ended before: started anew as run {run_id}."
        case How.STARTED | How.MINE:
            yield f"Monitoring {job}, run {run_id}."


def _conclude(view: MonitorView, parameters: Parameters) -> int:
    if view.verdict is None:
        raise AssertionError("a watch ends with a verdict, or raises")
    _print(view.document(), rows.result_rows(view, utc_now()), parameters)
    return EXIT_CODES[view.verdict]


def _print_started(started: Started, request: MonitorRequest, parameters: Parameters, program: str) -> None:
    if parameters["output"] is Output.IDS or (parameters["quiet"] and parameters["output"] is Output.TABLE):
        print_lines([started.job_id])
        say_callback(started)
        return
    notes = list(_notes(started, request, parameters))
    if parameters["output"] is Output.TABLE:
        watching = f"  watch it: {program} watch {operand(started.job_id, parameters['server'])}"
        print_lines([*notes, watching, *callback_lines(started)])
        return
    if not parameters["quiet"]:
        print("\n".join(notes), file=sys.stderr)  # noqa: T201
    print_document(started.model_dump(mode="json"), parameters["output"])


def say_callback(started: Started) -> None:
    """Show a callback beside what is asked for on stdout."""
    for line in callback_lines(started):
        print(line, file=sys.stderr)  # noqa: T201 # the only time that it can be shown


def _print(document: Mapping[str, Any], some: Sequence[rows.Row], parameters: Parameters) -> None:
    if parameters["output"] is Output.TABLE:
        print_rows(some, sys.stdout)
    elif parameters["output"] is Output.IDS:
        print_lines([parameters["job_id"] or document["job_id"]])
    else:
        print_document(document, parameters["output"])
