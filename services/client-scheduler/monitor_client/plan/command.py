"""The command `plan`: what the options describe, reckoned and printed. It asks neither scheduler nor worker."""

import sys
from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from monitor_client.display import print_rows
from monitor_client.options import Output
from monitor_client.plan.life import SLOWEST_GROWTH
from monitor_client.plan.shown import plan_document, plan_rows
from monitor_client.plan.sizing import Load, Plan
from monitor_client.printing import print_document
from monitor_client.requests import number, put
from monitor_core.contract import Polling, Problem, RequestError
from monitor_core.contract.wording import problems_of

_PLACES: Final[Mapping[str, tuple[str, ...]]] = {
    "monitors": ("monitors",),
    "interval": ("polling", "interval_seconds"),
    "backoff": ("polling", "backoff"),
    "max_interval": ("polling", "max_interval_seconds"),
    "turn_seconds": ("polling", "turn_seconds"),
    "lasts": ("lasts_seconds",),
    "change_every": ("change_every_seconds",),
    "notices": ("notices",),
    "start_rate": ("start_rate",),
    "kind": ("kind",),
    "check_cpu_ms": ("check_cpu_ms",),
    "check_takes": ("check_takes_seconds",),
    "replica_cpu": ("replica_cpu",),
    "slots": ("slots",),
}
_TEXTS: Final = frozenset({"kind"})


def plan(parameters: Mapping[str, Any]) -> int:
    """Print what the load takes."""
    if parameters["output"] is Output.IDS:
        raise RequestError([Problem("--output", "a plan has no job ids: table, json or yaml")])
    made = Plan(load_of(parameters))
    if parameters["output"] is Output.TABLE:
        print_rows(list(plan_rows(made)), sys.stdout)
    else:
        print_document(plan_document(made), parameters["output"])
    return 0


def load_of(parameters: Mapping[str, Any]) -> Load:
    """What the options describe.

    Raises:
        RequestError: names each option that is wrong, and why.
    """
    data: dict[str, Any] = {}
    for name, place in _PLACES.items():
        given = parameters.get(name)
        if given is not None:
            put(data, place, given if name in _TEXTS else number(given))
    try:
        load = Load.model_validate(data)
    except ValidationError as error:
        raise RequestError(_in_words_of_options(one) for one in problems_of(error, whole="kind")) from error
    _refuse_what_cannot_be_planned(load.polling)
    return load


def _refuse_what_cannot_be_planned(polling: Polling) -> None:
    if polling.max_interval_seconds is not None and polling.backoff == 1:
        raise RequestError([Problem("--max-interval", "has no effect without a --backoff above 1")])
    if 1 < polling.backoff < SLOWEST_GROWTH:
        raise RequestError([Problem("--backoff", f"should be 1, or at least {SLOWEST_GROWTH} for a plan")])


def _in_words_of_options(problem: Problem) -> Problem:
    path = tuple(problem.field.split("."))
    name = next((name for name, place in _PLACES.items() if path[: len(place)] == place), None)
    if name is None and path == ("polling",):
        return Problem("--max-interval", "should not be below --interval")
    return Problem(f"--{(name or problem.field).replace('_', '-')}", problem.reason)
