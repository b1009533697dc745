"""The activity `deliver`: whatever a channel does is data in its report, without secrets."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from monitor_core import channels
from monitor_core.contract import Attempt, AttemptReport, Delivery, DeliveryOutcome, ErrorClass, Notice
from monitor_core.kinds import BUILT_IN
from monitor_worker.attempts import Attempts
from monitor_worker.channels.base import CheckFailed, DeliveryContext, Resources
from monitor_worker.checks.masking import Masker
from monitor_worker.checks.registry import ChannelRegistry
from monitor_worker.checks.targets import TargetGuard
from monitor_worker.loop import LoopThread
from monitor_worker.observer import Observer
from support.notices import notice

SECRET = "s3cret-s3cret"
HOOK = {"kind": "webhook", "url": "https://hooks.example/a"}
Deliver = Callable[[Any, Notice, DeliveryContext], Coroutine[Any, Any, str]]


class Fake:
    """A channel that does what a test says."""

    def __init__(self, deliver: Deliver) -> None:
        self._deliver = deliver

    async def deliver(self, spec: Any, notice: Notice, context: DeliveryContext) -> str:
        return await self._deliver(spec, notice, context)

    async def close(self) -> None:
        """There is nothing to close."""


@pytest.fixture(scope="module")
def loop() -> Iterator[LoopThread]:
    running = LoopThread()
    running.start()
    yield running
    running.stop()


def report(
    loop: LoopThread, deliver: Deliver, *, to: dict[str, Any] = HOOK, last: bool = False, **settings: Any
) -> AttemptReport:
    masker = Masker()
    masker.add(SECRET)
    registry = ChannelRegistry(channels.BUILT_IN, Resources(guard=TargetGuard()), lambda *_: Fake(deliver))
    made = Attempts(
        registry,
        loop.hand_over,
        mask=masker,
        observer=Observer(BUILT_IN, masker),
        source="https://hub.example/taskhubs/default",
        **settings,
    )
    attempt = Attempt(delivery=Delivery(to=to, notice=notice("a/b")), number=3, last=last)
    given = attempt.model_dump(mode="json")
    said = made.activity()(SimpleNamespace(orchestration_id="notify-1"), given)  # type: ignore[arg-type]
    return AttemptReport.model_validate(said)


def raising(error: Exception) -> Deliver:
    async def deliver(*_: Any) -> str:
        raise error

    return deliver


def test_what_the_receiver_said_is_reported_without_secrets(loop: LoopThread) -> None:
    seen: list[tuple[Any, Notice, DeliveryContext]] = []

    async def deliver(spec: Any, what: Notice, context: DeliveryContext) -> str:
        seen.append((spec, what, context))
        return f"HTTP 204 {SECRET}"

    said = report(loop, deliver, pages="https://pages.example")
    assert said == AttemptReport(outcome=DeliveryOutcome.DELIVERED, detail="HTTP 204 ***")
    ((spec, what, context),) = seen
    assert (spec.url, what) == (HOOK["url"], notice("a/b"))
    assert (context.request_id, context.number, context.timeout_seconds) == ("notify-1.3", 3, 30)
    assert context.source == "https://hub.example/taskhubs/default"
    assert context.page == "https://pages.example/m/a%2Fb"


@pytest.mark.parametrize(
    ("error_class", "last", "outcome"),
    [
        (ErrorClass.TRANSIENT, False, DeliveryOutcome.PENDING),
        (ErrorClass.TRANSIENT, True, DeliveryOutcome.FAILED),
        (ErrorClass.PERMANENT, False, DeliveryOutcome.FAILED),
        (ErrorClass.MISCONFIGURED, False, DeliveryOutcome.FAILED),
    ],
)
def test_an_error_says_whether_it_is_tried_again(
    loop: LoopThread, error_class: ErrorClass, last: bool, outcome: DeliveryOutcome
) -> None:
    said = report(loop, raising(CheckFailed(error_class, f"refused: {SECRET}", 7)), last=last)
    assert (said.outcome, said.retry_after_seconds) == (outcome, 7)
    assert said.detail.endswith("refused: ***")
    assert ("given up after 3 attempts" in said.detail) is last


def test_a_channel_that_hangs_is_cut_and_tried_again(loop: LoopThread) -> None:
    async def hang(*_: Any) -> str:
        await asyncio.sleep(30)
        return "late"

    said = report(loop, hang, seconds=0.05)
    assert said == AttemptReport(outcome=DeliveryOutcome.PENDING, detail="no answer within 0.05 s")


def test_a_defect_of_a_channel_is_tried_again_and_its_text_goes_nowhere(
    loop: LoopThread, caplog: pytest.LogCaptureFixture
) -> None:
    said = report(loop, raising(KeyError("a stranger's secret")))
    assert (said.outcome, "KeyError" in said.detail) == (DeliveryOutcome.PENDING, True)
    assert "stranger" not in said.detail + caplog.text
    assert "Delivery notify-1.3: KeyError raised at" in caplog.text


@pytest.mark.parametrize(
    ("to", "why"),
    [
        ({"kind": "pigeon"}, "to.kind: this worker knows"),
        ({"kind": "webhook", "url": "ftp://a.example/"}, "to.url: "),
        ({"kind": "webhook", "url": "https://a.example/", "wings": 2}, "to.wings: is not a known field"),
    ],
)
def test_what_this_worker_cannot_read_fails_for_good(loop: LoopThread, to: dict[str, Any], why: str) -> None:
    async def never(*_: Any) -> str:
        raise AssertionError("nothing is to be delivered")

    said = report(loop, never, to=to)
    assert said.outcome is DeliveryOutcome.FAILED
    assert why in said.detail


def test_long_texts_are_cut(loop: LoopThread) -> None:
    said = report(loop, raising(CheckFailed(ErrorClass.TRANSIENT, "x" * 2000)))
    assert len(said.detail) == 500
