"""One look at the target: the conditions judged over what a driver saw, and every error turned into data."""

import asyncio
import builtins
import logging
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Literal

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor_core.conditions import Condition, ConditionError
from monitor_core.contract import ErrorClass, Schedule, Turn, parse_request
from monitor_core.kinds import CheckSpec, Variable
from monitor_worker.checks.base import CheckContext, CheckFailed, Observation, Resources
from monitor_worker.checks.registry import Registry
from monitor_worker.checks.targets import TargetGuard
from monitor_worker.looking import looker
from monitor_worker.loop import LoopThread, ask
from monitor_worker.turns import Look, Looker
from support.looks import here
from support.strategies import examples
from support.virtual import START, VirtualClock

KEY = "monitor-job-1"


class ProbeCheck(CheckSpec):
    """A kind whose driver a test writes."""

    variables = MappingProxyType(
        {"up": Variable("bool", "Whether it is up."), "data": Variable("dyn", "What it says.")}
    )
    natural_success = "up"

    kind: Literal["probe"] = "probe"
    depth: int = 1


KINDS = {"probe": ProbeCheck}
Check = Callable[[ProbeCheck, CheckContext], Coroutine[Any, Any, Observation]]


class Driver:
    """Checks by the function it is given."""

    def __init__(self, check: Check) -> None:
        self.check = check

    async def close(self) -> None:
        """There is nothing to close."""


@pytest.fixture(scope="module")
def loop() -> Iterator[LoopThread]:
    thread = LoopThread()
    thread.start()
    yield thread
    thread.stop()


def turn(**changes: Any) -> Turn:
    request = parse_request({"job_id": "job-1", "check": {"kind": "probe"}}, KINDS)
    fields: dict[str, Any] = {
        "run": "run-1",
        "revision": 3,
        "turn": 7,
        "job_id": "job-1",
        "check": request.check,
        "success_when": None,
        "failure_when": None,
        "polling": request.polling,
        "check_timeout_seconds": 10,
        "required_successes": 1,
        "deadline": START + timedelta(days=1),
        "schedule": Schedule(anchor=START),
        "turn_seconds": 0,
        "checks_performed": 0,
        "last_status": None,
        "consecutive_successes": 0,
    }
    return Turn(**fields | changes)


def registry(check: Check) -> Registry:
    return Registry(KINDS, Resources(guard=TargetGuard()), lambda *_: Driver(check))


def look(loop: LoopThread, check: Check, asked: Turn, seconds: float = 60) -> Look:
    check_it = looker(asked, KEY, registry(check), ask, VirtualClock(START), evaluate=here, mask=str)

    async def one() -> Look:
        return await check_it(11, seconds, None)

    return loop.run(one(), 30)


def judged(observation: Observation, **conditions: str) -> Look:
    """The look at an observation, without any loop."""
    driver = registry(lambda *_: asyncio.sleep(0, observation))
    asked = turn(**{"success_when": None, "failure_when": None, **conditions})
    return asked_once(looker(asked, KEY, driver, ask, VirtualClock(START), evaluate=here, mask=str))


def asked_once(look: Looker, number: int = 1) -> Look:
    async def one() -> Look:
        return await look(number, 10, None)

    return asyncio.run(one())


def error_of(seen: Look) -> tuple[ErrorClass, str]:
    assert seen.error is not None
    return seen.error.error_class, seen.error.message


def test_a_driver_is_asked_with_its_spec_and_who_asks(loop: LoopThread) -> None:
    asked: list[Any] = []

    async def check(spec: ProbeCheck, context: CheckContext) -> Observation:
        asked.extend([spec, context, threading.current_thread().name])
        return Observation("Up", {"up": True})

    look(loop, check, turn(check={"kind": "probe", "depth": 5}), seconds=7)
    assert asked == [ProbeCheck(depth=5), CheckContext(KEY, "run-1.3.7.11", 11, 7), "checks"]


def test_an_observation_becomes_a_summary_with_what_the_conditions_say() -> None:
    clock = VirtualClock(START)

    async def ask(*_: Any) -> Observation:
        await clock.wait(1.5)
        return Observation("Up", {"up": True}, summary="all is well", retry_after_seconds=5)

    driver = registry(lambda *_: asyncio.sleep(0, Observation("")))
    see = looker(turn(failure_when="!up", success_when="up"), KEY, driver, ask, clock, evaluate=here, mask=str)
    seen = asked_once(see)
    assert seen.observation is not None
    assert (seen.observation.status, seen.observation.summary) == ("Up", "all is well")
    assert (seen.observation.at, seen.observation.latency_seconds) == (START, 1.5)
    assert (seen.observation.success, seen.observation.failure) == (True, False)
    assert (seen.error, seen.retry_after_seconds) == (None, 5)


@pytest.mark.parametrize(
    ("failing", "permanent", "error_class"),
    [
        (True, True, None),
        (False, True, ErrorClass.PERMANENT),
        (False, False, ErrorClass.TRANSIENT),
    ],
)
def test_a_condition_that_holds_decides_though_the_other_cannot_be_judged(
    failing: bool, permanent: bool, error_class: ErrorClass | None
) -> None:
    async def evaluate(condition: Condition, values: Mapping[str, Any]) -> bool:
        if condition.field == "success_when":
            raise ConditionError("success_when takes too much", permanent=permanent)
        return condition.holds(values)

    driver = registry(lambda *_: asyncio.sleep(0, Observation("Up", {"up": not failing})))
    asked = turn(success_when="up", failure_when="!up")
    seen = asked_once(looker(asked, KEY, driver, ask, VirtualClock(START), evaluate=evaluate, mask=str))
    assert seen.observation is not None
    assert (seen.observation.success, seen.observation.failure, seen.unjudged) == (None, failing, True)
    assert (seen.error.error_class if seen.error else None) is error_class


def test_a_clock_that_is_set_back_gives_no_negative_latency() -> None:
    clock = VirtualClock(START)

    async def ask(*_: Any) -> Observation:
        clock.time -= timedelta(hours=1)
        return Observation("Up", {"up": True})

    see = looker(
        turn(), KEY, registry(lambda *_: asyncio.sleep(0, Observation(""))), ask, clock, evaluate=here, mask=str
    )
    seen = asked_once(see)
    assert seen.observation is not None
    assert seen.observation.latency_seconds == 0


def test_without_a_condition_of_its_own_a_request_is_judged_by_its_kind_s() -> None:
    seen = judged(Observation("Up", {"up": True}))
    assert seen.observation is not None
    assert (seen.observation.success, seen.observation.failure) == (True, None)


@pytest.mark.parametrize(
    ("success", "failure", "says"),
    [
        ("up", "up", (True, True)),
        ("up", "!up", (True, False)),
        ("!up", "up", (False, True)),
        ("!up", "!up", (False, False)),
        ("up", "data.x", (True, None)),
        ("data.x", "up", (None, True)),
    ],
)
def test_both_conditions_are_told_and_one_that_holds_beats_all_else(
    success: str, failure: str, says: tuple[bool | None, bool | None]
) -> None:
    wrong = CheckFailed(ErrorClass.PERMANENT, "HTTP 403")
    for error in (None, wrong) if True in says else (None,):
        observation = Observation("Up", {"up": True, "data": {}}, error=error, retry_after_seconds=3)
        seen = judged(observation, success_when=success, failure_when=failure)
        assert seen.observation is not None
        assert (seen.observation.success, seen.observation.failure) == says
        assert (seen.error, seen.retry_after_seconds) == (None, 3)


@pytest.mark.parametrize("success", ["!up", "data.x"])
@pytest.mark.parametrize("error_class", ErrorClass)
def test_where_none_holds_the_answer_s_own_error_comes_first(success: str, error_class: ErrorClass) -> None:
    error = CheckFailed(error_class, "HTTP 503")
    observation = Observation("HTTP 503", {"up": True, "data": {}}, error=error, retry_after_seconds=9)
    seen = judged(observation, success_when=success)
    assert error_of(seen) == (error_class, "HTTP 503")
    assert (seen.observation, seen.retry_after_seconds) == (None, 9)


@pytest.mark.parametrize(
    ("success", "failure", "named"),
    [
        ("data.x", "!up", "success_when 'data.x' cannot be judged: Key not found"),
        ("!up", "data.x", "failure_when 'data.x' cannot be judged: Key not found"),
        ("data.y", "data.x", "success_when 'data.y' cannot be judged: Key not found"),
    ],
)
def test_a_condition_that_cannot_be_judged_is_a_passing_error_that_names_it(
    success: str, failure: str, named: str
) -> None:
    seen = judged(Observation("Up", {"up": True, "data": {}}), success_when=success, failure_when=failure)
    error_class, message = error_of(seen)
    assert error_class is ErrorClass.TRANSIENT
    assert message.startswith(named)
    assert seen.observation is not None, "it was seen all the same"
    assert seen.observation.status == "Up"


def test_texts_are_cut_to_what_the_contract_holds() -> None:
    seen = judged(Observation("s" * 500, {"up": True}, summary="y" * 5000))
    assert seen.observation is not None
    assert (seen.observation.status, seen.observation.summary) == ("s" * 100, "y" * 300)
    failed = judged(Observation("x", {"up": False}, error=CheckFailed(ErrorClass.TRANSIENT, "m" * 5000)))
    assert error_of(failed)[1] == "m" * 1000


BUILT_IN_ERRORS = {
    thing.__name__: thing
    for thing in vars(builtins).values()
    if isinstance(thing, type) and issubclass(thing, Exception) and thing is not TimeoutError
}


def instance_of(error: type[Exception]) -> Exception:
    if issubclass(error, ExceptionGroup):
        return error("oops", [ValueError("inner")])
    if issubclass(error, UnicodeDecodeError):
        return error("utf-8", b"\xff", 0, 1, "oops")
    if issubclass(error, UnicodeEncodeError):
        return error("ascii", "\u00e4", 0, 1, "oops")
    if issubclass(error, UnicodeTranslateError):
        return error("\u00e4", 0, 1, "oops")
    return error("oops")


@pytest.mark.parametrize("name", BUILT_IN_ERRORS)
def test_whatever_a_driver_raises_is_a_passing_error(
    name: str, loop: LoopThread, caplog: pytest.LogCaptureFixture
) -> None:
    async def check(*_: Any) -> Observation:
        raise instance_of(BUILT_IN_ERRORS[name])

    with caplog.at_level(logging.ERROR):
        error_class, message = error_of(look(loop, check, turn()))
    assert error_class is ErrorClass.TRANSIENT
    assert message.startswith("the check failed unexpectedly: ")
    told = "RuntimeError" if name == "StopIteration" else name  # what Python makes of it in a coroutine
    assert BUILT_IN_ERRORS[told].__name__ in message
    assert "run-1.3.7.11" in caplog.text, "a bug of the driver is for the worker's log"


@pytest.mark.parametrize(
    "raised", [aiohttp.ClientError("oops"), aiohttp.InvalidURL("oops"), asyncio.InvalidStateError("oops")]
)
def test_a_library_s_error_that_the_driver_lets_through_is_a_passing_error(
    raised: Exception, loop: LoopThread
) -> None:
    async def check(*_: Any) -> Observation:
        raise raised

    error_class, message = error_of(look(loop, check, turn()))
    assert (error_class, message) == (
        ErrorClass.TRANSIENT,
        f"the check failed unexpectedly: {type(raised).__name__}; the worker's log says where",
    )


def test_a_check_that_is_cancelled_is_a_passing_error(loop: LoopThread) -> None:
    async def check(*_: Any) -> Observation:
        raise asyncio.CancelledError

    assert error_of(look(loop, check, turn()))[0] is ErrorClass.TRANSIENT


@pytest.mark.parametrize("error_class", ErrorClass)
def test_a_check_that_failed_says_so_in_its_own_words(
    error_class: ErrorClass, loop: LoopThread, caplog: pytest.LogCaptureFixture
) -> None:
    async def check(*_: Any) -> Observation:
        raise CheckFailed(error_class, "no such job", retry_after_seconds=4)

    seen = look(loop, check, turn())
    assert error_of(seen) == (error_class, "no such job")
    assert (seen.observation, seen.retry_after_seconds) == (None, 4)
    assert caplog.records == [], "it is the target's trouble, not the driver's"


def test_a_check_that_takes_too_long_is_cancelled_and_a_passing_error(loop: LoopThread) -> None:
    cancelled = threading.Event()

    async def check(*_: Any) -> Observation:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        raise AssertionError

    seen = look(loop, check, turn(), seconds=0.05)
    assert error_of(seen) == (ErrorClass.TRANSIENT, "no answer within 0.05 s")
    assert cancelled.wait(30)


def test_a_driver_that_is_not_asynchronous_is_a_passing_error(loop: LoopThread) -> None:
    def raising(*_: Any) -> Any:
        raise ValueError("oops")

    def returning(*_: Any) -> Any:
        return Observation("Up", {"up": True})

    told = error_of(look(loop, raising, turn()))[1]
    assert told == "the check failed unexpectedly: ValueError; the worker's log says where"
    assert "the check failed unexpectedly: TypeError" in error_of(look(loop, returning, turn()))[1]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"check": {"kind": "ftp"}}, "check.kind: this worker knows probe, not 'ftp'"),
        ({"check": {}}, "check.kind: this worker knows probe, not 'None'"),
        ({"check": {"kind": "probe", "depth": "deep"}}, "check.depth: should be a whole number"),
        ({"check": {"kind": "probe", "width": 1}}, "check.width: is not a known field"),
        ({"success_when": "foo"}, "success_when: column 1: undeclared reference to 'foo'"),
        ({"failure_when": "1"}, "failure_when: should be true or false"),
    ],
)
def test_a_turn_that_can_never_be_checked_is_misconfigured_and_asks_nobody(
    changes: dict[str, Any], says: str
) -> None:
    async def ask(*_: Any) -> Observation:
        raise AssertionError("asked all the same")

    clock = VirtualClock(START)
    driver = registry(lambda *_: asyncio.sleep(0, Observation("")))
    make_look = looker(turn(**changes), KEY, driver, ask, clock, evaluate=here, mask=str)
    clock.time += timedelta(seconds=5)
    error_class, message = error_of(asked_once(make_look))
    assert error_class is ErrorClass.MISCONFIGURED
    assert message.startswith(says)
    assert asked_once(make_look).error == asked_once(make_look, 2).error


def test_an_error_is_dated_by_the_start_of_its_check() -> None:
    clock = VirtualClock(START)

    async def ask(*_: Any) -> Observation:
        await clock.wait(3)
        raise CheckFailed(ErrorClass.TRANSIENT, "no")

    clock.time += timedelta(seconds=1)
    see = looker(
        turn(), KEY, registry(lambda *_: asyncio.sleep(0, Observation(""))), ask, clock, evaluate=here, mask=str
    )
    seen = asked_once(see)
    assert seen.error is not None
    assert seen.error.at == datetime(2026, 1, 1, 0, 0, 1, tzinfo=START.tzinfo)


texts = st.text(max_size=400)


@given(
    status=texts,
    summary=st.none() | texts,
    up=st.booleans() | st.none() | texts,
    data=st.dictionaries(texts, texts, max_size=2),
    message=st.none() | texts,
    error_class=st.sampled_from(ErrorClass),
)
@examples(100)
def test_a_look_has_an_observation_or_an_error_whatever_a_driver_saw(
    *,
    status: str,
    summary: str | None,
    up: Any,
    data: dict[str, str],
    message: str | None,
    error_class: ErrorClass,
) -> None:
    error = None if message is None else CheckFailed(error_class, message)
    observation = Observation(status, {"up": up, "data": data}, summary=summary, error=error)
    seen = judged(observation, success_when="up && data.a == 'x'", failure_when="data.b == 'y'")
    assert seen.observation is not None or seen.error is not None
    if seen.observation is not None and (seen.observation.success or seen.observation.failure):
        assert seen.error is None
