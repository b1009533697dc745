"""The kind `http` over several checks: what has changed since the first one, and conditional requests."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from aiohttp import web
from pydantic import JsonValue

from monitor_core.conditions import conditions
from monitor_core.contract import ErrorClass
from monitor_core.contract.turn import LONGEST_CHECKPOINT
from monitor_core.kinds import HttpCheck
from monitor_worker.checks.base import CheckContext, Observation, Resources
from monitor_worker.checks.http import HttpDriver, create
from monitor_worker.checks.targets import TargetGuard
from support.web import Answer, Target, serving

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
ETAGS = {"etag": '"v{version}"'}
DATES = {"last-modified": "{date}"}


@dataclass
class Site:
    """What a server says: it honours preconditions as aiohttp's own file responses do."""

    headers: Mapping[str, str] = field(default_factory=dict)
    version: int = 1
    status: str = "Running"
    code: int = 200

    def says(self) -> dict[str, str]:
        date = format_datetime(LONG_AGO + timedelta(hours=self.version), usegmt=True)
        return {name: value.format(version=self.version, date=date) for name, value in self.headers.items()}

    async def answer(self, request: web.Request) -> web.StreamResponse:
        says = self.says()
        if self.code == 200 and "etag" in says and request.headers.get("If-None-Match") == says["etag"]:
            return web.Response(status=304, headers=says)
        if (
            self.code == 200
            and "If-None-Match" not in request.headers
            and "last-modified" in says
            and request.headers.get("If-Modified-Since") == says["last-modified"]
        ):
            return web.Response(status=304, headers=says)
        content = {"status": self.status, "version": self.version}
        return web.json_response(content, status=self.code, headers=says)


class Monitor:
    """Checks one after another, each given what the one before left, by way of the history."""

    def __init__(self, target: Target, driver: HttpDriver, **fields: object) -> None:
        self._driver, self._checkpoint = driver, dict[str, JsonValue]()
        self.spec = HttpCheck.model_validate({"url": target.url(), **fields})

    async def check(self) -> Observation:
        # Read back as an engine that sorts names would give it.
        left = json.loads(json.dumps(self._checkpoint, sort_keys=True)) or None
        seen = await self._driver.check(self.spec, CheckContext("job", "run.0.1.1", 1, 10.0, left))
        if seen.checkpoint is not None:
            assert len(json.dumps(dict(seen.checkpoint))) <= LONGEST_CHECKPOINT
            self._checkpoint = dict(seen.checkpoint)
        return seen


@asynccontextmanager
async def monitoring(answer: Answer, **fields: object) -> AsyncIterator[tuple[Monitor, Target]]:
    async with serving(answer) as target:
        driver = create(Resources(TargetGuard([f"127.0.0.1:{target.port}"])))
        try:
            yield Monitor(target, driver, **fields), target
        finally:
            await driver.close()


def holds(text: str | None, seen: Observation) -> bool:
    judge = conditions(text, None, HttpCheck).success
    assert judge is not None
    return judge.holds(seen.variables)


class TestChanged:
    """Whether an answer differs from the monitor's first one."""

    @pytest.mark.parametrize("headers", [ETAGS, DATES, ETAGS | DATES, {}, {"etag": "unquoted-{version}"}])
    @pytest.mark.parametrize("conditional", [False, True])
    async def test_it_is_told_until_the_first_one_is_back(
        self, headers: dict[str, str], conditional: bool
    ) -> None:
        site = Site(headers)
        changed = []
        async with monitoring(site.answer, conditional=conditional) as (monitor, _):
            for site.version in (1, 1, 2, 2, 3, 1):
                changed.append((await monitor.check()).variables["changed"])

        assert changed == [False, False, True, True, True, False]

    @pytest.mark.parametrize(
        ("first", "then", "changed"),
        [
            # The ETag counts alone, whatever else is new, and a proxy that weakens it changes nothing.
            ({"etag": '"a"', "x": "{version}"}, {"etag": '"a"'}, False),
            ({"etag": '"a"'}, {"etag": 'W/"a"'}, False),
            ({"etag": 'W/"a"'}, {"etag": 'W/"b"'}, True),
            ({"etag": '"a"'} | DATES, {"etag": '"a"'} | DATES, False),
            # What only one of them has cannot be compared.
            ({"etag": '"a"', "last-modified": "yesterday"}, {"last-modified": "yesterday"}, False),
            ({"etag": '"a"', "last-modified": "yesterday"}, {"last-modified": "today"}, True),
            ({"etag": '"a"'}, {}, True),
            ({}, {"etag": '"a"'}, True),
        ],
    )
    async def test_it_is_told_by_the_best_that_both_have(
        self, first: dict[str, str], then: dict[str, str], changed: bool
    ) -> None:
        site = Site(first, version=1)
        async with monitoring(site.answer) as (monitor, _):
            await monitor.check()
            site.headers, site.version = then, 2
            assert (await monitor.check()).variables["changed"] is changed

    @pytest.mark.parametrize(("headers", "changed"), [(ETAGS, True), (DATES, True), ({}, False)])
    async def test_by_head_the_headers_tell(self, headers: dict[str, str], changed: bool) -> None:
        site = Site(headers)
        async with monitoring(site.answer, method="HEAD") as (monitor, _):
            await monitor.check()
            site.version = 2
            assert (await monitor.check()).variables["changed"] is changed

    async def test_only_good_answers_count(self) -> None:
        """The first one sets what is compared with; others never differ."""
        site = Site(ETAGS, code=503)
        async with monitoring(site.answer, expected_codes=["2xx", "404"]) as (monitor, _):
            seen = []
            for site.code, site.version in ((503, 1), (404, 2), (200, 3), (503, 4), (404, 5), (200, 3), (200, 6)):
                seen.append((await monitor.check()).variables["changed"])

        assert seen == [False] * 6 + [True]

    async def test_an_answer_of_2xx_that_is_not_expected_sets_nothing(self) -> None:
        site = Site(ETAGS, code=202)
        async with monitoring(site.answer, expected_codes=["200"]) as (monitor, _):
            assert (await monitor.check()).checkpoint is None
            site.code, site.version = 200, 2
            assert (await monitor.check()).variables["changed"] is False

    @pytest.mark.parametrize("conditional", [False, True])
    async def test_what_stays_the_same_is_not_written_again(self, conditional: bool) -> None:
        site = Site(ETAGS)
        async with monitoring(site.answer, conditional=conditional) as (monitor, _):
            written = [(await monitor.check()).checkpoint is not None for _ in range(3)]

        assert written == [True, False, False]

    async def test_no_content_is_kept(self) -> None:
        site = Site({"etag": '"a-tag"'}, status="a-status")
        async with monitoring(site.answer) as (monitor, _):
            left = (await monitor.check()).checkpoint

        assert left is not None
        assert "a-tag" not in json.dumps(dict(left))
        assert "a-status" not in json.dumps(dict(left))


class TestConditional:
    """A server that is asked whether the answer before still stands."""

    @pytest.mark.parametrize(
        ("headers", "sent"),
        [
            (ETAGS, {"If-None-Match": '"v1"'}),
            ({"etag": 'W/"v1"'}, {"If-None-Match": 'W/"v1"'}),
            (DATES, {"If-Modified-Since": "Thu, 01 Jan 2026 01:00:00 GMT"}),
            (ETAGS | DATES, {"If-None-Match": '"v1"', "If-Modified-Since": "Thu, 01 Jan 2026 01:00:00 GMT"}),
        ],
    )
    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    async def test_a_304_is_the_answer_before(
        self, headers: dict[str, str], sent: dict[str, str], method: str
    ) -> None:
        site = Site(headers)
        async with monitoring(site.answer, conditional=True, method=method) as (monitor, target):
            first, second, third = [await monitor.check() for _ in range(3)]

        asked = [
            {name: each.headers[name] for name in ("If-None-Match", "If-Modified-Since") if name in each.headers}
            for each in target.asked
        ]
        assert asked == [{}, sent, sent]
        assert [each.variables["not_modified"] for each in (first, second, third)] == [False, True, True]
        for seen in (second, third):
            assert (seen.status, seen.error) == (first.status, None)
            assert (seen.summary or "").startswith("304 Not Modified")
            assert seen.variables["code"] == 200
            assert seen.variables.get("status") == first.variables.get("status")
            assert not {"body", "text"} & set(seen.variables)
            assert seen.variables["headers"].items() >= site.says().items()

    async def test_a_condition_over_what_is_remembered_holds_on(self) -> None:
        """So `consecutive_successes` counts on."""
        site = Site(ETAGS, status="Succeeded")
        async with monitoring(site.answer, conditional=True) as (monitor, _):
            seen = [await monitor.check() for _ in range(3)]

        for text in (None, "code == 200", "status == 'Succeeded'", "!changed"):
            assert [holds(text, each) for each in seen] == [True] * 3

    async def test_a_condition_over_the_content_is_judged_once_for_each_version(self) -> None:
        site = Site(ETAGS)
        judged = []
        async with monitoring(site.answer, conditional=True) as (monitor, _):
            for site.version in (1, 1, 2, 2):
                judged.append(holds("!not_modified && body.version == 2", await monitor.check()))

        assert judged == [False, False, True, False]

    async def test_what_is_new_comes_whole_and_is_asked_for_from_then_on(self) -> None:
        site = Site(ETAGS)
        async with monitoring(site.answer, conditional=True) as (monitor, target):
            await monitor.check()
            site.version, site.status = 2, "Succeeded"
            new = await monitor.check()
            again = await monitor.check()

        assert (new.variables["not_modified"], new.variables["body"]["version"]) == (False, 2)
        assert (again.variables["not_modified"], again.variables["changed"], again.status) == (
            True,
            True,
            "Succeeded",
        )
        assert target.asked[2].headers["If-None-Match"] == '"v2"'

    async def test_an_error_between_changes_nothing(self) -> None:
        site = Site(ETAGS)
        async with monitoring(site.answer, conditional=True) as (monitor, _):
            await monitor.check()
            site.code = 503
            assert (await monitor.check()).error is not None
            site.code = 200
            assert (await monitor.check()).variables["not_modified"] is True

    async def test_unless_asked_for_nothing_is_sent(self) -> None:
        site = Site(ETAGS | DATES)
        async with monitoring(site.answer) as (monitor, target):
            seen = [await monitor.check() for _ in range(2)]

        assert "If-None-Match" not in target.asked[1].headers
        assert "If-Modified-Since" not in target.asked[1].headers
        assert [each.variables["not_modified"] for each in seen] == [False, False]

    async def test_a_304_that_nothing_asked_for_is_an_error(self) -> None:
        async def answer(request: web.Request) -> web.StreamResponse:
            return web.Response(status=304)

        async with monitoring(answer, conditional=True) as (monitor, _):
            seen = await monitor.check()

        assert seen.error is not None
        assert seen.error.error_class is ErrorClass.PERMANENT
        assert "an answer that is not known here" in str(seen.error)
        assert (seen.variables["code"], seen.variables["not_modified"]) == (304, False)
        assert "text" not in seen.variables

    async def test_an_answer_that_was_redirected_is_asked_for_whole(self) -> None:
        """And what is known of a URL is not sent on to where it redirects."""
        site = Site(ETAGS)

        async def answer(request: web.Request) -> web.StreamResponse:
            if request.path == "/" and site.code == 302:
                return web.Response(status=302, headers={"Location": "/there"})
            return await Site(ETAGS).answer(request)

        async with monitoring(answer, conditional=True) as (monitor, target):
            seen = []
            for site.code in (302, 302, 200, 302):
                seen.append((await monitor.check()).variables["not_modified"])

        asked = [(each.path, each.headers.get("If-None-Match")) for each in target.asked]
        assert asked[:5] == [("/", None), ("/there", None)] * 2 + [("/", None)]
        assert asked[5:] == [("/", '"v1"'), ("/there", None)]
        assert seen == [False] * 4

    @pytest.mark.parametrize("headers", [{}, {"etag": '"' + "a" * 4000 + '"'}, {"etag": "caf\u00e9"}])
    async def test_what_cannot_be_asked_for_comes_whole_each_time(self, headers: dict[str, str]) -> None:
        site = Site(headers)
        async with monitoring(site.answer, conditional=True) as (monitor, target):
            seen = [await monitor.check() for _ in range(2)]

        assert "If-None-Match" not in target.asked[1].headers
        assert [each.variables["body"]["version"] for each in seen] == [1, 1]

    async def test_a_long_status_is_not_kept(self) -> None:
        site = Site(ETAGS, status="\U0001f600" * 1000)
        async with monitoring(site.answer, conditional=True) as (monitor, target):
            seen: list[Any] = [(await monitor.check()).variables["status"] for _ in range(2)]

        assert seen == [site.status] * 2
        assert "If-None-Match" not in target.asked[1].headers
