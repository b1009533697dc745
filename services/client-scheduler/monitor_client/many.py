"""What the commands over many monitors do: wait, purge, and start from a file of many requests."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, nullcontext
from typing import Any, BinaryIO, Final
from uuid import uuid4

from monitor_client.bulk import AT_A_TIME, Came, side_by_side
from monitor_client.callback_lines import callback_lines
from monitor_client.commands import Parameters, say_callback, settings_of
from monitor_client.display import progress_bar
from monitor_client.documents import MOST_REQUESTS, Document
from monitor_client.errors import AlreadyEnded, ServiceError
from monitor_client.face import Monitors
from monitor_client.failures import EXIT_USAGE, code_of, note, say
from monitor_client.identity import Started
from monitor_client.options import Output
from monitor_client.printing import print_document, print_lines
from monitor_client.request_files import MOST_BYTES, request_of
from monitor_client.requests import seconds
from monitor_client.session import run
from monitor_client.view import MonitorView
from monitor_core.contract import EXIT_CODES, MonitorRequest, Problem, RequestError, Verdict
from monitor_core.words import clean, count, duration

EXIT_WAITED_LONG_ENOUGH: Final = 124
"""As GNU timeout's: the wait is over, not the monitors."""
_LOOKS_A_SECOND: Final = 200
_MOST_NAMED: Final = 5
_WORST_FIRST: Final = (Verdict.ERROR, Verdict.FAILED, Verdict.CANCELLED, Verdict.TIMEOUT, Verdict.COMPLETED)


def wait(parameters: Parameters) -> int:
    """Wait until all, or any, of the monitors have ended; the exit code tells how."""
    jobs, allowed = _jobs(parameters), seconds("--timeout", parameters["timeout"])
    wanted = 1 if parameters["any"] else len(jobs)

    async def errand(service: Monitors) -> int:
        ended: list[MonitorView] = []
        try:
            async with asyncio.timeout(allowed), aclosing(_ends(service, jobs)) as ends:
                async for view in ends:
                    ended.append(view)
                    if parameters["output"] in {Output.TABLE, Output.IDS}:
                        print_lines([view.job_id if parameters["output"] is Output.IDS else _end_line(view)])
                    if len(ended) >= wanted:
                        break
        except TimeoutError:
            say(f"waited {allowed:g} s: {len(ended)} of {count(len(jobs), 'monitor')} ended; the others go on")
            print_all([view.document() for view in ended], parameters)
            return EXIT_WAITED_LONG_ENOUGH
        print_all([view.document() for view in ended], parameters)
        return EXIT_CODES[min((view.verdict or Verdict.ERROR for view in ended), key=_WORST_FIRST.index)]

    return run(settings_of(parameters), errand)


def purge(parameters: Parameters) -> int:
    """Delete ended monitors; one that cannot be deleted hinders no other."""
    jobs = _jobs(parameters)
    if not parameters["yes"] and not _is_agreed(jobs):
        return EXIT_USAGE

    async def errand(service: Monitors) -> int:
        code, purged = 0, list[str]()
        for job_id in jobs:
            try:
                await service.purge(job_id)
            except ServiceError as error:
                code = code or code_of(error)
                say(str(error))
            else:
                purged.append(job_id)
                if parameters["output"] is Output.TABLE:
                    print_lines([f"{clean(job_id)} is deleted"])
        print_all([{"job_id": job_id} for job_id in purged], parameters)
        if parameters["output"] is Output.IDS:
            print_lines(purged)
        return code

    return run(settings_of(parameters), errand)


def start_all(documents: Sequence[Document], parameters: Parameters) -> int:
    """Start a monitor for each document; all of them are read before the first is started."""
    if parameters["job_id"] is not None:
        raise RequestError([Problem("JOB_ID", f"cannot be that of {len(documents)} requests: leave it out")])
    requests = _read(documents, parameters)

    shows_each = parameters["output"] is Output.TABLE and not parameters["quiet"]
    bar = progress_bar("Starting", len(requests), sys.stderr) if shows_each else None

    async def errand(service: Monitors) -> int:
        started, over, code = dict[int, Started](), list[str](), 0
        try:
            with bar or nullcontext():
                async for position, outcome in service.start_many(requests, restart=parameters["restart"]):
                    if isinstance(outcome, AlreadyEnded):
                        over.append(requests[position].job_id)
                        code = max(code, code_of(outcome))
                    else:
                        code = max(code, _told(documents[position], outcome, shows_it=shows_each and bar is None))
                    if isinstance(outcome, Started):
                        started[position] = outcome
                    if bar is not None:
                        bar.advance()
        except asyncio.CancelledError:
            note("interrupted; what is started goes on, the same again starts the rest")
            raise
        finally:
            _say_what_is_over(over, len(requests))
            _print_started([started[position] for position in sorted(started)], len(requests), parameters)
        return code

    return run(settings_of(parameters), errand)


def _told(document: Document, outcome: Came, *, shows_it: bool) -> int:
    """Say what came of a start; the exit code that it means."""
    if not isinstance(outcome, Started):
        say(f"{document.place('')}: {outcome}")
        return code_of(outcome)
    if shows_it:
        print_lines([f"{clean(outcome.job_id)} {outcome.how}"])
    return 0


def _say_what_is_over(jobs: Sequence[str], asked: int) -> None:
    if jobs:
        shown = ", ".join(map(clean, jobs[:_MOST_NAMED])) + (", ..." if len(jobs) > _MOST_NAMED else "")
        have = "has" if len(jobs) == 1 else "have"
        say(f"{len(jobs)} of {count(asked, 'monitor')} {have} ended already ({shown}): --restart starts anew")


def _print_started(started: Sequence[Started], asked: int, parameters: Parameters) -> None:
    print_all([one.model_dump(mode="json") for one in started], parameters)
    if parameters["output"] is Output.IDS:
        print_lines([one.job_id for one in started])
        for one in started:
            say_callback(one)
    if parameters["output"] is Output.TABLE:
        print_lines([line for one in started for line in callback_lines(one)])
        print_lines([f"{len(started)} of {count(asked, 'monitor')} started"])


def _read(documents: Sequence[Document], parameters: Parameters) -> list[MonitorRequest]:
    kinds, problems, requests = settings_of(parameters).kinds, list[Problem](), list[MonitorRequest]()
    for document in documents:
        try:
            requests.append(request_of(document, parameters, str(uuid4()), kinds))
        except RequestError as error:
            problems += error.problems
    places: dict[str, Document] = {}
    for request, document in zip(requests, documents, strict=False):
        if problems:
            break
        if request.job_id in places:
            before = places[request.job_id].place("")
            problems.append(Problem(f"{document.place('')}, job_id", f"{request.job_id!r} is in {before} too"))
        places[request.job_id] = document
    if problems:
        raise RequestError(problems)
    return requests


def _ends(service: Monitors, jobs: Sequence[str]) -> AsyncGenerator[MonitorView, None]:
    """The last view of each monitor, as it ends. Closed early, it watches none any more."""
    pace, slots = max(0.5, len(jobs) / _LOOKS_A_SECOND), asyncio.Semaphore(AT_A_TIME)

    async def end(job_id: str) -> MonitorView:
        async with slots:  # many that have ended already are soon told from the others
            last = await service.get(job_id, deliveries=False)
        if last.verdict is None:
            views = service.watch(job_id, last.run, poll_seconds=pace)
            async for view in views:
                last = view
        return last

    return side_by_side(end(job_id) for job_id in jobs)


def _jobs(parameters: Parameters) -> list[str]:
    given: list[str] = parameters["job_ids"]
    if "-" in given:
        given = [*(job for job in given if job != "-"), *_ids_on(sys.stdin.buffer)]
    jobs = list(dict.fromkeys(given))
    if len(jobs) > MOST_REQUESTS:
        reason = f"there are {len(jobs):,}, and should be at most {MOST_REQUESTS:,}"
        raise RequestError([Problem("JOB_ID", reason)])
    if not jobs:
        raise RequestError([Problem("JOB_ID", "there is none: name the jobs, or - for those on stdin")])
    return jobs


def _ids_on(stdin: BinaryIO) -> list[str]:
    content = stdin.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise RequestError([Problem("stdin", "is larger than 16 MiB")])
    try:
        return content.decode().split()
    except UnicodeDecodeError as error:
        raise RequestError([Problem("stdin", f"is not UTF-8 (at byte {error.start})")]) from error


def _is_agreed(jobs: Sequence[str]) -> bool:
    what = f"Delete what is known of {count(len(jobs), 'ended monitor')}?"
    if not sys.stdin.isatty():
        say(f"{what} Say --yes: there is nobody to ask")
        return False
    return input(f"{what} [y/N] ").strip().lower() in {"y", "yes"}


def print_all(documents: list[dict[str, Any]], parameters: Parameters) -> None:
    """All of it as one document, where that is asked for."""
    if parameters["output"] in {Output.JSON, Output.YAML}:
        print_document(documents, parameters["output"])


def _end_line(view: MonitorView) -> str:
    document = view.document()
    took = duration(document["monitoring_duration_seconds"])
    return f"{clean(view.job_id)} {view.state} after {took}: {clean(str(document['reason']))}"
