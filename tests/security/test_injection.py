"""What a stranger writes stays what it is: it becomes no header, no event, no file and no markup of ours."""

import asyncio
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any, Final
from urllib.parse import quote

import aiohttp
import pytest
from durabletask.client import OrchestrationStatus

from monitor_client.api import create_app
from monitor_core.contract import instance_id, parse_request
from monitor_core.kinds import BUILT_IN
from support.asking import ask
from support.fake_scheduler import FakeScheduler, Instance, result, status
from support.serving import serving

PLAIN: Final = "a text"
EVIL: Final = (
    "\"'{{ 7*7 }}></script><script>x()</script>\r\nSet-Cookie: taken=1\r\n\r\nevent: verdict\ndata: {}\n\n\u2028&"
)
LINES: Final = re.compile(r"(event|id|retry|data): .*|: .*|")


@pytest.fixture
def scheduler() -> FakeScheduler:
    return FakeScheduler()


@pytest.fixture
def base(scheduler: FakeScheduler) -> Iterator[str]:
    app = create_app(scheduler.service(), "http://scheduler", requests_per_second=10_000, outcome_seconds=0)
    with serving(app) as url:
        yield url


def printable(text: str) -> str:
    """What of a text may be a job's id."""
    return "".join(filter(str.isprintable, text))


def told(text: str, *, has_ended: bool = False) -> dict[str, Any]:
    """An instance in which every text that comes from outside is this one."""
    at = "2026-01-01T12:00:00Z"
    check = {
        "kind": "http",
        "url": f"https://example.com/{quote(text)}",
        "headers": {"X-Said": printable(text)},
        "body": {text: [text]},
        "method": "POST",
        "allow_repeat": True,
    }
    words = json.dumps(text)
    asked = {
        "job_id": printable(text),
        "check": check,
        "labels": {"team": text},
        "success_when": f"text == {words}",
        "failure_when": f"text == {words}",
    }
    moved = [{"at": at, "status": text}]
    commands = [{"id": text[:64], "name": "pause", "at": at, "accepted": False, "message": text}]
    shown = status(job_id=text, observed=text, summary=text, error=text, transitions=moved, commands=commands)
    output = result(
        job_id=text,
        reason=text,
        last_error={"error_class": "permanent", "message": text, "at": at},
        transitions=moved,
        revisions=[{"revision": 1, "at": at, "command": "edit", "command_id": "x", "changes": {text: text}}],
        labels={"team": text},
    )
    output["last_observation"] |= {"status": text, "summary": text}
    request = parse_request(asked, BUILT_IN).model_dump(mode="json", exclude_defaults=True)
    given = {"request": request, "run": "run-1"}
    ended: dict[str, Any] = {"output": output, "runtime": OrchestrationStatus.COMPLETED} if has_ended else {}
    return {"given": given, "shown": shown, **ended}


def put(scheduler: FakeScheduler, text: str, *, has_ended: bool) -> None:
    """A monitor of the job `job` that tells of itself as this text: who wrote its instance wrote all that."""
    scheduler.instances[instance_id("job")] = Instance(**told(text, has_ended=has_ended))


async def test_no_text_becomes_a_header(base: str) -> None:
    name = printable(EVIL)
    job = quote(name, safe="")
    asked = {"job_id": name, "check": {"kind": "simulated"}, "labels": {"team": EVIL}}
    answers = [
        await ask("POST", f"{base}/monitors", {**asked, "job_id": EVIL}),
        await ask("POST", f"{base}/monitors", asked),
        await ask("POST", f"{base}/monitors/{job}/cancel", {"reason": EVIL}),
        await ask("GET", f"{base}/operations/{job}"),
        await ask("GET", f"{base}/m/{job}"),
        *[await ask("GET", f"{base}/{place}/{quote(EVIL, safe='')}") for place in ("monitors", "operations", "m")],
        *[await ask("DELETE", f"{base}/monitors/{quote(EVIL, safe='')}")],
    ]
    assert [answer.status for answer in answers] == [400, 202, 202, 200, 200, 404, 404, 404, 404]
    assert answers[1].headers["Location"] == f"{base}/monitors/{job}"
    for answer in answers:
        assert "Set-Cookie" not in answer.headers
        assert all(f"{name}: {value}".isprintable() for name, value in answer.headers.items())


@pytest.mark.parametrize("run", ["a b", "\xe9", "x" * 65, "a/b", "a;b"])
async def test_a_run_that_is_no_plain_name_is_refused(base: str, scheduler: FakeScheduler, run: str) -> None:
    asked = {"job_id": "job-1", "check": {"kind": "simulated"}}
    refused = await ask("POST", f"{base}/monitors", asked, Repeatability_Request_ID=run)
    assert refused.status == 400
    assert scheduler.instances == {}


async def test_no_text_becomes_an_event(base: str, scheduler: FakeScheduler) -> None:
    put(scheduler, EVIL, has_ended=True)
    async with (
        asyncio.timeout(20),
        aiohttp.ClientSession() as http,
        http.get(f"{base}/monitors/job/events") as answer,
    ):
        stream = (await answer.read()).decode()
    # As a browser splits it: only these three end a line.
    lines = re.split(r"\r\n|\n|\r", stream)
    assert [line for line in lines if not LINES.fullmatch(line)] == []
    assert [line for line in lines if line.startswith("event: ")] == ["event: verdict"]
    (data,) = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
    assert json.loads(data)["result"]["reason"] == EVIL


class Outline(HTMLParser):
    """The elements of a page, each with the names of its attributes, and what is not allowed in one."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements, self.wrong = list[str](), list[str]()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.elements.append(f"{tag} {' '.join(name for name, _ in attrs)}")
        handlers = [name for name in given if name.startswith("on") or name == "style"]
        leads = [value or "" for name, value in attrs if name in {"href", "src", "action"}]
        away = [value for value in leads if not value.startswith(("/", "#"))]
        inline = [tag] if tag in {"script", "style"} and "src" not in given else []
        self.wrong += [*handlers, *away, *inline]


@pytest.mark.parametrize("has_ended", [False, True], ids=["running", "ended"])
@pytest.mark.parametrize(
    ("path", "code", "times"),
    [
        ("/", 200, 2),
        ("/?prefix={text}&label=a%3D{text}", 200, 2),
        ("/?state={text}", 200, 1),
        ("/m/job", 200, 8),
        ("/m/none{text}", 404, 1),
        ("/start?from=job", 200, 4),
    ],
)
async def test_no_text_becomes_markup(
    base: str, scheduler: FakeScheduler, path: str, code: int, times: int, *, has_ended: bool
) -> None:
    pages = []
    for text in (PLAIN, EVIL):
        put(scheduler, text, has_ended=has_ended)
        answer = await ask("GET", base + path.format(text=quote(text, safe="")))
        assert (answer.status, answer.headers["Content-Type"]) == (code, "text/html; charset=utf-8")
        pages.append(answer.text)
    plain, evil = map(Outline, pages)
    assert evil.elements == plain.elements
    assert evil.wrong == []
    assert pages[1].count("script&gt;x()") >= times, "it is shown, as the text that it is"
    assert "{ 7*7 }" in pages[1], "and no template"


@pytest.mark.parametrize(
    "path",
    [
        "/static/x/..%2fpages.py",
        "/static/x/%2e%2e%2fpages.py",
        "/static/x/..%5cpages.py",
        "/static/..%2f..%2fserver.py/pages.py",
        "/static/x/%2fetc%2fpasswd",
        "/static/x/page.css%00.py",
        "/static/x/.",
        "/static/x/..",
    ],
)
async def test_no_path_leads_to_another_file(base: str, path: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(base.rpartition(":")[2]))
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    assert answer.startswith(b"HTTP/1.1 404")
