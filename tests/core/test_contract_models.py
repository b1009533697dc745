"""Every model of the contract: frozen, closed, in UTC, and the same after a trip through JSON."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from monitor_core import contract
from monitor_core.contract import (
    EXIT_CODES,
    Attempt,
    AttemptReport,
    Cancel,
    CheckError,
    CheckNow,
    CommandOutcome,
    Complete,
    DecidedBy,
    Decision,
    Delivery,
    DeliveryOutcome,
    DeliveryState,
    Edit,
    Evidence,
    Explanation,
    Extend,
    Judgement,
    Model,
    MonitorInput,
    MonitorRequest,
    MonitorResult,
    MonitorStatus,
    Notice,
    Notification,
    ObservationSummary,
    Occasion,
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
    Turn,
    TurnReport,
    Verdict,
    parse_command,
)
from support.strategies import (
    channels,
    checks,
    commands,
    counts,
    errors,
    examples,
    json_values,
    lists_of_transitions,
    moments,
    notifications,
    observations,
    outcomes,
    pollings,
    progresses,
    reports,
    requests,
    revisions,
    schedules,
    seconds,
    suspensions,
    texts,
    tolerances,
    transitions,
)

judgements = st.builds(
    Judgement,
    field=st.sampled_from(["success_when", "failure_when"]),
    condition=texts,
    natural=st.booleans(),
    holds=st.none() | st.booleans(),
    problem=st.none() | texts,
)
shown = st.none() | st.dictionaries(texts, json_values, max_size=2)
notices = st.builds(
    Notice,
    id=texts,
    occasion=st.sampled_from(Occasion),
    at=moments,
    instance_id=texts,
    job_id=texts,
    run=texts,
    revision=counts,
    kind=texts,
    status=texts,
    decided_by=st.none() | st.sampled_from(DecidedBy),
    reason=st.none() | texts,
    observed=st.none() | texts,
    summary=st.none() | texts,
    error=st.none() | texts,
    checks_performed=counts,
    started_at=moments,
    deadline=moments,
    elapsed_seconds=seconds,
    elapsed_percent=seconds,
    labels=st.dictionaries(texts, texts, max_size=2),
)
deliveries = st.builds(Delivery, to=channels, notice=notices)

STRATEGIES: dict[type[Model], st.SearchStrategy[Any]] = {
    Cancel: commands(Cancel),
    CheckError: errors,
    CheckNow: commands(CheckNow),
    CommandOutcome: outcomes,
    Decision: st.builds(
        Decision, verdict=st.sampled_from(Verdict), decided_by=st.sampled_from(DecidedBy), reason=texts
    ),
    Evidence: st.builds(
        Evidence,
        report=reports(),
        observation=st.none() | observations,
        variables=shown,
        shortened=st.booleans(),
        judgements=st.lists(judgements, max_size=2).map(tuple),
        retry_after_seconds=st.none() | seconds,
    ),
    Explanation: st.builds(
        Explanation,
        job_id=texts,
        kind=texts,
        at=moments,
        observation=st.none() | observations,
        error=st.none() | errors,
        variables=shown,
        shortened=st.booleans(),
        conditions=st.lists(judgements, max_size=2).map(tuple),
        verdict=st.none() | st.sampled_from(Verdict),
        reason=texts,
        next_check_at=st.none() | moments,
        retry_after_seconds=st.none() | seconds,
    ),
    Judgement: judgements,
    MonitorInput: st.builds(
        MonitorInput,
        request=requests(),
        run=st.from_regex(r"[A-Za-z0-9._-]{1,64}", fullmatch=True),
        progress=st.none() | progresses,
    ),
    MonitorRequest: requests(),
    MonitorResult: st.builds(
        MonitorResult,
        job_id=texts,
        run=texts,
        final_status=st.sampled_from(Verdict),
        decided_by=st.sampled_from(DecidedBy),
        reason=texts,
        checks_performed=counts,
        monitoring_duration_seconds=seconds,
        started_at=moments,
        ended_at=moments,
        deadline=moments,
        revision=counts,
        last_observation=st.none() | observations,
        last_error=st.none() | errors,
        transitions=lists_of_transitions,
        revisions=st.lists(revisions, max_size=3).map(tuple),
        labels=st.dictionaries(texts, texts, max_size=2),
    ),
    MonitorStatus: st.builds(
        MonitorStatus,
        job_id=texts,
        run=texts,
        status=texts,
        kind=texts,
        check_count=counts,
        as_of=moments,
        last_check_time=st.none() | moments,
        next_check_time=st.none() | moments,
        deadline=moments,
        turn_seconds=seconds,
        interval_seconds=seconds,
        schedule=st.none() | schedules,
        observed=st.none() | texts,
        summary=st.none() | texts,
        error=st.none() | texts,
        consecutive_errors=counts,
        paused=st.booleans(),
        revision=counts,
        commands=st.lists(outcomes, max_size=3).map(tuple),
        transitions=lists_of_transitions,
    ),
    Attempt: st.builds(Attempt, delivery=deliveries, number=st.integers(1, 20), last=st.booleans()),
    AttemptReport: st.builds(
        AttemptReport,
        outcome=st.sampled_from(DeliveryOutcome),
        detail=texts,
        retry_after_seconds=st.none() | seconds,
    ),
    Delivery: deliveries,
    DeliveryState: st.builds(
        DeliveryState,
        id=texts,
        kind=texts,
        occasion=st.sampled_from(Occasion),
        run=texts,
        outcome=st.sampled_from(DeliveryOutcome),
        attempts=counts,
        detail=texts,
        as_of=moments,
        next_attempt_at=st.none() | moments,
    ),
    Notice: notices,
    Notification: notifications,
    ObservationSummary: observations,
    Complete: commands(Complete),
    Edit: commands(Edit),
    Extend: commands(Extend),
    Pause: commands(Pause),
    Polling: pollings(),
    Progress: progresses,
    Resume: commands(Resume),
    Revision: revisions,
    Schedule: schedules,
    Paused: suspensions,
    Tolerance: tolerances,
    Transition: transitions,
    Turn: st.builds(
        Turn,
        run=texts,
        revision=counts,
        turn=counts,
        job_id=texts,
        check=checks,
        success_when=st.none() | texts,
        failure_when=st.none() | texts,
        polling=pollings(),
        check_timeout_seconds=seconds,
        required_successes=counts,
        deadline=moments,
        schedule=schedules,
        turn_seconds=seconds,
        checks_performed=counts,
        last_status=st.none() | texts,
        consecutive_successes=counts,
    ),
    TurnReport: reports(),
}
each_model = pytest.mark.parametrize("model", STRATEGIES, ids=lambda model: model.__name__)


def test_no_model_of_the_contract_is_left_out_here() -> None:
    exported = [getattr(contract, name) for name in contract.__all__]
    models = {thing for thing in exported if isinstance(thing, type) and issubclass(thing, Model)}
    assert STRATEGIES.keys() == models - {Model}


@each_model
@given(data=st.data())
@examples(25)
def test_a_model_is_the_same_after_a_trip_through_json(model: type[Model], data: st.DataObject) -> None:
    one = data.draw(STRATEGIES[model])
    for sparse in (True, False):  # continue-as-new carries no defaults
        written = json.dumps(one.model_dump(mode="json", exclude_defaults=sparse), allow_nan=False)
        assert model.model_validate(json.loads(written)) == one
    assert model.model_validate_json(one.model_dump_json()) == one


@each_model
@given(data=st.data())
@examples(1)
def test_a_model_is_frozen_and_takes_no_other_field(model: type[Model], data: st.DataObject) -> None:
    one = data.draw(STRATEGIES[model])
    with pytest.raises(ValidationError, match="frozen"):
        setattr(one, next(iter(model.model_fields)), None)
    with pytest.raises(ValidationError, match="nonsense"):
        model.model_validate({**one.model_dump(mode="json"), "nonsense": 1})


def test_times_are_kept_in_utc_and_a_naive_one_is_refused() -> None:
    paris = datetime(2026, 7, 1, 14, 30, tzinfo=timezone(timedelta(hours=2)))
    kept = Schedule(anchor=paris).anchor
    assert (kept, kept.tzinfo) == (datetime(2026, 7, 1, 12, 30, tzinfo=UTC), UTC)
    assert Schedule(anchor=paris).model_dump(mode="json")["anchor"] == "2026-07-01T12:30:00Z"
    with pytest.raises(ValidationError, match="timezone"):
        Schedule(anchor=paris.replace(tzinfo=None))


def test_progress_with_changes_is_a_copy() -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    before = Progress(started_at=moment, deadline=moment, schedule=Schedule(anchor=moment))
    after = before.with_(turn=7, prompt=False)
    assert (before.turn, before.prompt) == (0, True)
    assert (after.turn, after.prompt, after.deadline) == (7, False, moment)


def test_every_verdict_has_its_own_exit_code() -> None:
    assert {verdict.value: code for verdict, code in EXIT_CODES.items()} == {
        "Completed": 0,
        "Failed": 1,
        "Timeout": 3,
        "Cancelled": 4,
        "Error": 5,
    }
    assert EXIT_CODES.keys() == set(Verdict)


@given(st.sampled_from([Cancel, CheckNow]).flatmap(lambda model: STRATEGIES[model]))
@examples(50)
def test_a_command_is_read_as_it_was_sent(command: Cancel | CheckNow) -> None:
    assert parse_command(command.model_dump(mode="json")) == command


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        (None, "command: should be an object"),
        ("cancel", "command: should be an object"),
        ([], "command: should be an object"),
        ({"id": "1"}, "should be one of cancel"),
        ({"name": "explode", "id": "1"}, "'explode'"),
        ({"name": "cancel"}, "id: is required"),
        ({"name": "cancel", "id": ""}, "at least 1 character"),
        ({"name": "cancel", "id": "x" * 65}, "at most 64 characters"),
        ({"name": "cancel", "id": "1", "reason": "x" * 201}, "at most 200 characters"),
        ({"name": "check_now", "id": "1", "when": "now"}, "when: is not a known field"),
    ],
)
def test_what_is_no_command_is_named(payload: Any, says: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse_command(payload)
    assert says in str(caught.value)
