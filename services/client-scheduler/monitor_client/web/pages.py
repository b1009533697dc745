"""How a page is made of a template, and how a page says what went wrong."""

from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException

from monitor_client.api.paths import encoded
from monitor_client.api.problems import problem_of
from monitor_client.errors import ServiceError
from monitor_client.web import assets
from monitor_client.web.paths import at, entries, in_words, shown_json, yes_in_words
from monitor_core.contract import RequestError
from monitor_core.words import duration, span, until

_Handler = Callable[[Request], Coroutine[Any, Any, Response]]


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _clock(text: str) -> str:
    return _moment(text).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _length(seconds: float) -> str:
    return span(seconds) if float(seconds).is_integer() else duration(seconds)


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"at": at, "static": assets.PREFIX}
    environment.filters |= {
        "clock": _clock,
        "entries": entries,
        "in_words": in_words,
        "length": _length,
        "yes_in_words": yes_in_words,
        "encoded": encoded,
        "shown_json": shown_json,
        "until": lambda text, now: until(_moment(text), now),
    }
    return environment


_ENVIRONMENT: Final = _environment()


def page(template: str, *, status: int = HTTPStatus.OK, **context: Any) -> HTMLResponse:
    """The page that `template` makes of `context`; never kept, since it shows a moment."""
    text = _ENVIRONMENT.get_template(template).render(now=datetime.now(UTC), **context)
    return HTMLResponse(text, status, headers={"Cache-Control": "no-store"})


class PageRoute(APIRoute):
    """Says what goes wrong by design as a page, with the status that the API has for it."""

    def get_route_handler(self) -> _Handler:
        """The handler, with what it raises told."""
        handle = super().get_route_handler()

        async def told(request: Request) -> Response:
            try:
                return await handle(request)
            except (ServiceError, RequestError) as error:
                problem = problem_of(error)
                return _wrong(problem.status, problem.detail)
            except RequestValidationError as error:
                return _wrong(HTTPStatus.BAD_REQUEST, "; ".join(_reason(one) for one in error.errors()))
            except HTTPException as error:
                return _wrong(error.status_code, str(error.detail))

        return told


def _wrong(status: int, detail: str) -> Response:
    return page("error.html", status=status, title=HTTPStatus(status).phrase, detail=detail)


def _reason(error: Mapping[str, Any]) -> str:
    return f"{error['loc'][-1]}: {str(error['msg']).removeprefix('Value error, ')}"
