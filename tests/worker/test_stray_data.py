"""Data of strangers (targets, plug-ins, senders) that once broke something: an error of the check, or nothing."""

import json
from typing import Any

import pytest

from monitor_core.conditions import Condition, ConditionError
from monitor_core.contract import (
    MonitorRequest,
    RequestError,
    differing_fields,
    fingerprint,
    instance_id,
    parse_command,
    parse_request,
)
from monitor_core.kinds import BUILT_IN, HttpCheck
from monitor_core.notices import Told, of_reminder
from monitor_core.settings import SettingsError, worker_settings
from monitor_worker.checks.base import CheckContext, Observation
from monitor_worker.checks.http_body import decoded, parsed
from monitor_worker.loop import LoopThread, ask
from support.virtual import START, Answer, request, run


def http(**fields: Any) -> MonitorRequest:
    return parse_request(
        {"job_id": "j", "check": {"kind": "http", "url": "http://a.example/", **fields}}, BUILT_IN
    )


def test_a_status_of_the_widest_characters_still_fits() -> None:
    result, engine = run(
        lambda *_: Answer(status="\U0001f600" * 100), job_id="\U0001f600" * 96, timeout_seconds=10
    )
    assert result["final_status"] == "Timeout"
    assert max(len(json.dumps(status)) for status in engine.statuses) <= 2048


def test_a_job_id_that_would_not_fit_is_refused() -> None:
    with pytest.raises(RequestError, match="job_id: should be at most 384 bytes"):
        request(job_id="\U0001f600" * 97)


def test_an_evaluator_s_words_in_the_data_are_data() -> None:
    condition = Condition("success_when", "headers[text] == 'a'", HttpCheck.variables)
    with pytest.raises(ConditionError):
        condition.holds({"headers": {}, "text": 'No value with name "q"'})


def test_nul_does_not_cut_a_text_into_one_that_holds() -> None:
    assert decoded(b"Succeeded\0 not", "text/plain") == "Succeeded\N{REPLACEMENT CHARACTER} not"
    with pytest.raises(ValueError, match="NUL"):
        parsed('{"status": "Succeeded\\u0000 not"}', "application/json")


@pytest.mark.parametrize("retry_after", [1e15, float("nan"), float("inf"), -5.0])
def test_a_wild_retry_after_moves_nothing_beyond_the_deadline(retry_after: float) -> None:
    result, engine = run(lambda *_: Answer(retry_after=retry_after), timeout_seconds=10)
    assert (result["final_status"], engine.checked_at[-1]) == ("Timeout", 10)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {"body": {}}),
        ({"body": {"a": None}}, {"body": {}}),
        ({"body": 1}, {"body": True}),
        ({"body": {"a": {}}}, {"body": {"a": []}}),
    ],
)
def test_requests_that_differ_differ_in_some_field(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert fingerprint(http(**one)) != fingerprint(http(**other))
    assert differing_fields(http(**one), http(**other))


@pytest.mark.parametrize("body", [{"a": float("nan")}, float("inf"), "\ud800", {"when": object()}])
def test_a_body_that_is_no_json_is_refused_by_its_name(body: Any) -> None:
    with pytest.raises(RequestError, match=r"check\.body: should be JSON"):
        http(body=body)


def test_a_password_is_not_repeated() -> None:
    with pytest.raises(RequestError) as refused:
        http(url="https://u:secret-word@h/")
    assert "secret-word" not in str(refused.value)
    with pytest.raises(SettingsError) as unusable:
        worker_settings({"ENDPOINT": "http://u:secret-word@h:80"})
    assert "secret-word" not in str(unusable.value)


def test_a_command_s_problem_is_named_without_the_union_s_tag() -> None:
    with pytest.raises(RequestError, match=r"^id: is required$"):
        parse_command({"name": "cancel"})


def test_the_longest_names_fit_into_what_is_told() -> None:
    waiting = request(job_id="j" * 92, on_verdict=[{"to": {"kind": "webhook", "url": "http://a.example/"}}])
    told = Told(instance_id(waiting.job_id), waiting, "r" * 64, 0, None, None, None, 1, START, START)
    (delivery,) = of_reminder(told, START.replace(microsecond=1), lambda _: True).values()
    assert delivery.notice.id.startswith(f"monitor-{'j' * 92}:{'r' * 64}:reminder:2026-")


def test_the_task_hub_beside_a_connection_string_counts() -> None:
    given = {"ENDPOINT": "Endpoint=https://x.example;Authentication=DefaultAzure", "TASKHUB": "hub-1"}
    assert worker_settings(given).scheduler.taskhub == "hub-1"
    assert (
        worker_settings({"ENDPOINT": given["ENDPOINT"] + ";TaskHub=hub-2", "TASKHUB": "hub-1"}).scheduler.taskhub
        == "hub-2"
    )


def test_only_variables_in_capitals_are_settings() -> None:
    assert worker_settings({"log_level": "loud"}).log_level == "INFO"


class Leaving:
    """A driver that would end the loop it runs on."""

    async def check(self, spec: Any, context: CheckContext) -> Observation:
        raise SystemExit(3)

    async def close(self) -> None: ...


def test_a_driver_that_exits_ends_its_check_and_not_the_loop() -> None:
    loop = LoopThread()
    loop.start()
    try:
        with pytest.raises(RuntimeError, match="SystemExit"):
            loop.run(ask(Leaving(), None, CheckContext("i", "r", 1, 5)))

        async def one() -> int:
            return 1

        assert loop.run(one(), 5) == 1
    finally:
        loop.stop()
