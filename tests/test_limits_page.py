"""docs/limits.md: each row of its tables is run: what is just right is let in, what is too much is refused so."""

import io
import json
import re
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import aiohttp
import pytest

from monitor_client.api import create_app
from monitor_client.cli import main
from monitor_client.request_files import read_documents
from monitor_core import channels
from monitor_core.contract import RequestError, parse_command, parse_request
from monitor_core.kinds import BUILT_IN
from support.closing import connections_closed
from support.fake_scheduler import FakeScheduler
from support.serving import serving

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "limits.md").read_text()
COMMAND: dict[str, dict[str, Any]] = {"edit": {"success_when": "true"}, "extend": {"seconds": 1}}
UNREACHABLE = 6


class Row(NamedTuple):
    section: str
    kind: str
    cells: list[str]

    @property
    def field(self) -> str:
        return self.cells[0]

    @property
    def right(self) -> Any:
        return value(code(self.cells[2]))

    @property
    def wrong(self) -> Any:
        return value(code(self.cells[3]))

    @property
    def told(self) -> str:
        return code(self.cells[4])

    def __str__(self) -> str:
        return f"{self.kind or self.section}: {self.field}, {self.cells[1]}"


def code(cell: str) -> str:
    found = re.fullmatch(r"`(.*)`", cell)
    assert found is not None, cell
    return found[1]


def value(text: str) -> Any:
    """What a cell stands for: JSON, repeated and joined."""
    parts = [_repeated(part) for part in text.split(" + ")]
    return parts[0] if len(parts) == 1 else "".join(parts)


def _repeated(text: str) -> Any:
    one, _, times = text.partition(" * ")
    if one == "nested":
        return json.loads("[" * int(times) + "]" * int(times))
    made, count = json.loads(one), int(times or 1)
    if isinstance(made, dict) and times:
        return {name.replace("#", str(n)): inner for name, inner in made.items() for n in range(count)}
    return made * count if times else made


def rows() -> Iterator[Row]:
    section = kind = ""
    for line in PAGE.splitlines():
        if line.startswith("## "):
            section, kind = line[3:], ""
        elif line.startswith("### "):
            kind = line[4:]
        elif line.startswith("| ") and not line.startswith(("| ---", "| Field", "| Asked", "| Given", "| What ")):
            yield Row(section, kind, [cell.strip() for cell in line.split("|")[1:-1]])


def of(section: str) -> pytest.MarkDecorator:
    found = [row for row in rows() if row.section == section]
    return pytest.mark.parametrize("row", found, ids=str)


def placed(data: Any, path: str, inner: Any) -> None:
    """Put a value where a dotted path says, and make what is around it."""
    *outer, last = path.split(".")
    for name in outer:
        data = data[int(name)] if name.isdigit() else data.setdefault(name, {})
    data[last] = inner


def asked(row: Row, inner: Any) -> Callable[[], object]:
    """What a row of requests or commands tries."""
    if row.section == "A command":
        name, _, field = row.field.partition(".")
        return lambda: parse_command({"id": "i", "name": name, **COMMAND.get(name, {}), field: inner})
    told = {"to": {"kind": "slack", "url": "https://a.example/"}}
    data: dict[str, Any] = {"job_id": "j", "check": {"kind": "simulated"}, "on_verdict": [told]}
    path = row.field
    if row.kind in BUILT_IN:
        data["check"] = {
            "kind": row.kind,
            **json.loads(json.dumps(BUILT_IN[row.kind].example["check"], default=dict)),
        }
    elif row.kind:
        name, _, path = row.field.partition(".")
        told["to"] = json.loads(json.dumps(channels.BUILT_IN[name].example, default=dict))["to"]
        path = f"on_verdict.0.to.{path}"
    if path == "polling.max_interval_seconds":
        data["polling"] = {"backoff": 2}
    placed(data, path, inner)
    return lambda: parse_request(data, BUILT_IN)


@of("A request")
def test_a_request_may_have_so_much(row: Row) -> None:
    require(row)


@of("A command")
def test_a_command_may_have_so_much(row: Row) -> None:
    require(row)


def require(row: Row) -> None:
    asked(row, row.right)()
    with pytest.raises(RequestError) as refused:
        asked(row, row.wrong)()
    problem = next(one for one in refused.value.problems if row.told in one.reason)
    meant = row.field.partition(".")[2] if row.section == "A command" or row.kind == "Channels" else row.field
    assert problem.field in meant or meant in problem.field


class Api(NamedTuple):
    url: str

    async def answer(self, row: Row, given: Any) -> tuple[int, str]:
        """What a request of the row's kind is answered with."""
        where, _, what = row.field.partition(", ")
        method, _, path = where.partition(" ")
        body: str | io.BytesIO | None = None
        query: list[tuple[str, Any]] = []
        headers = {"Content-Type": "application/json"}
        match what.split(" ")[0]:
            case "body":
                body = io.BytesIO(given.encode())
            case "requests" | "reason":
                body = json.dumps({what.split(" ")[0]: given})
            case "Repeatability-Request-ID":
                body, headers[what] = json.dumps({"job_id": "j", "check": {"kind": "simulated"}}), given
            case "any":
                headers["X-A"] = given
            case "":
                path = path.format(job_id=given)
            case name:
                query = [(name, each) for each in (given if isinstance(given, list) else [given])]
        if "callback" in what:
            headers["Authorization"] = "Bearer dmc_x"
        async with (
            connections_closed(),
            aiohttp.ClientSession() as http,
            http.request(method, f"{self.url}{path}?{urlencode(query)}", data=body, headers=headers) as answer,
        ):
            return answer.status, await answer.text()


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    with serving(create_app(FakeScheduler().service(), "http://scheduler", requests_per_second=10_000)) as url:
        yield Api(url)


@of("The HTTP API")
async def test_the_api_takes_so_much(row: Row, api: Api) -> None:
    status, _, words = row.told.partition(": ")
    _, let_in = await api.answer(row, row.right)
    assert words not in let_in
    code_, refused = await api.answer(row, row.wrong)
    assert (str(code_), words in refused) == (status, True), refused[:500]


@of("The command line and files")
def test_the_command_line_takes_so_much(row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    if row.field == "-f FILE":
        read(row.right)
        with pytest.raises(RequestError, match=re.escape(row.told)):
            read(row.wrong)
        return
    monkeypatch.setenv("MONITOR_SERVER", "http://127.0.0.1:1")
    assert typed(row.field, row.right)[0] == UNREACHABLE
    assert row.told in typed(row.field, row.wrong)[1]


def read(content: Any) -> None:
    text = content if isinstance(content, str) else json.dumps(content)
    read_documents("-", io.BytesIO(text.encode()))


def typed(words: str, last: str) -> tuple[int, str]:
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()) as err:
        code_ = main([*words.split(), last])
    return code_, err.getvalue()


@of("What others answer")
def test_what_others_answer_is_held_to_this_by_a_test(row: Row) -> None:
    held, test = row.cells[3], code(row.cells[4])
    if held:
        module, _, name = code(held).rpartition(".")
        assert row.cells[1].startswith(f"{limit(module, name):,}")
    path, _, function = test.partition("::")
    assert re.search(rf"^(async )?def {function}\(", (ROOT / path).read_text(), re.MULTILINE)


def limit(module: str, name: str) -> Any:
    """A constant of a module, or the default of a setting."""
    try:
        return getattr(import_module(module), name)
    except ModuleNotFoundError:
        owner, _, settings = module.rpartition(".")
        return getattr(import_module(owner), settings).model_fields[name].default


def test_every_section_has_its_rows() -> None:
    sections = [row.section for row in rows()]
    for section in re.findall(r"^## (.*)$", PAGE, re.MULTILINE):
        assert section in sections
    assert len(sections) > 70
