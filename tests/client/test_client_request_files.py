"""A request from a file, with what the options add to it; what is wrong is named with file, line and field."""

import io
from pathlib import Path
from typing import Any

import pytest

from monitor_client.documents import parse
from monitor_client.request_files import MOST_BYTES, read_documents, request_of, the_only
from monitor_core.contract import RequestError

PORT = """\
job_id: port
check:
  kind: tcp
  host: 127.0.0.1
  port: 80
polling:
  interval_seconds: 2
labels:
  team: a
"""
SITE = """\
check:
  kind: http
  url: https://example.com/{job_id}
"""


def made(text: str, **options: Any) -> dict[str, Any]:
    (document,) = parse(text, "jobs.yaml")
    return request_of(document, options, "new-id").model_dump(mode="json", exclude_defaults=True)


def refused(text: str, **options: Any) -> str:
    with pytest.raises(RequestError) as caught:
        made(text, **options)
    return str(caught.value)


def test_a_request_is_as_the_file_says() -> None:
    assert made(PORT) == {
        "job_id": "port",
        "check": {"kind": "tcp", "host": "127.0.0.1", "port": 80},
        "polling": {"interval_seconds": 2},
        "labels": {"team": "a"},
    }


@pytest.mark.parametrize(
    ("text", "argument", "job_id"),
    [(PORT, None, "port"), (PORT, "port", "port"), (SITE, "mine", "mine"), (SITE, None, "new-id")],
)
def test_the_job_id_stands_in_the_file_or_is_given_or_is_new(text: str, argument: str | None, job_id: str) -> None:
    assert made(text, job_id=argument)["job_id"] == job_id


def test_the_job_id_is_filled_into_the_url_as_for_the_option() -> None:
    assert made(SITE, job_id="a/b")["check"]["url"] == "https://example.com/a%2Fb"


def test_options_add_to_the_file() -> None:
    options = {"timeout": "60", "jitter": "0.1", "label": ["x=1"], "success_when": "connected", "interval": "2"}
    assert made(PORT, **options) == {
        **made(PORT),
        "timeout_seconds": 60,
        "polling": {"interval_seconds": 2, "jitter": 0.1},
        "labels": {"team": "a", "x": "1"},
        "success_when": "connected",
    }
    assert made(SITE, method="HEAD", header=["A: b"])["check"] | {"url": ""} == {
        "kind": "http",
        "url": "",
        "method": "HEAD",
        "headers": {"A": "b"},
    }


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"job_id": "other"}, "JOB_ID: contradicts job_id in jobs.yaml, line 1: leave one of them out"),
        ({"interval": "3"}, "POLLING_INTERVAL: contradicts polling.interval_seconds in jobs.yaml, line 7"),
        ({"label": ["team=b"]}, "--label: contradicts labels.team in jobs.yaml, line 9"),
        ({"url": "http://x/"}, "--url: contradicts check.kind in jobs.yaml, line 3"),
        ({"method": "GET"}, "--method: check.method is not a known field"),
        ({"simulate_checks": "3"}, "--simulate-checks: check.checks is not a known field"),
        ({"jitter": "2"}, "--jitter: polling.jitter should be less than 1 (got 2)"),
        ({"success_when": "nope"}, "--success-when: success_when column 1: undeclared reference"),
    ],
)
def test_an_option_that_contradicts_or_does_not_fit_is_refused_by_its_name(
    options: dict[str, Any], says: str
) -> None:
    assert refused(PORT, **options).startswith(says)


def test_all_that_contradicts_is_named() -> None:
    assert refused(PORT, job_id="other", interval="3").count("contradicts") == 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (PORT.replace("80", "eighty"), "jobs.yaml, line 5, check.port: should be a whole number"),
        (PORT.replace("  port: 80\n", ""), "jobs.yaml, line 2, check.port: is required"),
        (PORT.replace("tcp", "udp"), "jobs.yaml, line 3, check.kind: should be one of "),
        (
            PORT + "succes_when: connected\n",
            "jobs.yaml, line 10, succes_when: is not a known field: did you mean success_when?",
        ),
        (PORT + "success_when: conected\n", "jobs.yaml, line 10, success_when: column 1: undeclared"),
        (
            PORT.replace("port\n", "12\n", 1),
            "jobs.yaml, line 1, job_id: should be a text: put it in quotes (got 12)",
        ),
        (
            PORT.replace("team: a", "team: 7"),
            "jobs.yaml, line 9, labels.team: should be a text: put it in quotes (got 7)",
        ),
        (PORT.replace("  interval_seconds: 2", "  - 2"), "jobs.yaml, line 6, polling: "),
        (
            "check:\n  kind: http\n  url: http://h/{jobid}/{job_id}\n",
            "jobs.yaml, line 3, check.url: {jobid} is no placeholder: {job_id} is the only one",
        ),
        ("job_id: a\n", "jobs.yaml, line 1, check: is required"),
        ("check: tcp\n", "jobs.yaml, line 1, check: "),
        ("- job_id: a\n", "jobs.yaml, line 1: should be an object"),
        ("just text\n", "jobs.yaml, line 1: should be an object"),
    ],
)
def test_what_is_wrong_in_a_file_is_named_with_line_and_field(text: str, says: str) -> None:
    assert refused(text).startswith(says)


TOLD = """\
check: {kind: simulated}
on_verdict:
  - to:
      kind: webhook
      url: https://example.com/
      secret: env:MONITOR_SECRET_A
    verdicts: [Failed]
    every_seconds: 60
  - to: {kind: slack, url_secret: env:MONITOR_SECRET_CHAT}
"""


def test_who_is_told_stands_in_the_file_or_is_given_beside_it() -> None:
    assert made(TOLD)["on_verdict"] == [
        {
            "to": {"kind": "webhook", "url": "https://example.com/", "secret": ["env:MONITOR_SECRET_A"]},
            "verdicts": ["Failed"],
            "every_seconds": 60,
        },
        {"to": {"kind": "slack", "url_secret": "env:MONITOR_SECRET_CHAT"}},
    ]
    hook = {"to": {"kind": "webhook", "url": "https://example.com/"}}
    assert made(PORT, notify=["https://example.com/"]) == {**made(PORT), "on_verdict": [hook]}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (TOLD.replace("https", "ftp"), "jobs.yaml, line 5, on_verdict.0.to.url: should be an absolute http or"),
        (
            TOLD.replace("env:MONITOR_SECRET_A", "hunter2"),
            "jobs.yaml, line 6, on_verdict.0.to.secret.0: should be env:MONITOR_SECRET_NAME",
        ),
        (TOLD.replace("webhook", "webhok"), "jobs.yaml, line 4, on_verdict.0.to.kind: should be one of "),
        (TOLD.replace("[Failed]", "[Faild]"), "jobs.yaml, line 7, on_verdict.0.verdicts.0: should be 'Completed'"),
        (
            TOLD.replace("60", "1"),
            "jobs.yaml, line 8, on_verdict.0.every_seconds: should be greater than or equal",
        ),
        (TOLD.replace("url_secret", "url_secrt"), "jobs.yaml, line 9, on_verdict.1.to.url_secrt: is not a known"),
        (TOLD.replace("verdicts", "verdict"), "jobs.yaml, line 7, on_verdict.0.verdict: is not a known field"),
    ],
)
def test_what_is_wrong_with_who_is_told_is_named_with_line_and_field(text: str, says: str) -> None:
    message = refused(text)
    assert message.startswith(says)
    assert "hunter2" not in message


@pytest.mark.parametrize(
    ("text", "options", "says"),
    [
        (TOLD, {"notify": ["https://b/"]}, "--notify: contradicts on_verdict in jobs.yaml, line 2: leave one"),
        (PORT, {"notify": ["ftp://b/"]}, "--notify: on_verdict.0.to.url should be an absolute http or https"),
        (PORT, {"notify_secret": "env:MONITOR_SECRET_A"}, "--notify-secret: has no effect without --notify"),
        (
            PORT,
            {"notify": ["https://b/"], "notify_secret": "hunter2"},
            "--notify-secret: on_verdict.0.to.secret",
        ),
    ],
)
def test_who_is_told_by_an_option_is_refused_by_its_name(text: str, options: dict[str, Any], says: str) -> None:
    message = refused(text, **options)
    assert message.startswith(says)
    assert "hunter2" not in message


@pytest.mark.parametrize(
    "text", ["polling: 5\ncheck: {kind: simulated}\n", "check: {kind: simulated}\npolling:\n"]
)
def test_an_option_below_a_field_that_has_no_room_for_it_is_refused(text: str) -> None:
    assert "POLLING_INTERVAL: contradicts polling in jobs.yaml" in refused(text, interval="3")


def test_a_file_is_read_with_or_without_a_byte_order_mark(tmp_path: Path) -> None:
    file = tmp_path / "jobs.yaml"
    file.write_bytes("\ufeffjob_id: é\n".encode())
    (document,) = read_documents(str(file))
    assert (document.data, document.source) == ({"job_id": "é"}, str(file))


def test_a_dash_is_stdin() -> None:
    (document,) = read_documents("-", io.BytesIO(b"job_id: a\n"))
    assert (document.data, document.place("job_id")) == ({"job_id": "a"}, "stdin, line 1")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"x" * (MOST_BYTES + 1), "stdin: is larger than 16 MiB"),
        (b"job_id: \xff", "stdin: is not UTF-8 (at byte 8)"),
    ],
)
def test_what_is_too_large_or_no_text_is_refused(content: bytes, says: str) -> None:
    with pytest.raises(RequestError, match="stdin") as caught:
        read_documents("-", io.BytesIO(content))
    assert str(caught.value) == says


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for path, why in ((str(tmp_path / "no.yaml"), "No such file"), (str(tmp_path), "Is a directory"), ("\0", "")):
        with pytest.raises(RequestError) as caught:
            read_documents(path)
        assert str(caught.value).startswith(f"{path}: cannot be read: {why}")


@pytest.mark.parametrize(("text", "number"), [("", 0), ("a: 1\n---\nb: 2\n", 2)])
def test_one_request_a_file(text: str, number: int) -> None:
    with pytest.raises(RequestError, match=f"jobs.yaml: should hold one request, and holds {number}"):
        the_only(parse(text, "jobs.yaml"), "jobs.yaml")
