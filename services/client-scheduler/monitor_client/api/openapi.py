"""The OpenAPI document: what the framework derives, and what only we know.

The framework does not know that a request is refused by problem details, and never with 422; nor what a request
holds, which depends on the kinds.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from monitor_client.api.access import is_open
from monitor_client.api.control import ACTIONS
from monitor_client.api.hoisting import hoisted
from monitor_client.api.problems import HEADERS, MEDIA_TYPE, ProblemDetails
from monitor_core.contract import request_schema
from monitor_core.contract.command import COMMANDS, EDITABLE
from monitor_core.kinds import CheckSpec

Document = dict[str, Any]
REQUEST: Final = "StartRequest"
_DESCRIPTION: Final = "Waits durably for things that end somewhere else; docs/api.md has examples."
_BEARER: Final = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "An access token of Microsoft Entra ID with the role Monitor.Read, or Monitor.Operate for what "
    "changes something; where AUTH_MODE=entra.",
}
_CALLBACK: Final = {
    "type": "http",
    "scheme": "bearer",
    "description": "The token that the start of this monitor gave out (`callback`), in place of a role.",
}
_STREAM: Final = "text/event-stream"
_HEADERS: Final[Mapping[HTTPStatus, str]] = {
    HTTPStatus.UNAUTHORIZED: "WWW-Authenticate",
    HTTPStatus.TOO_MANY_REQUESTS: "Retry-After",
    HTTPStatus.SERVICE_UNAVAILABLE: "Retry-After",
}
_GATE: Final = (
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.MISDIRECTED_REQUEST,
    HTTPStatus.TOO_MANY_REQUESTS,
)
_BODY: Final = (
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
)
_SCHEDULER: Final = (HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE)
_WITHOUT_SCHEDULER: Final = frozenset({"/kinds"})
_DECLARED: Final = (HTTPStatus.CONFLICT, HTTPStatus.GATEWAY_TIMEOUT)


def install(app: FastAPI, kinds: Mapping[str, type[CheckSpec]]) -> None:
    """Have `/openapi.json` give the document of `document`."""

    @cache
    def described() -> Document:
        return document(app, kinds)

    app.openapi = described  # type: ignore[method-assign] # the framework's own way to have another document


def document(app: FastAPI, kinds: Mapping[str, type[CheckSpec]]) -> Document:
    """The whole document of the application's routes."""
    made = get_openapi(title=app.title, version=app.version, description=_DESCRIPTION, routes=app.routes)
    components = made["components"]
    schemas = components["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    hoisted(schemas, ProblemDetails.__name__, ProblemDetails.model_json_schema(mode="serialization"))
    hoisted(schemas, REQUEST, request_schema(kinds))
    for name in ACTIONS.values():
        hoisted(schemas, _command(name), _body_of(name))
    schemas["Batch"]["properties"]["requests"]["items"] = _one_of_many()
    components["responses"] = dict(_problems())
    components["securitySchemes"] = {"callback": _CALLBACK, "entra": _BEARER}
    for path, method, operation in _operations(made):
        _complete(path, method, operation)
    return made


def _operations(made: Document) -> Iterator[tuple[str, str, Document]]:
    for path, methods in made["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def _complete(path: str, method: str, operation: Document) -> None:
    responses = operation["responses"]
    responses.pop("422", None)
    for parameter in operation.get("parameters", ()):
        parameter["schema"] = _without_null(parameter["schema"])
    for status, said in responses.items():
        responses[status] = {"$ref": said["$ref"]} if "$ref" in said else said
    if (content := responses.get("200", {}).get("content", {})) and _STREAM in content:
        content[_STREAM] = {}  # what one event is, only a later OpenAPI can say
    for status in _statuses(path, method, operation):
        responses.setdefault(str(int(status)), {"$ref": f"#/components/responses/{status.name}"})
    operation["responses"] = dict(sorted(responses.items()))
    if not is_open(path):
        is_callback = operation["operationId"] == "complete_monitor"
        operation["security"] = [{}, {"entra": []}, *([{"callback": []}] if is_callback else [])]
    if (reference := _request(path)) and method == "post":
        operation["requestBody"]["content"]["application/json"]["schema"] = reference
        operation["requestBody"]["required"] = _is_needed(path)


def _without_null(schema: Document) -> Document:
    """A parameter is given or not; it is never null, as nothing in a URL or header is."""
    options = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
    if len(options) != 1:
        return schema
    return {**options[0], **{name: said for name, said in schema.items() if name != "anyOf"}}


def _statuses(path: str, method: str, operation: Document) -> Iterator[HTTPStatus]:
    yield HTTPStatus.INTERNAL_SERVER_ERROR
    if is_open(path):
        return
    yield from _GATE
    # Whatever is asked may have a body, which is refused before anybody looks at what for.
    yield from _BODY
    if path not in _WITHOUT_SCHEDULER:
        yield from _SCHEDULER
    if "parameters" in operation or "requestBody" in operation:
        yield HTTPStatus.BAD_REQUEST
    if "{job_id}" in path:
        yield HTTPStatus.NOT_FOUND


def _problems() -> Iterator[tuple[str, Document]]:
    plain = (HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND)
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}
    for status in (*plain, *_GATE, *_BODY, *_SCHEDULER, *_DECLARED):
        said: Document = {"description": status.phrase, "content": content}
        if name := _HEADERS.get(status):
            said["headers"] = {name: {"required": True, **HEADERS[name]}}
        yield status.name, said


def _request(path: str) -> Document | None:
    if path in {"/monitors", "/explain"}:
        return {"$ref": f"#/components/schemas/{REQUEST}"}
    action = ACTIONS.get(path.rpartition("/")[2]) if "{job_id}/" in path else None
    return {"$ref": f"#/components/schemas/{_command(action)}"} if action else None


def _is_needed(path: str) -> bool:
    action = ACTIONS.get(path.rpartition("/")[2])
    return action is None or bool(_body_of(action).get("required") or "anyOf" in _body_of(action))


def _one_of_many() -> Document:
    return {
        "description": "Anything but an object has the whole refused; an object that is no request is the problem "
        "of its own result.",
        "anyOf": [{"$ref": f"#/components/schemas/{REQUEST}"}, {}],
    }


def _command(name: str) -> str:
    return COMMANDS[name].__name__


@cache
def _body_of(name: str) -> Document:
    """A command as a body: its name is in the path, and its id may be left out."""
    schema = COMMANDS[name].model_json_schema()
    del schema["properties"]["name"]
    required = [field for field in schema.get("required", ()) if field != "id"]
    schema.pop("required", None)
    if required:
        schema["required"] = required
    if name == "edit":
        # What the model's own validator wants, and its schema cannot say.
        schema["anyOf"] = [_given(field) for field in EDITABLE]
    return schema


def _given(field: str) -> Document:
    return {"required": [field], "properties": {field: {"not": {"type": "null"}}}}
