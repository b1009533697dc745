"""What the property tests draw from, and how many examples they take."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from monitor_core.contract import (
    AnyCommand,
    Cancel,
    CheckError,
    CheckNow,
    CommandOutcome,
    Complete,
    Edit,
    ErrorClass,
    Extend,
    MonitorRequest,
    Notification,
    ObservationSummary,
    Pause,
    Paused,
    Polling,
    Progress,
    RequestError,
    Resume,
    Revision,
    Schedule,
    Tolerance,
    Transition,
    TurnEnd,
    TurnReport,
    Verdict,
    parse_request,
)
from monitor_core.kinds import BUILT_IN

moments = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 # UTC is drawn
"""Points in time, UTC."""

json_values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
"""Whatever a JSON document may hold."""


def examples(count: int) -> settings:
    """Settings of a property test. The machine is shared: how long an example takes says nothing."""
    return settings(max_examples=count, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def refusal(call: Callable[[], object]) -> RequestError | None:
    """How a call refuses what it is given; None where it takes it. Anything else that it raises is a bug."""
    try:
        call()
    except RequestError as refused:
        return refused
    return None


@st.composite
def pollings(draw: st.DrawFn, /, **fixed: Any) -> Polling:
    """Every way to poll: linear, with backoff, capped, jittered."""
    interval = draw(st.floats(0.1, 3600) | st.sampled_from([0.1, 0.3, 1, 5, 60, 3600]))
    drawn = {
        "interval_seconds": interval,
        "backoff": draw(st.just(1.0) | st.floats(1, 10) | st.sampled_from([1.5, 2, 1 + 1e-12])),
        "max_interval_seconds": draw(st.none() | st.floats(1, 50).map(lambda factor: interval * factor)),
        "jitter": draw(st.just(0.0) | st.floats(0, 0.99)),
        "turn_seconds": draw(st.just("auto") | st.floats(0, 60)),
        "honor_retry_after": draw(st.booleans()),
    }
    return Polling.model_validate(drawn | fixed)


job_ids = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=128)
"""Every kind of job id."""
checks: st.SearchStrategy[dict[str, Any]] = (
    st.fixed_dictionaries(
        {"kind": st.just("simulated")},
        optional={"checks": st.integers(1, 1000), "outcome": st.sampled_from(["Succeeded", "Failed", "Canceled"])},
    )
    | st.fixed_dictionaries(
        {"kind": st.just("http"), "url": st.sampled_from(["http://a.example/", "https://b.example/x?y=z"])},
        optional={
            "method": st.sampled_from(["GET", "HEAD"]),
            "headers": st.dictionaries(st.sampled_from(["Accept", "X-Trace"]), st.just("x"), max_size=2),
            "expected_codes": st.lists(st.sampled_from([200, "204", "2xx", "4xx"]), max_size=3),
            "max_redirects": st.integers(0, 20),
        },
    )
    | st.fixed_dictionaries(
        {
            "kind": st.just("tcp"),
            "host": st.sampled_from(["a.example", "192.0.2.1", "2001:db8::1"]),
            "port": st.integers(1, 65535),
        },
        optional={"tls": st.booleans(), "banner_bytes": st.integers(0, 4096)},
    )
)
"""Checks of the built-in kinds, as a user writes them; without a body."""
tolerances = st.builds(Tolerance, consecutive_errors=st.integers(0, 5), consecutive_successes=st.integers(1, 5))

channels = st.fixed_dictionaries(
    {"kind": st.just("webhook"), "url": st.sampled_from(["https://hooks.example/a", "https://hooks.example/b"])},
    optional={"content_mode": st.sampled_from(["structured", "binary"])},
)
"""Channels of a built-in kind."""
notifications = st.builds(
    Notification,
    to=channels,
    verdicts=st.lists(st.sampled_from(Verdict), max_size=5).map(tuple),
    transitions=st.booleans(),
    every_seconds=st.none() | st.floats(60, 1e6),
    at_percent=st.lists(st.integers(1, 99), max_size=5).map(tuple),
)


@st.composite
def requests(draw: st.DrawFn, job_ids: st.SearchStrategy[str] = job_ids) -> MonitorRequest:
    """Requests that the door lets in."""
    data = {
        "job_id": draw(job_ids),
        "check": draw(checks),
        "success_when": draw(st.none() | st.just("true")),
        "failure_when": draw(st.none() | st.just("false")),
        "polling": draw(pollings()).model_dump(),
        "timeout_seconds": draw(st.floats(0, 1e6)),
        "check_timeout_seconds": draw(st.floats(0.1, 60)),
        "tolerance": draw(tolerances).model_dump(),
        "on_verdict": draw(st.lists(notifications.map(lambda one: one.model_dump(mode="json")), max_size=2)),
        "labels": draw(
            st.dictionaries(st.sampled_from(["team", "env", "a.b/c"]), st.text(max_size=20), max_size=3)
        ),
    }
    return parse_request(data, BUILT_IN)


texts = st.text(max_size=20)
counts = st.integers(0, 10**6)
seconds = st.floats(0, 1e9)
command_ids = st.text(min_size=1, max_size=64)
schedules = st.builds(Schedule, anchor=moments, k=counts)
errors = st.builds(CheckError, error_class=st.sampled_from(ErrorClass), message=texts, at=moments)
flags = st.none() | st.booleans()
observations = st.builds(
    ObservationSummary,
    at=moments,
    status=texts,
    summary=st.none() | texts,
    latency_seconds=seconds,
    success=flags,
    failure=flags,
)
transitions = st.builds(Transition, at=moments, status=texts)
outcomes = st.builds(
    CommandOutcome, id=texts, name=texts, at=moments, accepted=st.booleans(), message=st.text(max_size=200)
)
suspensions = st.builds(Paused, since=moments, deadline_stops=st.booleans())
revisions = st.builds(
    Revision,
    revision=counts,
    at=moments,
    command_id=texts,
    command=texts,
    changes=st.dictionaries(texts, texts, max_size=2),
)
lists_of_transitions = st.lists(transitions, max_size=3).map(tuple)
progresses = st.builds(
    Progress,
    started_at=moments,
    deadline=moments,
    schedule=schedules,
    revision=counts,
    turn=counts,
    prompt=st.booleans(),
    checks_performed=counts,
    last_check_at=st.none() | moments,
    observation=st.none() | observations,
    error=st.none() | errors,
    consecutive_errors=counts,
    consecutive_successes=counts,
    pause=st.none() | suspensions,
    stopped_seconds=seconds,
    edited=st.none(),
    revisions=st.lists(revisions, max_size=3).map(tuple),
    allowed_seconds=seconds,
    transitions=lists_of_transitions,
    commands=st.lists(outcomes, max_size=3).map(tuple),
)


COMMAND_FIELDS: dict[type[Any], dict[str, st.SearchStrategy[Any]]] = {
    Cancel: {},
    CheckNow: {},
    Complete: {"outcome": st.sampled_from(["Completed", "Failed"])},
    Edit: {
        "interval_seconds": st.floats(0.1, 3600),
        "timeout_seconds": st.none() | st.floats(0, 1e6),
        "success_when": st.none() | st.just("true"),
        "if_revision": st.none() | counts,
    },
    Extend: {"seconds": st.floats(1, 1e6)},
    Pause: {"deadline": st.sampled_from(["runs", "stops"])},
    Resume: {},
}


def commands(*models: type[AnyCommand]) -> st.SearchStrategy[Any]:
    """Commands of these models, or of all."""
    chosen = st.sampled_from(models or tuple(COMMAND_FIELDS))
    common = {"id": command_ids, "reason": st.none() | texts}
    return chosen.flatmap(lambda model: st.builds(model, **common, **COMMAND_FIELDS[model]))


def reports(**fixed: st.SearchStrategy[Any]) -> st.SearchStrategy[TurnReport]:
    """Reports of turns; `fixed` says where a field is to be drawn from instead."""
    fields = {
        "run": texts,
        "revision": counts,
        "turn": counts,
        "ended_by": st.sampled_from(TurnEnd),
        "checks": counts,
        "last_check_at": st.none() | moments,
        "lateness_seconds": seconds,
        "schedule": schedules,
        "consecutive_successes": counts,
        "observation": st.none() | observations,
        "error": st.none() | errors,
        "final": st.booleans(),
        "allowed_seconds": seconds,
    }
    return st.builds(TurnReport, **(fields | fixed))
