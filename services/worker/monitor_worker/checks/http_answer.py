"""From an HTTP answer to an observation: the variables, the status, and what a code means. Pure."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final, NamedTuple

from multidict import CIMultiDictProxy
from yarl import URL

from monitor_core.contract import ErrorClass
from monitor_worker.checks.base import CheckFailed, Observation
from monitor_worker.checks.certificates import days_until
from monitor_worker.checks.http_body import decoded, parsed, storable
from monitor_worker.checks.http_request import shown

_LONGEST_STATUS: Final = 100
_LONGEST_WAIT_SECONDS: Final = 366 * 86_400


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Args:
        method: of the request that was answered.
        url: of the request that was answered.
        code: 200, say.
        headers: the answer's.
        content: decompressed.
        latency_seconds: from the check's start to the answer's end.
        certificate_expires: the server's certificate, as seconds since 1970 in UTC; None without TLS.
    """

    method: str
    url: URL
    code: int
    headers: CIMultiDictProxy[str]
    content: bytes
    latency_seconds: float
    certificate_expires: float | None = None


class Meaning(NamedTuple):
    """What a code that is not expected says about the next check, and to a person."""

    error_class: ErrorClass
    advice: str


MEANINGS: Final[Mapping[str, Meaning]] = {
    "401": Meaning(ErrorClass.PERMANENT, "it asks who is asking, and the check sends no credentials"),
    "403": Meaning(ErrorClass.PERMANENT, "the worker may not read it"),
    "404": Meaning(ErrorClass.TRANSIENT, "there is nothing there, perhaps not yet"),
    "405": Meaning(ErrorClass.PERMANENT, "it takes other methods: change check.method"),
    "407": Meaning(ErrorClass.PERMANENT, "a proxy asks who is asking"),
    "408": Meaning(ErrorClass.TRANSIENT, "it did not receive the request in time"),
    "409": Meaning(ErrorClass.TRANSIENT, "its state does not allow this at the moment"),
    "410": Meaning(ErrorClass.PERMANENT, "it is gone for good"),
    "425": Meaning(ErrorClass.TRANSIENT, "it wants to be asked later"),
    "429": Meaning(ErrorClass.TRANSIENT, "it is asked too often: raise polling.interval_seconds"),
    "3xx": Meaning(ErrorClass.PERMANENT, "it is elsewhere: change check.url, or raise check.max_redirects"),
    "5xx": Meaning(ErrorClass.TRANSIENT, "the trouble is on its side"),
    "any": Meaning(ErrorClass.PERMANENT, "change the request, or add the code to check.expected_codes"),
}
"""By code, else by class of codes, else `any`."""


def observation(
    answer: Answer,
    expected_codes: Collection[str],
    now: datetime,
    meanings: Mapping[str, Meaning] = MEANINGS,
) -> Observation:
    """What an answer shows.

    Args:
        answer: any, whatever its code.
        expected_codes: `200` or `2xx`; any other code is the observation's error.
        now: UTC, to count a Retry-After that is a date from.
        meanings: of the codes that are not expected, as MEANINGS.
    """
    variables = _variables(answer, now)
    expected = {str(answer.code), _class_of(answer.code)} & set(expected_codes)
    return Observation(
        status=printable(str(variables.get("status", ""))) or f"HTTP {answer.code}",
        variables=variables,
        summary=_summary(answer),
        error=None if expected else _unexpected(answer, meanings),
        retry_after_seconds=retry_after(answer.headers.get("Retry-After"), now),
    )


def retry_after(value: str | None, now: datetime) -> float | None:
    """The seconds that a Retry-After header asks for, 0 to 366 days; None without one, or where it is garbage."""
    text = (value or "").strip()
    if re.fullmatch(r"[0-9]+", text):
        seconds = float(text)
    else:
        try:
            date = parsedate_to_datetime(text)
            seconds = (date.replace(tzinfo=date.tzinfo or UTC) - now).total_seconds()
        except (ValueError, TypeError, OverflowError, IndexError):  # email.utils takes apart whatever it is given
            return None
    return min(max(seconds, 0.0), _LONGEST_WAIT_SECONDS)


def origin_of(answer: Answer) -> str:
    """Which answer it is, for a message."""
    return f"{named(answer.code)} from {answer.method} {shown(answer.url)}"


def named(code: int) -> str:
    """A code and what it is called."""
    # Not the answer's own phrase: that is the target's text.
    try:
        return f"{code} {HTTPStatus(code).phrase}"
    except ValueError:
        return str(code)


def meaning_of(code: int, meanings: Mapping[str, Meaning]) -> Meaning:
    """What a code that is not expected means, in a table as MEANINGS."""
    return meanings.get(str(code)) or meanings.get(_class_of(code)) or meanings["any"]


def _summary(answer: Answer) -> str:
    size = "" if answer.method == "HEAD" else f", {len(answer.content)} bytes"
    return f"{named(answer.code)}{size} in {answer.latency_seconds * 1000:.0f} ms"


def _variables(answer: Answer, now: datetime) -> dict[str, Any]:
    names = dict.fromkeys(name.lower() for name in answer.headers)
    headers = {storable(name): storable(", ".join(answer.headers.getall(name))) for name in names}
    found = {
        "code": answer.code,
        "method": answer.method,
        "headers": headers,
        "latency_ms": answer.latency_seconds * 1000,
    }
    if answer.certificate_expires is not None:
        found["certificate_days_left"] = days_until(answer.certificate_expires, now.timestamp())
    if answer.method == "HEAD":
        return found
    content_type = headers.get("content-type", "")
    text = decoded(answer.content, content_type)
    return found | {"text": text} | _variables_of_json(text, content_type)


def _variables_of_json(text: str, content_type: str) -> dict[str, Any]:
    try:
        body = parsed(text, content_type)
    except ValueError:
        return {}
    status = body.get("status") if isinstance(body, dict) else None
    return {"body": body, "status": status} if isinstance(status, str) else {"body": body}


def _unexpected(answer: Answer, meanings: Mapping[str, Meaning]) -> CheckFailed:
    meaning = meaning_of(answer.code, meanings)
    return CheckFailed(meaning.error_class, f"{origin_of(answer)}: {meaning.advice}")


def _class_of(code: int) -> str:
    return f"{code // 100}xx"


def printable(text: str, longest: int = _LONGEST_STATUS) -> str:
    """The beginning of a stranger's text, fit for one line."""
    cut = text[:longest]
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in cut)
