"""Keeps so many monitors in the air through the service's HTTP API, and judges each when it has ended."""

import asyncio
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp

from benchmarks.soak.evidence import complaints, lateness, missed_ticks, repeats
from benchmarks.soak.faults import Faults
from benchmarks.soak.plans import Plan
from benchmarks.soak.target import Account, Target

STARTS_A_SECOND: Final = 15
PATIENCE_SECONDS: Final = 180.0
"""How long after its time a monitor is waited for before it counts as lost."""
SETTLE_SECONDS: Final = 45.0
"""From the verdict until nothing more may come of it: a turn that is out takes 15 s, handed out again 15 more."""
_AGAIN: Final = (429, 502, 503, 504)


@dataclass
class Tally:
    """What came of the monitors that are over."""

    verdicts: Counter[str] = field(default_factory=Counter)
    checks: int = 0
    repeated: int = 0
    late: list[float] = field(default_factory=list)
    missed: int = 0
    """Times without a check that no fault explains: how busy the machine was, and how long it took to catch up."""
    complaints: list[str] = field(default_factory=list)


class Monitors:
    """The monitors under way.

    Args:
        service: the URL of the client-scheduler's service.
        target: what they look at.
        faults: what is done to them.
    """

    def __init__(self, service: str, target: Target, faults: Faults) -> None:
        self._service, self._target, self._faults = service, target, faults
        self._over = asyncio.Event()
        self._lives: set[asyncio.Task[None]] = set()
        self.tally = Tally()

    async def keep(self, number: int, plans: Iterator[Plan]) -> None:
        """Have so many at a time, for ever."""
        async with aiohttp.ClientSession(self._service) as http:
            while not self._over.is_set():
                if len(self._lives) < number:
                    life = asyncio.create_task(self._judged(http, next(plans)))
                    self._lives.add(life)
                    life.add_done_callback(self._lives.discard)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._over.wait(), 1 / STARTS_A_SECOND)
            await asyncio.gather(*self._lives)

    def finish(self) -> None:
        """Start no more, and cancel those under way."""
        self._over.set()

    async def _judged(self, http: aiohttp.ClientSession, plan: Plan) -> None:
        try:
            await self._live(http, plan)
        except Exception as error:  # noqa: BLE001 # one that goes wrong is told of in the end
            self.tally.complaints.append(f"{plan.job_id}: {type(error).__name__}: {error}")

    async def _live(self, http: aiohttp.ClientSession, plan: Plan) -> None:
        account, path = self._target.open(plan), f"/monitors/{plan.job_id}"
        run = uuid.uuid4().hex
        await _call(http, "POST", "/monitors", plan.request(self._target.url), run=run)
        expected = await self._until_over(http, plan, account)
        result = await self._result(http, path)
        await asyncio.sleep(SETTLE_SECONDS)
        self._judge(account, result, expected)
        if await self._result(http, path) != result:
            self.tally.complaints.append(f"{plan.job_id}: its result has changed after its verdict")
        await _call(http, "DELETE", path, accepted=(204, 404))
        self._target.close(plan)

    async def _until_over(self, http: aiohttp.ClientSession, plan: Plan, account: Account) -> list[str]:
        """Wait until its verdict was told; the verdicts that it may be."""
        cancelled_after = plan.seconds if plan.verdict == "Cancelled" else plan.longest_seconds + PATIENCE_SECONDS
        if await self._heard(account, cancelled_after):
            return [plan.verdict]
        if plan.verdict != "Cancelled" and not self._over.is_set():
            raise TimeoutError(f"lost: no verdict was told {PATIENCE_SECONDS:g} s after it was to end")
        command = {"reason": "the soak is over"}
        await _call(http, "POST", f"/monitors/{plan.job_id}/cancel", command, accepted=(200, 202, 409))
        async with asyncio.timeout(PATIENCE_SECONDS):
            await account.heard.wait()
        return [plan.verdict, "Cancelled"]

    async def _heard(self, account: Account, seconds: float) -> bool:
        """Whether a verdict is told within that time, and before the soak is over."""
        waits = [asyncio.ensure_future(event.wait()) for event in (account.heard, self._over)]
        try:
            await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        return account.heard.is_set()

    async def _result(self, http: aiohttp.ClientSession, path: str) -> Mapping[str, Any]:
        async with asyncio.timeout(PATIENCE_SECONDS):
            # The monitor has its deliveries started before it ends.
            while not (view := await _call(http, "GET", path))["result"]:  # noqa: ASYNC110 # nobody tells
                await asyncio.sleep(1)
        result: Mapping[str, Any] = view["result"]
        return result

    def _judge(self, account: Account, result: Mapping[str, Any], expected: list[str]) -> None:
        tally, windows = self.tally, self._faults.windows
        tally.verdicts[result["final_status"]] += 1
        tally.checks += len(account.asked)
        tally.repeated += repeats(account)
        tally.late += lateness(account, windows)
        tally.missed += len(missed_ticks(account, windows))
        job = account.plan.job_id
        tally.complaints += [f"{job}: {complaint}" for complaint in complaints(account, result, windows, expected)]


async def _call(
    http: aiohttp.ClientSession,
    method: str,
    path: str,
    body: Mapping[str, Any] | None = None,
    *,
    run: str | None = None,
    accepted: tuple[int, ...] = (200, 202, 204),
) -> Any:
    """The answer; asked again while the service cannot reach the scheduler.

    Raises:
        RuntimeError: it is refused.
        TimeoutError: the service does not come back.
    """
    headers = {"Repeatability-Request-ID": run} if run else {}
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            # A connection may be closed by the service just as it is used again: each of these may be sent twice.
            with suppress(aiohttp.ClientConnectionError):
                async with http.request(method, path, json=body, headers=headers) as answer:
                    if answer.status in accepted:
                        return None if answer.status == 204 else await answer.json()  # noqa: PLR2004 # no content
                    if answer.status not in _AGAIN:
                        raise RuntimeError(f"{method} {path}: {answer.status} {await answer.text()}")
            await asyncio.sleep(1)
