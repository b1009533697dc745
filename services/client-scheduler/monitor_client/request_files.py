"""Builds a request from a file; what the options say beside it must not contradict it.

One request a file for now; a file is read into all the documents it has.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any, BinaryIO, Final

from monitor_client.documents import MOST_REQUESTS, TOO_MANY, Document, items_of, parse
from monitor_client.requests import (
    Given,
    Options,
    fields_of,
    filled,
    in_words_of_options,
    put,
    refuse_other_placeholders,
)
from monitor_core.conditions import check_conditions
from monitor_core.contract import MonitorRequest, Problem, RequestError, parse_request
from monitor_core.kinds import BUILT_IN
from monitor_core.kinds.base import Kinds

STDIN: Final = "-"
MOST_BYTES: Final = 16 * 1024 * 1024
_JOB_ID: Final = ("job_id",)


def read_documents(path: str, stdin: BinaryIO | None = None) -> list[Document]:
    """The documents in a YAML or JSON file of at most 16 MiB, `-` being `stdin` (the process's, unless given).

    Raises:
        RequestError: it cannot be read, or is neither; the message names the file and the line.
    """
    source = "stdin" if path == STDIN else path
    try:
        if path == STDIN:
            content = (stdin or sys.stdin.buffer).read(MOST_BYTES + 1)
        else:
            with Path(path).open("rb") as file:
                content = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a path that no file can have
        raise _refused(source, f"cannot be read: {getattr(error, 'strerror', None) or error}") from error
    if len(content) > MOST_BYTES:
        raise _refused(source, "is larger than 16 MiB")
    try:
        documents = parse(content.decode("utf-8-sig"), source)
    except UnicodeDecodeError as error:
        raise _refused(source, f"is not UTF-8 (at byte {error.start})") from error
    requests = [item for document in documents for item in items_of(document)]
    if len(requests) > MOST_REQUESTS:
        raise _refused(source, TOO_MANY)
    return requests


def the_only(documents: Sequence[Document], path: str) -> Document:
    """The one document of a file.

    Raises:
        RequestError: it holds none, or several.
    """
    if len(documents) != 1:
        several = ": start -f takes several, without --watch" if documents else ""
        reason = f"should hold one request, and holds {len(documents)}{several}"
        raise _refused("stdin" if path == STDIN else path, reason)
    return documents[0]


def request_of(document: Document, options: Options, new_id: str, kinds: Kinds = BUILT_IN) -> MonitorRequest:
    """The request that a document asks for, with what the options add to it; its conditions compile.

    Args:
        document: the request; `{job_id}` in its check's `url` is filled in.
        options: what was given beside the file.
        new_id: the job id where neither gives one.
        kinds: what may be checked.

    Raises:
        RequestError: names the file, the line and the field, or the option, and the reason.
    """
    if not isinstance(document.data, dict):
        raise _refused(document.place(""), "should be an object: a request with its fields")
    data = deepcopy(document.data)
    if options.get("job_id") is None:
        options = {**options, "job_id": str(data.setdefault("job_id", new_id))}
    else:
        data.setdefault("job_id", options["job_id"])
    asked = list(_beside(document, options))
    for given in asked:
        put(data, given.place, given.value)
    if document_url := _url(document.data):
        place = document.place("check.url")
        refuse_other_placeholders(document_url, f"{place}, check.url")
    _fill_in(data)
    try:
        request = parse_request(data, kinds)
        check_conditions(request, kinds)
    except RequestError as error:
        raise RequestError([_placed(problem, document, asked) for problem in error.problems]) from error
    return request


def _beside(document: Document, options: Options) -> Iterator[Given]:
    """What the options add to the document, which must not say otherwise."""
    problems = []
    for given in fields_of(options):
        field = _in_the_way(document.data, given)
        if field is not None:
            where = f"contradicts {field} in {document.place(field)}: leave one of them out"
            problems.append(Problem(given.flag, where))
        elif given.place != _JOB_ID:
            yield given
    if problems:
        raise RequestError(problems)


def _in_the_way(data: Any, given: Given) -> str | None:
    """The field that says otherwise, or has no room for what is given."""
    if given.place == _JOB_ID and not isinstance(data.get("job_id", ""), str):
        return None  # no job id at all, which the request says itself
    for depth, name in enumerate(given.place):
        if not isinstance(data, dict):
            return ".".join(given.place[:depth])
        if name not in data:
            return None
        data = data[name]
    return None if data == given.value else ".".join(given.place)


def _url(data: Mapping[str, Any]) -> str | None:
    check = data.get("check")
    url = check.get("url") if isinstance(check, dict) else None
    return url if isinstance(url, str) else None


def _fill_in(data: dict[str, Any]) -> None:
    if url := _url(data):
        data["check"]["url"] = filled(url, str(data["job_id"]))


def _placed(problem: Problem, document: Document, asked: Sequence[Given]) -> Problem:
    by_option = in_words_of_options(problem, asked)
    if by_option is not None:
        return Problem(by_option.field, f"{problem.field} {problem.reason}")
    return Problem(f"{document.place(problem.field)}, {problem.field}", problem.reason)


def _refused(place: str, reason: str) -> RequestError:
    return RequestError([Problem(place, reason)])
