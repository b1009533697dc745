"""The spec of the kind `sql`: which queries it takes, and what it counts as success by itself."""

from typing import Any

import pytest
from pydantic import ValidationError

from monitor_core.conditions import check_conditions, conditions
from monitor_core.contract import parse_request
from monitor_core.kinds import BUILT_IN, SqlCheck

DSN = "env:MONITOR_SECRET_DB"
NOTHING = {"found": False, "row": {}, "value": None, "changed": False, "latency_ms": 1.0}


def refused(**fields: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        SqlCheck.model_validate({"dsn": DSN, "query": "SELECT 1", **fields})
    return str(caught.value)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT 1",
        "select(1)",
        "  \n\tSELECT 1;",
        "WITH a AS (SELECT 1) SELECT * FROM a",
        "VALUES (1)",
        "TABLE orders",
        "((SELECT 1) UNION (SELECT 2))",
        "-- how many?\n/* * of them */ /**/ SELECT count(*) FROM orders",
    ],
)
def test_a_select_is_a_query(query: str) -> None:
    assert SqlCheck(dsn=DSN, query=query).query == query


@pytest.mark.parametrize(
    "query",
    [
        "",
        " ",
        "INSERT INTO orders VALUES (1)",
        "COPY orders TO PROGRAM 'sh'",
        "SET TRANSACTION READ WRITE",
        "SELECTED",
        "-- SELECT 1",
        "/* SELECT 1 */ DROP TABLE orders",
        "SELECT '\0'",
        "SELECT '\ud800'",
        "SELECT '" + "x" * 8000 + "'",
        "/*" * 3999,
        "/**/" * 1999,
    ],
)
def test_anything_else_is_none(query: str) -> None:
    assert "query" in refused(query=query)


@pytest.mark.parametrize("dsn", ["postgresql://me:hunter22@db.example/orders", "host=db password=hunter22", ""])
def test_a_connection_string_is_never_in_the_request(dsn: str) -> None:
    why = refused(dsn=dsn)
    assert "should be env:MONITOR_SECRET_NAME" in why


def test_who_asks_is_the_worker_s_identity_or_the_connection_string_s_user() -> None:
    identity = {"type": "managed_identity", "audience": "https://ossrdbms-aad.database.windows.net"}
    check = SqlCheck.model_validate({"dsn": DSN, "query": "SELECT 1", "auth": identity})
    assert check.as_wire() == {"kind": "sql", "dsn": DSN, "query": "SELECT 1", "auth": identity}
    assert "auth" in refused(auth={"type": "bearer", "token": DSN})


@pytest.mark.parametrize(
    ("value", "success"),
    [
        (1, True),
        (-1, True),
        (0.5, True),
        (True, True),
        ("done", True),
        ("0", True),
        ({"a": 0}, True),
        ([], True),
        (0, False),
        (0.0, False),
        (False, False),
        ("", False),
        (None, False),
    ],
)
def test_by_itself_it_waits_for_a_first_value_that_says_something(value: object, success: bool) -> None:
    natural, _ = conditions(None, None, SqlCheck)
    assert natural is not None
    assert natural.holds({**NOTHING, "found": True, "row": {"a": value}, "value": value}) is success


@pytest.mark.parametrize(
    "text",
    [
        "found && row.loaded >= 1000",
        "found && value > 3",
        "value == 'done'",
        "changed",
        "found && timestamp(row.newest) > timestamp('2030-01-01T00:00:00Z')",
    ],
)
def test_a_condition_that_asks_first_can_be_judged_before_there_is_a_row(text: str) -> None:
    condition, _ = conditions(text, None, SqlCheck)
    assert condition is not None
    assert condition.holds(NOTHING) is False


def test_no_row_is_no_success() -> None:
    natural, _ = conditions(None, None, SqlCheck)
    assert natural is not None
    assert natural.holds(NOTHING) is False


def test_the_example_is_a_request() -> None:
    request = parse_request({"job_id": "a", **SqlCheck.example}, BUILT_IN)
    check_conditions(request, BUILT_IN)
