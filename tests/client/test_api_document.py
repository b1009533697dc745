"""The OpenAPI document: whole, and held by the app that it describes."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from monitor_client.api import create_app
from monitor_core.contract import request_schema
from monitor_core.kinds import BUILT_IN
from support.fake_scheduler import FakeScheduler, Instance, request, status
from support.lively_scheduler import LivelyScheduler
from support.serving import serving

KINDS = {name: BUILT_IN[name] for name in ("http", "simulated")}
# Some requests that fit their schema are to be refused (400), because no JSON Schema can say it: whether a
# condition compiles, whether fields of a check go together, and whether a page's token is one of the scheduler's.
SETTINGS = """
seed = 1
[generation]
deterministic = true
max-examples = 5
no-shrink = true
[[operations]]
include-name = ["POST /monitors", "POST /explain", "POST /monitors/{job_id}/edit", "GET /monitors"]
checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "404", "409"]
"""


def document(**given: Any) -> dict[str, Any]:
    said: dict[str, Any] = create_app(FakeScheduler().service(), "http://scheduler", **given).openapi()
    return said


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


@pytest.mark.parametrize(
    ("more", "chosen"),
    [
        ("", len(dict(operations()))),
        # Once more at a monitor that is there and runs on; its stream of events would never end.
        ('[parameters]\n"path.job_id" = "job-1"\n', 9),
    ],
)
def test_schemathesis_finds_nothing(tmp_path: Path, more: str, chosen: int) -> None:
    """All its checks, all its phases, over the whole document, at an app on a real port."""
    settings = tmp_path / "schemathesis.toml"
    settings.write_text(SETTINGS + more)
    scheduler = LivelyScheduler(looks=10**9 if more else 3)
    scheduler.put(request(), "run-1", Instance(shown=status()))
    app = create_app(scheduler.service(), "http://scheduler", requests_per_second=100_000, outcome_seconds=0)
    only = ["--include-path-regex", "job_id", "--exclude-path-regex", "events|cancel"] if more else []
    with serving(app) as url:
        command = [sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()"]
        given = [
            "--config-file",
            str(settings),
            "run",
            f"{url}/openapi.json",
            "--checks",
            "all",
            "--no-color",
            *only,
        ]
        ran = subprocess.run(
            [*command, *given], capture_output=True, text=True, timeout=240, check=False, cwd=tmp_path
        )
    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr[-2000:]
    assert f"Tested: {chosen}\n" in ran.stdout, ran.stdout


@pytest.mark.parametrize(("name", "operation"), list(operations()))
def test_every_operation_says_what_it_may_answer(name: str, operation: dict[str, Any]) -> None:
    answers = operation["responses"]
    assert "422" not in answers
    for code, said in answers.items():
        if code >= "400" and (name, code) != ("GET /readyz", "503"):
            assert said == {"$ref": said["$ref"]}
    assert "500" in answers
    if name.partition(" ")[2] not in {"/healthz", "/readyz"}:
        assert {"401", "403", "413", "415", "421", "429"} <= answers.keys()
        callback: list[dict[str, list[str]]] = (
            [{"callback": []}] if name == "POST /monitors/{job_id}/complete" else []
        )
        assert operation["security"] == [{}, {"entra": []}, *callback]
    if "{job_id}" in name:
        assert "404" in answers
    if name.startswith("POST"):
        (media,) = operation["requestBody"]["content"].values()
        assert "$ref" in media["schema"]


def test_operation_ids_are_names() -> None:
    ids = [operation["operationId"] for _, operation in operations()]
    assert len(set(ids)) == len(ids)
    assert all(one.isidentifier() and one == one.lower() for one in ids)


def test_every_reference_leads_somewhere_and_every_problem_is_one() -> None:
    said = document()
    text = json.dumps(said)
    assert "$defs" not in text
    for part in text.split('"#/components/')[1:]:
        group, _, name = part.partition('"')[0].partition("/")
        assert name in said["components"][group]
    for response in said["components"]["responses"].values():
        assert response["content"] == {
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}
        }


def test_a_start_is_the_request_of_the_kinds_that_the_app_has() -> None:
    schemas = document(kinds=KINDS)["components"]["schemas"]
    start = schemas["StartRequest"]
    names = [one["$ref"].rpartition("-")[2] for one in start["properties"]["check"]["oneOf"]]
    assert names == ["http", "simulated"]
    assert set(start["properties"]) == set(request_schema(KINDS)["properties"])
    assert start["required"] == request_schema(KINDS)["required"]
    assert schemas["check-http"]["properties"]["kind"]["const"] == "http"
    assert schemas["Polling-Input"].get("required") is None, "what has a default may be left out"
    assert "check-tcp" not in schemas


def test_a_command_s_body_is_the_command_without_its_name() -> None:
    said = document()
    edit = said["components"]["schemas"]["Edit"]
    assert "name" not in edit["properties"]
    assert "id" not in edit.get("required", ())
    assert len(edit["anyOf"]) == 4
    assert said["paths"]["/monitors/{job_id}/extend"]["post"]["requestBody"]["required"] is True
    assert said["paths"]["/monitors/{job_id}/cancel"]["post"]["requestBody"]["required"] is False


def test_a_start_s_headers_are_declared() -> None:
    start = document()["paths"]["/monitors"]["post"]["responses"]["202"]
    assert set(start["headers"]) == {"Location", "Operation-Location", "Retry-After"}
