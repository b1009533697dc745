"""From an answer about an Azure long-running operation to an observation. Pure.

What an answer says follows from how its URL was come by (the spec's `rule`), as in Azure's SDKs; one that does not
tell is an error of the check, never a success.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from monitor_core.contract import ErrorClass
from monitor_core.kinds.azure_adopt import Rule, provisioning_state
from monitor_worker.checks.azure_errors import told
from monitor_worker.checks.base import CheckFailed, Observation
from monitor_worker.checks.http_answer import (
    MEANINGS,
    Answer,
    Meaning,
    observation,
    origin_of,
    printable,
    retry_after,
)

IN_PROGRESS: Final = "InProgress"
"""The state where only the code tells."""
_FINAL: Final = {word.lower(): word for word in ("Succeeded", "Failed", "Canceled")}
_ACCEPTED: Final = 202
_EXPECTED: Final = ("200", "201", "202", "204")
_MILLISECONDS: Final = ("retry-after-ms", "x-ms-retry-after-ms")
_AS_IN_HTTP: Final = frozenset({"code", "headers", "body"})
_LONGEST_SUMMARY: Final = 300
_NEXT: Final[Mapping[Rule, tuple[str, ...]]] = {
    "operation": ("Azure-AsyncOperation", "Operation-Location"),
    "location": ("Location",),
    "resource": (),
}
# As for `http`, in words that name no field this kind lacks.
_MEANINGS: Final = {
    **MEANINGS,
    "401": Meaning(
        ErrorClass.PERMANENT,
        "it does not accept who is asking: check.auth says who; an Azure Resource Manager is shown the worker's "
        "identity without it",
    ),
    "403": Meaning(
        ErrorClass.PERMANENT, "who is asking may not read it: in Azure the worker's identity needs the role Reader"
    ),
    "405": Meaning(ErrorClass.PERMANENT, "it takes no GET: change check.url"),
    "3xx": Meaning(ErrorClass.PERMANENT, "it is elsewhere: change check.url"),
    "any": Meaning(ErrorClass.PERMANENT, "that is no answer about an operation: change check.url"),
}


def observed(answer: Answer, rule: Rule, now: datetime) -> Observation:
    """What an answer says of the operation.

    Args:
        answer: any, whatever its code.
        rule: how it is read.
        now: UTC, to count a Retry-After that is a date from.
    """
    seen = observation(answer, _EXPECTED, now, _MEANINGS)
    seen = replace(seen, retry_after_seconds=_retry_after(seen, answer, now))
    error = told(seen.variables.get("body"))
    variables = {"error_code": error.code, "error_message": error.message} | {
        name: value for name, value in seen.variables.items() if name in _AS_IN_HTTP
    }
    if seen.error:
        return replace(seen, status=f"HTTP {answer.code}", variables=variables)
    state = _state(answer, rule, seen.variables)
    if state is None:
        return replace(seen, status=f"HTTP {answer.code}", variables=variables, error=_untold(answer, rule))
    summary = ": ".join(filter(None, error)) or str(seen.summary)
    return replace(
        seen,
        status=printable(state),
        variables=variables | {"status": state},
        summary=printable(f"{state}: {summary}", _LONGEST_SUMMARY),
    )


def next_url(answer: Answer, rule: Rule, seen: Observation) -> str | None:
    """Where an operation in progress asks to be looked at from now on; None where it does not say."""
    if seen.error or seen.variables.get("status") in _FINAL.values():
        return None
    return next((answer.headers[name] for name in _NEXT[rule] if answer.headers.get(name)), None)


def in_one_case(state: str) -> str:
    """A state as it is written here: the final ones always alike, any other as it came."""
    return _FINAL.get(state.lower(), state)


def _state(answer: Answer, rule: Rule, variables: Mapping[str, Any]) -> str | None:
    """The operation's state, None where the answer does not tell."""
    by_code = IN_PROGRESS if answer.code == _ACCEPTED else "Succeeded"
    if rule == "location":
        return by_code
    body = variables.get("body")
    named = provisioning_state(body)
    if rule == "operation":
        named = variables.get("status") or named
    if isinstance(named, str) and named:
        return in_one_case(named)
    # A resource without that property is there, and nothing happens to it.
    settled = rule == "resource" and isinstance(body, dict) and named is None
    return by_code if settled or answer.code == _ACCEPTED else None


def _retry_after(seen: Observation, answer: Answer, now: datetime) -> float | None:
    if seen.retry_after_seconds is not None:
        return seen.retry_after_seconds
    found = (retry_after(answer.headers.get(name), now) for name in _MILLISECONDS)
    return next((value / 1000 for value in found if value is not None), None)


def _untold(answer: Answer, rule: Rule) -> CheckFailed:
    place = "`status`" if rule == "operation" else "`properties.provisioningState`"
    hint = f"it has no {place} as a text in a JSON body, as check.rule {rule} has it"
    return CheckFailed(ErrorClass.TRANSIENT, f"{origin_of(answer)} does not tell the operation's state: {hint}")
