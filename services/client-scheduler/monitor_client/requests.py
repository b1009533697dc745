"""Builds a request from the options of the command line; refuses what would be dropped silently."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from monitor_client.numerals import number_in
from monitor_core.contract import MonitorRequest, Problem, RequestError, parse_request
from monitor_core.contract.request import YEAR
from monitor_core.kinds import BUILT_IN
from monitor_core.kinds.base import Kinds

Options = Mapping[str, Any]
"""Values by parameter name, as typed by the user; None, False or an empty list where not given."""

_PLACEHOLDER: Final = re.compile(r"\{\w+\}")
_PLACES: Final[Mapping[str, tuple[str, ...]]] = {
    "job_id": ("job_id",),
    "interval": ("polling", "interval_seconds"),
    "timeout": ("timeout_seconds",),
    "success_when": ("success_when",),
    "failure_when": ("failure_when",),
    "backoff": ("polling", "backoff"),
    "max_interval": ("polling", "max_interval_seconds"),
    "jitter": ("polling", "jitter"),
    "turn_seconds": ("polling", "turn_seconds"),
    "check_timeout": ("check_timeout_seconds",),
    "tolerate_errors": ("tolerance", "consecutive_errors"),
    "successes": ("tolerance", "consecutive_successes"),
    "method": ("check", "method"),
    "expect": ("check", "expected_codes"),
    "allow_repeat": ("check", "allow_repeat"),
    "simulate_checks": ("check", "checks"),
    "simulate_outcome": ("check", "outcome"),
}
_ARGUMENTS: Final[Mapping[str, str]] = {
    "job_id": "JOB_ID",
    "interval": "POLLING_INTERVAL",
    "timeout": "TIMEOUT",
}
_NUMBERS: Final = frozenset(
    {
        "interval",
        "timeout",
        "backoff",
        "max_interval",
        "jitter",
        "turn_seconds",
        "check_timeout",
        "tolerate_errors",
        "successes",
        "simulate_checks",
    }
)
_SWITCHES: Final = (
    ("callback", ("callback",), True),
    ("no_retry_after", ("polling", "honor_retry_after"), False),
)
"""Options that are on or off: the field, and what it is then."""
_PAIRS: Final = (("header", ":", ("check", "headers")), ("label", "=", ("labels",)))
_NOTIFY: Final = "--notify"
_NOTIFY_SECRET: Final = "--notify-secret"  # noqa: S105 # an option's name
_HTTP_ONLY: Final = ("method", "header", "body", "expect", "no_retry_after", "allow_repeat")
_SIMULATED_ONLY: Final = ("simulate_checks", "simulate_outcome")


class Given(NamedTuple):
    """One field that an option sets."""

    flag: str
    place: tuple[str, ...]
    value: object


def build_request(options: Options, configured_url: str | None, kinds: Kinds = BUILT_IN) -> MonitorRequest:
    """The request that the options ask for.

    Args:
        options: what was given; `job_id` always is.
        configured_url: MONITOR_URL, where the options neither give a URL nor ask to simulate.
        kinds: the kinds of check that there are.

    Raises:
        RequestError: names every option or field that is wrong, and why.
    """
    simulated = any(_is_given(options, name) for name in _SIMULATED_ONLY)
    url = options.get("url")
    if url is None and not simulated:
        url = configured_url
    _refuse_what_has_no_effect(options, url)
    refuse_other_placeholders(url or "", "MONITOR_URL" if options.get("url") is None else "--url")
    asked = list(fields_of({**options, "url": url}))
    try:
        return parse_request(_data(asked), kinds)
    except RequestError as error:
        from_environment = url is not None and options.get("url") is None
        told = [_told(problem, asked, from_environment=from_environment) for problem in error.problems]
        raise RequestError(told) from error


def in_words_of_options(problem: Problem, asked: Sequence[Given]) -> Problem | None:
    """A problem of a field that an option has set, by the option's name; None of any other."""
    for given in asked:
        if f"{problem.field}.".startswith(f"{'.'.join(given.place)}."):
            return Problem(_flag_of(given, problem), problem.reason)
    return None


def fields_of(options: Options) -> Iterator[Given]:
    """The fields that the options set, each a whole.

    Raises:
        RequestError: an option has not the shape that it should have.
    """
    if options.get("url") is not None:
        yield Given("--url", ("check", "kind"), "http")
        yield Given("--url", ("check", "url"), filled(options["url"], options["job_id"]))
    for name, place in _PLACES.items():
        if _is_given(options, name):
            value = number(options[name]) if name in _NUMBERS else options[name]
            yield Given(_ARGUMENTS.get(name, _flag(name)), place, value)
    for name, separator, place in _PAIRS:
        for key, value in _pairs(name, separator, options.get(name) or ()).items():
            yield Given(_flag(name), (*place, key), value)
    if options.get("body") is not None:
        yield Given("--body", ("check", "body"), _body(options["body"]))
    yield from _notified(options.get("notify"), options.get("notify_secret"))
    yield from (Given(_flag(name), place, value) for name, place, value in _SWITCHES if options.get(name))


def _notified(urls: Sequence[str] | None, secret: str | None) -> Iterator[Given]:
    """Who is told: a webhook for each URL, all signed with the same secret."""
    if secret is not None and not urls:
        raise RequestError([Problem(_NOTIFY_SECRET, "has no effect without --notify")])
    signed = {} if secret is None else {"secret": secret}
    if urls:
        yield Given(_NOTIFY, ("on_verdict",), [{"to": {"kind": "webhook", "url": url, **signed}} for url in urls])


def _flag_of(given: Given, problem: Problem) -> str:
    """The option to blame: the webhooks come from two."""
    is_secret = given.flag == _NOTIFY and ".to.secret" in problem.field
    return _NOTIFY_SECRET if is_secret else given.flag


def filled(url: str, job_id: str) -> str:
    """The URL with the job id in it, where it says so."""
    return url.replace("{job_id}", quote(job_id, safe=""))


def refuse_other_placeholders(url: str, source: str) -> None:
    """Let a URL have no placeholder but `{job_id}`.

    Raises:
        RequestError: it has one; `source` is what it is said to be wrong with.
    """
    unknown = [name for name in _PLACEHOLDER.findall(url) if name != "{job_id}"]
    if unknown:
        reason = f"{unknown[0]} is no placeholder: {{job_id}} is the only one (a brace itself is %7B or %7D)"
        raise RequestError([Problem(source, reason)])


def put(data: dict[str, Any], place: tuple[str, ...], value: object) -> None:
    """Set a field, and make the objects around it where they are missing."""
    *outer, last = place
    for name in outer:
        data = data.setdefault(name, {})
    data[last] = value


def seconds(flag: str, text: str | None) -> float | None:
    """A length of time that an option gives; None where it gives none.

    Raises:
        RequestError: it is none of at least 0.
    """
    if text is None:
        return None
    given = number(text)
    if not isinstance(given, int | float) or not 0 <= given <= YEAR:
        raise RequestError([Problem(flag, f"should be a number of seconds, 0 to {YEAR} (got {text[:80]!r})")])
    return float(given)


def _data(asked: Iterable[Given]) -> dict[str, Any]:
    data: dict[str, Any] = {"check": {"kind": "simulated"}}
    for _, place, value in asked:
        put(data, place, value)
    return data


def _told(problem: Problem, asked: Sequence[Given], *, from_environment: bool) -> Problem:
    if from_environment and problem.field == "check.url":
        return Problem("MONITOR_URL", problem.reason)
    return in_words_of_options(problem, asked) or _of_several(problem, asked) or problem


def _of_several(problem: Problem, asked: Sequence[Given]) -> Problem | None:
    """A problem of all headers, or of all labels: it is the option's that gives one of them."""
    names = {".".join(place): name for name, _, place in _PAIRS}
    name = names.get(problem.field)
    given = name is not None and any(one.flag == _flag(name) for one in asked)
    return Problem(_flag(str(name)), problem.reason) if given else None


def _is_given(options: Options, name: str) -> bool:
    return options.get(name) not in (None, False, [], ())


def _refuse_what_has_no_effect(options: Options, url: str | None) -> None:
    problems: list[Problem] = []
    if url is None:
        problems += _without("goes with a URL only: give --url or set MONITOR_URL", options, _HTTP_ONLY)
    else:
        problems += _without("has no effect on a URL: leave out --url", options, _SIMULATED_ONLY)
    backoff = options.get("backoff")
    if _is_given(options, "max_interval") and (backoff is None or number(backoff) == 1):
        problems.append(Problem("--max-interval", "has no effect without a --backoff above 1"))
    if problems:
        raise RequestError(problems)


def _without(reason: str, options: Options, names: Iterable[str]) -> list[Problem]:
    return [Problem(_flag(name), reason) for name in names if _is_given(options, name)]


def _pairs(name: str, separator: str, texts: Sequence[str]) -> dict[str, str]:
    """`Name: value` or `name=value`, each name once; a value may be a secret, and is never shown."""
    pairs: dict[str, str] = {}
    for text in texts:
        key, found, value = (part.strip() for part in text.partition(separator))
        if not found or not key:
            shape = f"NAME{separator}{' ' if separator == ':' else ''}VALUE"
            raise RequestError([Problem(_flag(name), f"should be {shape} (there is no '{separator}' in it)")])
        if key in pairs:
            raise RequestError([Problem(_flag(name), f"'{key}' is given twice")])
        pairs[key] = value
    return pairs


def _body(text: str) -> Any:
    """JSON where it is JSON, else the text itself."""
    try:
        body = json.loads(text, parse_constant=_not_json, parse_int=number)
    except ValueError:
        return text
    except RecursionError:
        raise RequestError([Problem("--body", "is nested too deeply")]) from None
    if body is None:
        raise RequestError([Problem("--body", "null is no body: leave the option out")])
    return body


def _not_json(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def number(text: object) -> object:
    """The number that is meant; what is none stays as it is, for its field to refuse."""
    found = number_in(str(text))
    return text if found is None else found


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")
