"""HTTP targets that answer whatever they like: an observation that can be judged and kept, or a failed check."""

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from monitor_core.conditions import ConditionError, conditions
from monitor_core.contract import CheckError, ErrorClass, ObservationSummary
from monitor_core.contract.turn import LONGEST_CHECKPOINT
from monitor_core.kinds import HttpCheck
from monitor_worker.checks.authorization import Authorizer
from monitor_worker.checks.base import CheckContext, CheckFailed, Observation, Resources
from monitor_worker.checks.http import HttpDriver
from monitor_worker.checks.http_answer import retry_after
from monitor_worker.checks.http_client import HttpClient
from monitor_worker.checks.http_request import Request
from monitor_worker.checks.targets import TargetGuard
from support.strategies import examples

TLS = ssl.create_default_context()
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
YEAR_SECONDS = 366 * 86_400
LINES = (
    *("HTTP/1.1 200 OK", "HTTP/1.1 302 Found", "HTTP/1.1 304 Not Modified", "HTTP/1.1 999 x", "HTTP/1.1 000 x"),
    *(
        "HTTP/1.0 200",
        "HTTP/9.9 200 OK",
        "HTTP/1.1 -1 x",
        "HTTP/1.1 200000 x",
        "ICY 200 OK",
        "",
        "\0",
        "HTTP/1.1 301 x",
    ),
)
LOCATIONS = (
    *(
        "/",
        "//",
        "///",
        "http://",
        "http://[",
        "http://[::1",
        "http://a:99999/",
        "http://a:b/",
        "javascript:1",
        "\\\\a",
    ),
    *(
        "http://\u00e9/",
        "http://a b/",
        "?",
        "#",
        ".",
        "..",
        "../../..",
        "http://u:p@127.0.0.1/",
        "file:///etc/passwd",
    ),
    *(
        "http://169.254.169.254/",
        "http:/a",
        "http:a",
        ":",
        "//127.0.0.1:1/",
        "/%00",
        "/%zz",
        "http://a..b/",
        "http://-/",
    ),
    *("x" * 3000, "http://" + "a" * 300 + "/", "http://\u2488/", "HTTP://A", "http://a/\t", "http://%31/"),
)
RETRIES = (
    *(
        "0",
        "-1",
        "1",
        "1e9",
        "9" * 400,
        "soon",
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "\u00b2",
    ),
    *(
        "Sun, 00 Jan 0000 00:00:00 GMT",
        "Sat, 01 Jan 2026 12:00:00 +9999",
        "1 Jan 99999 00:00",
        "NaN",
        "inf",
        "1.5",
        ",",
    ),
    *(
        "Thu, 01 Jan 2026 12:00:00 -0000",
        "0x10",
        " 5",
        "Mon, 1 Foo 2026 25:61:61 GMT",
        "1 Jan 2026 99:99:99 +99999999",
    ),
)
BODIES = (
    *(
        b"",
        b"{}",
        b'{"status": "Succeeded"}',
        b'{"status": 1e999}',
        b'{"status": "\\ud800"}',
        b"[" * 5000,
        b"\xff\xfe\0",
    ),
    *(
        b'{"a": ' * 500,
        b"null",
        b"NaN",
        b'{"status": "' + b"x" * 500 + b'"}',
        b'{"status": "a\\nb\\u001b[31m"}',
        b"1" * 9999,
    ),
)
HEADERS = (
    *(
        "Content-Type: application/json",
        "Content-Type: text/plain; charset=utf-16",
        "Content-Type: ;;;",
        "ETag: \xff",
    ),
    *(
        "Content-Length: 5",
        "Content-Length: -5",
        "Content-Length: x",
        "Transfer-Encoding: chunked",
        "Transfer-Encoding: x",
    ),
    *(
        "Content-Encoding: gzip",
        "Content-Encoding: br",
        "Set-Cookie: a=b",
        "ETag: " + "e" * 3000,
        "Last-Modified: x",
        "a",
    ),
    *(
        ": x",
        "X y: z",
        "X: \0",
        "X: " + "x" * 9000,
        "Content-Type: application/json; charset=idna",
        "Connection: close",
    ),
)
heads = st.lists(
    st.sampled_from(HEADERS)
    | st.sampled_from(LOCATIONS).map("Location: {}".format)
    | st.sampled_from(RETRIES).map("Retry-After: {}".format),
    max_size=4,
)


@st.composite
def answers(draw: st.DrawFn) -> bytes:
    """The bytes of an answer: mostly one that looks like HTTP."""
    lines = [draw(st.sampled_from(LINES) | st.just(LINES[0])), *draw(heads)]
    head = "\r\n".join(lines).encode("utf-8", "replace")
    return head + b"\r\n\r\n" + draw(st.sampled_from(BODIES) | st.binary(max_size=30))


Ask = Callable[[HttpDriver, int], Awaitable[Any]]


async def answered(content: bytes, ask: Ask) -> Any:
    """What `ask` comes to at a target that says `content` to everything."""

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(content)
        writer.close()

    server = await asyncio.start_server(say, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    guard = TargetGuard([f"127.0.0.1:{port}"])
    driver = HttpDriver(HttpClient(guard, TLS), Authorizer.of(Resources(guard)), lambda: NOW)
    try:
        return await ask(driver, port)
    finally:
        await driver.close()
        server.close()


def require_kept(seen: Observation) -> None:
    """What an observation leaves in the history can be written, read and shown, and can be judged."""
    json.dumps(dict(seen.variables), ensure_ascii=False).encode()
    ObservationSummary(at=NOW, status=seen.status, summary=seen.summary, latency_seconds=0)
    assert f"{seen.status}{seen.summary}".isprintable()
    assert seen.retry_after_seconds is None or 0 <= seen.retry_after_seconds <= YEAR_SECONDS
    assert seen.checkpoint is None or len(json.dumps(dict(seen.checkpoint))) <= LONGEST_CHECKPOINT
    for condition in filter(None, conditions(None, None, HttpCheck)):
        try:
            assert condition.holds(seen.variables) in {True, False}
        except ConditionError as unjudged:
            assert str(unjudged)  # noqa: PT017 # either way is right


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"


@example(content=HEAD + b'{"a": "\\ud800"}', max_redirects=0, conditional=False)
@example(content=b"ICY 200 OK\r\n\r\n", max_redirects=0, conditional=False)
@examples(150)
@given(content=answers(), max_redirects=st.integers(0, 2), conditional=st.booleans())
def test_whatever_a_target_answers_it_is_observed_or_the_check_has_failed(
    content: bytes, max_redirects: int, conditional: bool
) -> None:
    async def ask(driver: HttpDriver, port: int) -> None:
        url = f"http://127.0.0.1:{port}/"
        spec = HttpCheck(url=url, max_redirects=max_redirects, conditional=conditional)
        left = None
        for number in (1, 2):
            try:
                seen = await driver.check(spec, CheckContext("i", "r", number, 5, left))
            except CheckFailed as failed:
                CheckError(error_class=failed.error_class, message=str(failed), at=NOW)
                assert str(failed).isprintable()  # noqa: PT017
            else:
                require_kept(seen)
                left = seen.checkpoint

    asyncio.run(answered(content, ask))


@example(location="ftp://a.example/")
@example(location="https://u:p@a.example/")
@examples(300)
@given(location=st.sampled_from(LOCATIONS) | st.text(max_size=20) | st.text("/:?#[]@.%\\ a1", max_size=12))
def test_a_redirect_leads_somewhere_by_http_or_is_a_failed_check(location: str) -> None:
    asked = Request.get("https://a.example/x", {})
    try:
        moved = asked.redirected(302, location)
    except CheckFailed as failed:
        assert failed.error_class is ErrorClass.PERMANENT  # noqa: PT017
        assert str(failed).isprintable()  # noqa: PT017
        return
    assert moved.url.scheme == "https"
    assert moved.url.host
    assert moved.url.user is None


@examples(300)
@given(value=st.sampled_from(RETRIES) | st.text(max_size=30) | st.text("0123456789 :,+-JanGMT", max_size=30))
def test_a_retry_after_is_seconds_within_a_year_or_nothing(value: str) -> None:
    seconds = retry_after(value, NOW)
    assert seconds is None or 0 <= seconds <= YEAR_SECONDS
