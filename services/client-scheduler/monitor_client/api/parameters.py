"""Refuses what a route does not know: a misspelt parameter that is left out unheard would do something else."""

from collections.abc import Iterator
from difflib import get_close_matches

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from monitor_core.contract import Problem, RequestError
from monitor_core.contract.wording import MOST_PROBLEMS, first_of


def require_known_parameters(request: Request) -> None:
    """A dependency of every route: the query has no parameters but the route's own.

    Raises:
        RequestError: names those that are none, and what was meant.
    """
    route = request.scope["route"]
    known = sorted(set(_names(route.dependant))) if isinstance(route, APIRoute) else []
    unknown = [name for name in dict.fromkeys(request.query_params) if name not in known]
    if unknown:
        shown, left = unknown[:MOST_PROBLEMS], len(unknown[MOST_PROBLEMS:])
        raise RequestError(first_of([Problem(name, _reason(name, known)) for name in shown], "query", left))


def _names(dependant: Dependant) -> Iterator[str]:
    for parameter in dependant.query_params:
        yield parameter.alias
    for other in dependant.dependencies:
        yield from _names(other)


def _reason(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, 1)
    if close:
        return f"is not a known parameter: did you mean {close[0]}?"
    return f"is not a known parameter: there are {', '.join(known)}" if known else "is not a known parameter"
