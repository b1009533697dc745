"""docs/api.md: every route of the HTTP API, from the OpenAPI document that the service itself gives."""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final

from monitor_client.api import create_app
from monitor_client.api.access import Role, is_open
from monitor_client.gateway import Gateway
from monitor_client.service import MonitorService
from monitor_core.settings import SchedulerSettings
from reference import kind as section
from reference.curl import EXAMPLES, command
from reference.markdown import anchor, code, prose, table
from reference.types import default_in_words, in_words

_INTRODUCTION: Final = """\
# HTTP API

<!-- Generated from the service's OpenAPI document by `make reference`: change the routes, not this page. -->

`python serve.py` serves it on 127.0.0.1:8000, `docker compose up` on port 8000 of this machine. It keeps
nothing: the scheduler is the only store. `GET /openapi.json` is the same in OpenAPI 3.1, for client generators.

**Job ids** stand in paths percent-encoded, a slash as `%2F`. **Times** are ISO 8601 with an offset, in answers
always UTC; durations are seconds.

**Who may**: with `AUTH_MODE=entra` every request but those of probes carries `Authorization: Bearer` with an
access token; `Monitor.Read` may read, `Monitor.Operate` everything. With `AUTH_MODE=none` the service answers
to expected names of this machine only (`MONITOR_ALLOWED_HOSTS`). Behind a proxy `FORWARDED_ALLOW_IPS` says
whose `X-Forwarded-Proto` and `X-Forwarded-For` count; it has to leave the `Host` as it was.

**What goes wrong** is told in problem details ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)) of the media
type `application/problem+json`: `status`, `title`, `detail` for people, `type` (`urn:durable-monitor:` and the
error's name) for programs, `errors` with the fields that are wrong, or that differ. Any request may be answered
with

| Status | When |
| --- | --- |
| 400 | The request cannot be accepted: `errors` names the fields, or the parameters that there are not. |
| 401, 403 | Nobody says who is asking, or the role is missing. |
| 404, 405 | There is nothing here, or not for this method. |
| 408, 413, 415 | The body is too slow, too large (1 MiB, a batch 8 MiB, a callback 4 KiB), or not JSON. |
| 421 | The service is not known by this `Host`. |
| 429 | Too many requests: `Retry-After` says when to come back. |
| 500 | A defect: the log says more. |
| 502, 503 | The scheduler refuses, or cannot be reached. |

Below, each route has those of its own. `HEAD` is answered as `GET`.

To wait with an Azure SDK, give the answer of `POST /monitors` to azure-core's `LROPoller` with
`LROBasePolling`: it follows `Operation-Location`, returns the monitor once it is `Completed`, and raises with
the verdict otherwise."""
_EVERYWHERE: Final = frozenset({"400", "401", "403", "408", "413", "415", "421", "429", "500", "502"})
_NOT_SHOWN: Final = ("check-", "StartRequest", "Polling-Input", "Tolerance-Input")
Document = Mapping[str, Any]


def api_page() -> str:
    """The whole page."""
    document = _document()
    found = {
        operation["operationId"]: (method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    routes = [found[name] for name in EXAMPLES]
    blocks = [_INTRODUCTION, _overview(routes)]
    for method, path, operation in routes:
        blocks += _route(method, path, operation)
    blocks += _parts(document["components"]["schemas"])
    return "\n\n".join(block for block in blocks if block) + "\n"


def _document() -> Document:
    unused: Any = None  # nothing is asked of the scheduler
    said: Document = create_app(MonitorService(Gateway(unused, SchedulerSettings())), "").openapi()
    return said


def _overview(routes: list[tuple[str, str, Document]]) -> str:
    rows = [
        (f"[{code(f'{method} {path}')}]({anchor(f'{method} {path}')})", _first(operation), _role(method, path))
        for method, path, operation in routes
    ]
    return table(("Route", "Does", "Takes the role"), rows)


def _route(method: str, path: str, operation: Document) -> Iterator[str]:
    yield f"## {method} {path}"
    yield prose(operation["description"])
    yield _parameters(operation)
    if "requestBody" in operation:
        yield f"**Body**{'' if operation['requestBody']['required'] else ', may be left out'}: {_body(operation)}"
    yield table(("Status", "Answer", "Headers"), _answers(operation))
    yield f"```sh\n{command(method, EXAMPLES[operation['operationId']])}\n```"


def _first(operation: Document) -> str:
    text = prose(operation["description"].split("\n\n")[0])
    return text.partition(". ")[0].rstrip(".") + "."


def _role(method: str, path: str) -> str:
    if is_open(path):
        return "none"
    return code(Role.READ if method == "GET" else Role.OPERATE)


def _parameters(operation: Document) -> str:
    rows = [
        (
            code(one["name"]),
            one["in"],
            in_words(one["schema"], _link),
            default_in_words(one["name"], one["schema"], one["required"]),
            prose(one.get("description", "")),
        )
        for one in operation.get("parameters", ())
    ]
    return table(("Parameter", "In", "Takes", "Default", "Meaning"), rows) if rows else ""


def _body(operation: Document) -> str:
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    name = schema["$ref"].rpartition("/")[2]
    return "a request: [checks.md](checks.md)" if name == "StartRequest" else _link(name)


def _answers(operation: Document) -> Iterator[tuple[str, str, str]]:
    for status, said in operation["responses"].items():
        is_problem = "$ref" in said
        if is_problem and status in _EVERYWHERE:
            continue
        shown = f"problem: {HTTPStatus(int(status)).phrase.lower()}" if is_problem else _content(said)
        yield status, shown, ", ".join(map(code, said.get("headers", ())))


def _content(said: Document) -> str:
    for media, content in said.get("content", {}).items():
        return in_words(content["schema"], _link) if "schema" in content else code(media)
    return prose(said["description"])


def _link(name: str) -> str:
    return f"[{name}]({anchor(name)})"


def _parts(schemas: Document) -> Iterator[str]:
    yield "## What bodies and answers are made of"
    for name, part in sorted(schemas.items()):
        if name.startswith(_NOT_SHOWN) or name.partition("-")[0] in _kinds(schemas):
            continue
        yield f"### {name}"
        yield prose(part.get("description", ""))
        if "properties" in part:
            yield section.fields(part, _link)
        elif "enum" in part:
            yield in_words(part, _link) + "."


def _kinds(schemas: Document) -> set[str]:
    return {name.removeprefix("check-") for name in schemas if name.startswith("check-")}
