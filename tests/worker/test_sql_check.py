"""The kind `sql` against a real PostgreSQL: what there is, what is not yet, and what must not be possible."""

import asyncio
import gc
import json
import math
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from azure.core.credentials import AccessToken
from psycopg import pq
from pydantic import JsonValue

from monitor_core.conditions import conditions
from monitor_core.contract import ErrorClass, parse_request
from monitor_core.kinds import BUILT_IN, SqlCheck
from monitor_worker.checks.base import CheckContext, CheckFailed, Observation, Resources
from monitor_worker.checks.origins import Allowed
from monitor_worker.checks.registry import Registry
from monitor_worker.checks.secrets import Secrets
from monitor_worker.checks.sql import SqlDriver
from monitor_worker.checks.targets import Resolve, Resolved, TargetGuard, system_resolve
from monitor_worker.checks.tokens import Tokens
from support.postgres import ADMIN, HERE, PASSWORD, Postgres, running

REFERENCE = "env:MONITOR_SECRET_DB"
CONTEXT = CheckContext("job", "run.0.1.1", 1, 30.0)
LONG = 60.0
AUDIENCE = "https://ossrdbms-aad.database.windows.net"
WORDS = "correct horse"


@pytest.fixture(scope="session")
def server() -> Iterator[Postgres]:
    with running() as started:
        started.run(
            f"CREATE ROLE reader LOGIN PASSWORD '{WORDS}'",
            "CREATE TABLE orders (id int, status text, day date DEFAULT current_date, loaded_at timestamptz)",
            "CREATE TABLE secret (id int)",
            "GRANT SELECT ON orders TO reader",
            "CREATE SEQUENCE numbers",
        )
        yield started


@pytest.fixture
def orders(server: Postgres) -> Postgres:
    """The server with an empty table `orders`."""
    server.run("TRUNCATE orders")
    return server


def dsn_of(port: int, user: str = ADMIN, password: str = PASSWORD, host: str = HERE, **words: str) -> str:
    told = {"host": host, "port": str(port), "user": user, "password": password, "dbname": "postgres"}
    told = {"sslmode": "disable", **told, **words}
    return " ".join(f"{name}='{value}'".replace("n's", "n\\'s") for name, value in told.items() if value)


def resources(
    dsn: str, port: int, *, resolve: Resolve = system_resolve, tokens: Tokens | None = None, host: str = HERE
) -> Resources:
    allowed = Allowed([f"{REFERENCE}=postgresql://{name}:{port}" for name in {HERE, host}])
    guard = TargetGuard([f"127.0.0.0/8:{port}"], resolve=resolve)
    return Resources(guard, Secrets(allowed, {"MONITOR_SECRET_DB": dsn}), tokens or Tokens())


def resolving(*addresses: str) -> Resolve:
    async def resolve(host: str, port: int) -> Resolved:
        return [(socket.AF_INET, address) for address in addresses]

    return resolve


async def look(
    server: Postgres,
    query: str,
    *,
    checkpoint: Mapping[str, JsonValue] | None = None,
    seconds: float = 30.0,
    instance: str = "job",
    **words: str,
) -> Observation:
    context = CheckContext(instance, "run.0.1.1", 1, seconds, checkpoint)
    checks = SqlDriver(resources(dsn_of(server.port, **words), server.port))
    return await checks.check(SqlCheck(dsn=REFERENCE, query=query), context)


async def failure(server: Postgres, query: str = "SELECT 1", **words: Any) -> CheckFailed:
    with pytest.raises(CheckFailed) as caught:
        await look(server, query, **words)
    return caught.value


async def value_of(server: Postgres, expression: str) -> Any:
    return (await look(server, f"SELECT {expression}")).variables["value"]


def is_success(observed: Observation) -> bool:
    natural, _ = conditions(None, None, SqlCheck)
    assert natural is not None
    return natural.holds(observed.variables)


async def until(server: Postgres, query: str, count: int) -> None:
    """Waits until the server counts so many."""
    last = time.monotonic() + LONG
    while await asyncio.to_thread(server.run, query) != [(count,)]:
        assert time.monotonic() < last
        await asyncio.sleep(0.05)


async def gone(server: Postgres) -> None:
    """Waits until the server has no connection of a check left."""
    await until(server, "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'durable-monitor'", 0)


async def test_a_row_is_observed_with_its_columns(orders: Postgres) -> None:
    orders.run("INSERT INTO orders VALUES (7, 'ready', '2030-01-31', '2030-01-31 13:00+01')")
    observed = await look(orders, "SELECT id, status, day, loaded_at FROM orders")

    row = {"id": 7, "status": "ready", "day": "2030-01-31", "loaded_at": "2030-01-31T12:00:00Z"}
    assert set(observed.variables) == set(SqlCheck.variables)
    assert observed.variables["latency_ms"] > 0
    expected = {"found": True, "row": row, "value": 7, "changed": False}
    assert {**observed.variables, "latency_ms": 0} == {**expected, "latency_ms": 0}
    assert observed.status == "ready"
    assert (observed.error, is_success(observed)) == (None, True)


async def test_without_a_row_there_is_nothing_to_see(orders: Postgres) -> None:
    observed = await look(orders, "SELECT id FROM orders")

    assert observed.status == "No row"
    assert (observed.variables["found"], observed.variables["row"], observed.variables["value"]) == (
        False,
        {},
        None,
    )
    assert not is_success(observed)


async def test_a_count_of_nothing_is_no_success(orders: Postgres) -> None:
    nothing = await look(orders, "SELECT count(*) FROM orders")
    orders.run("INSERT INTO orders VALUES (1)")
    something = await look(orders, "SELECT count(*) FROM orders")

    assert (nothing.status, nothing.variables["row"], is_success(nothing)) == ("Row", {"count": 0}, False)
    assert (something.variables["value"], is_success(something)) == (1, True)


async def test_the_data_is_not_in_what_is_kept(orders: Postgres) -> None:
    observed = await look(orders, "SELECT 'rosebud' AS name, 42424242 AS number")

    kept = json.dumps([observed.status, observed.summary, dict(observed.checkpoint or {})])
    assert "rosebud" not in kept
    assert "42424242" not in kept


async def test_the_example_runs(orders: Postgres) -> None:
    request = parse_request({"job_id": "a", **SqlCheck.example}, BUILT_IN)
    success, _ = conditions(request.success_when, request.failure_when, SqlCheck)
    assert success is not None
    query = str(request.check["query"])
    before = await look(orders, query)
    orders.run("INSERT INTO orders SELECT n, 'new', current_date, now() FROM generate_series(1, 1000) AS n")
    after = await look(orders, query)

    assert success.holds(before.variables) is False
    assert success.holds(after.variables) is True
    newer, _ = conditions("found && timestamp(row.newest) > timestamp('2020-01-01T00:00:00Z')", None, SqlCheck)
    assert newer is not None
    assert newer.holds(after.variables) is True


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("NULL::int", None),
        ("''", ""),
        ("true", True),
        ("false", False),
        ("1::int2", 1),
        ("-5::int4", -5),
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
        ("4294967295::oid", 2**32 - 1),
        ("0.1::float4", 0.1),
        ("0.1::float8", 0.1),
        ("'Infinity'::float8", math.inf),
        ("12.50::numeric", 12.5),
        ("1e400::numeric", math.inf),
        ("sum(n) FROM generate_series(1, 3) n", 6),
        ("sum(n::int8) FROM generate_series(1, 3) n", 6.0),
        ("'a'::char(3)", "a  "),
        ("'gr\u00fc\u00df'", "gr\u00fc\u00df"),
        ("'\U0001f600'", "\U0001f600"),
        ("'100%s %'", "100%s %"),
        ("'2030-01-31 12:00:00.5+02'::timestamptz", "2030-01-31T10:00:00.5Z"),
        ("'2030-01-31 12:00:00'::timestamp", "2030-01-31T12:00:00"),
        ("'infinity'::timestamptz", "infinity"),
        ("'0044-03-15 12:00 BC'::timestamp", "0044-03-15 12:00:00 BC"),
        ("'20300-01-31'::date", "20300-01-31"),
        ("'24:00'::time", "24:00:00"),
        ("'1 day'::interval", "1 day"),
        ("'\\x6869'::bytea", "\\x6869"),
        ("ARRAY[1, 2]", "{1,2}"),
        ('\'{"a": [1, null, {"b": 1.5}]}\'::jsonb', {"a": [1, None, {"b": 1.5}]}),
        ('\'{"a": 1, "a": 2}\'::json', {"a": 2}),
        ("'18446744073709551616'::json", float(2**64)),
        ("'null'::json", None),
        ("'\"\\u0000\"'::json", '"\\u0000"'),
        ("'\"\\ud800\"'::json", '"\\ud800"'),
        ("repeat('[', 300)::text || repeat(']', 300)", "[" * 300 + "]" * 300),
        ("(repeat('[', 300) || repeat(']', 300))::json", "[" * 300 + "]" * 300),
        ("'6d7f8b1e-0000-4000-8000-000000000000'::uuid", "6d7f8b1e-0000-4000-8000-000000000000"),
    ],
)
async def test_every_value_can_be_judged(server: Postgres, expression: str, value: object) -> None:
    observed = await look(server, f"SELECT {expression}")

    assert observed.variables["value"] == value
    assert type(observed.variables["value"]) is type(value)
    for text in ("found && (value == value || true)", "found && size(row) == 1"):
        condition, _ = conditions(text, None, SqlCheck)
        assert condition is not None
        assert condition.holds(observed.variables) is True


async def test_what_is_not_a_number_is_none(server: Postgres) -> None:
    assert math.isnan(await value_of(server, "'NaN'::numeric"))


async def test_of_columns_of_one_name_the_last_counts(server: Postgres) -> None:
    observed = await look(server, "SELECT 1 AS a, 2 AS a, 3")
    assert (observed.variables["row"], observed.variables["value"]) == ({"a": 2, "?column?": 3}, 1)


async def test_a_row_without_columns_is_a_row(server: Postgres) -> None:
    observed = await look(server, "SELECT")
    assert (observed.variables["found"], observed.variables["value"]) == (True, None)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT 1;",
        "(SELECT 1)",
        "VALUES (1), (2)",
        "WITH a AS (SELECT 1 AS b) SELECT b FROM a",
        "SELECT 1 -- one",
        "/* one */ SELECT 1",
        "SELECT 1 WHERE '%' LIKE '%%'",
    ],
)
async def test_whatever_only_reads_may_be_asked(server: Postgres, query: str) -> None:
    assert (await look(server, query)).variables["value"] == 1


async def test_changed_tells_the_first_row_from_the_one_at_the_first_check(orders: Postgres) -> None:
    query = "SELECT max(id) FROM orders"
    first = await look(orders, query)
    same = await look(orders, query, checkpoint=first.checkpoint)
    orders.run("INSERT INTO orders VALUES (1)")
    other = await look(orders, query, checkpoint=same.checkpoint)
    again = await look(orders, query, checkpoint=other.checkpoint)
    orders.run("TRUNCATE orders")
    back = await look(orders, query, checkpoint=again.checkpoint)

    changed = [observed.variables["changed"] for observed in (first, same, other, again, back)]
    assert changed == [False, False, True, True, False]
    assert first.checkpoint == back.checkpoint


async def test_a_row_that_comes_or_goes_is_a_change(orders: Postgres) -> None:
    query = "SELECT id FROM orders"
    none = await look(orders, query)
    orders.run("INSERT INTO orders VALUES (NULL)")
    some = await look(orders, query)

    assert (await look(orders, query, checkpoint=none.checkpoint)).variables["changed"] is True
    orders.run("TRUNCATE orders")
    assert (await look(orders, query, checkpoint=some.checkpoint)).variables["changed"] is True


async def test_the_baselines_of_two_monitors_do_not_tell_that_their_rows_are_the_same(server: Postgres) -> None:
    one, other = [await look(server, "SELECT true", instance=name) for name in ("one", "other")]
    assert one.checkpoint != other.checkpoint


@pytest.mark.parametrize("query", ["SELECT * FROM to_come", "SELECT * FROM to_come.orders"])
async def test_a_table_that_does_not_exist_yet_is_waited_for(server: Postgres, query: str) -> None:
    observed = await look(server, query)

    assert (observed.status, observed.variables["found"], observed.error) == ("Absent", False, None)
    assert not is_success(observed)


async def test_a_database_that_does_not_exist_yet_is_waited_for(server: Postgres) -> None:
    observed = await look(server, "SELECT 1", dbname="to_come")
    assert (observed.status, observed.variables["found"], observed.error) == ("Absent", False, None)


WRITES = [
    "WITH gone AS (DELETE FROM orders RETURNING id) SELECT * FROM gone",
    "WITH new AS (INSERT INTO orders VALUES (2) RETURNING id) SELECT * FROM new",
    "SELECT 1; DROP TABLE orders",
    "SELECT 1; COMMIT; DROP TABLE orders",
    "SELECT * INTO copied FROM orders",
    "SELECT nextval('numbers')",
    "SELECT id FROM orders FOR UPDATE",
    "SELECT set_config('transaction_read_only', 'off', true)",
    "SELECT set_config('transaction_read_only', 'off', false)",
]


@pytest.mark.parametrize("query", WRITES)
async def test_a_query_that_would_write_does_nothing_even_as_the_superuser(orders: Postgres, query: str) -> None:
    orders.run("INSERT INTO orders VALUES (1)", "SELECT setval('numbers', 5)")
    error = await failure(orders, query)

    assert error.error_class is ErrorClass.MISCONFIGURED
    assert "check.query" in str(error)
    assert orders.run("SELECT id, (SELECT last_value FROM numbers) FROM orders") == [(1, 5)]
    assert orders.run("SELECT to_regclass('copied')") == [(None,)]


async def test_what_a_transaction_that_only_reads_does_not_prevent_is_undone(orders: Postgres) -> None:
    with suppress(CheckFailed):  # since version 16 it does prevent it
        await look(orders, "SELECT lo_create(4242)")
    assert orders.run("SELECT count(*) FROM pg_largeobject_metadata") == [(0,)]


# The spec refuses these at the door; a driver that is given them all the same has to be safe, too.
@pytest.mark.parametrize(
    "query",
    [
        "INSERT INTO orders VALUES (2) RETURNING id",
        "UPDATE orders SET id = 2 RETURNING id",
        "DELETE FROM orders RETURNING id",
        "SET TRANSACTION READ WRITE",
        "COPY orders TO PROGRAM 'true'",
        "COPY (SELECT 1) TO STDOUT",
        "CALL p()",
        "DO 'BEGIN END'",
        "EXPLAIN ANALYZE DELETE FROM orders",
        "COMMIT",
        "VACUUM",
    ],
)
async def test_what_is_no_select_is_refused_by_the_server_too(orders: Postgres, query: str) -> None:
    orders.run("INSERT INTO orders VALUES (1)")
    spec = SqlCheck.model_construct(kind="sql", dsn=REFERENCE, query=query, auth=None)
    checks = SqlDriver(resources(dsn_of(orders.port), orders.port))
    with pytest.raises(CheckFailed) as caught:
        await checks.check(spec, CONTEXT)

    assert caught.value.error_class is ErrorClass.MISCONFIGURED
    assert orders.run("SELECT id FROM orders") == [(1,)]


async def test_nothing_stays_behind_in_a_connection_that_a_pooler_uses_again(server: Postgres) -> None:
    assert await value_of(server, "count(*) FROM pg_prepared_statements") == 0


async def test_an_earlier_setting_of_the_user_s_own_does_not_make_it_write(orders: Postgres) -> None:
    orders.run("CREATE OR REPLACE FUNCTION wipe() RETURNS int LANGUAGE sql AS 'DELETE FROM orders; SELECT 1'")
    orders.run("INSERT INTO orders VALUES (1)", f"ALTER ROLE {ADMIN} SET default_transaction_read_only = off")
    error = await failure(orders, "SELECT wipe()")

    assert error.error_class is ErrorClass.MISCONFIGURED
    assert orders.run("SELECT id FROM orders") == [(1,)]


async def test_the_server_gives_up_a_slow_query_in_time_whatever_time_it_gives_itself(server: Postgres) -> None:
    # Long enough for the server to be the first to give up on a busy machine, too.
    longer = "SELECT set_config('statement_timeout', '0', false), pg_sleep(60)"
    error = await failure(server, longer, seconds=4.0)

    assert (error.error_class, str(error)) == (ErrorClass.TRANSIENT, "check.query took too long, or was cancelled")
    await gone(server)


async def test_a_lock_is_not_waited_for_longer_than_the_check_s_time(orders: Postgres) -> None:
    with orders.admin() as other, other.transaction():
        other.execute("LOCK TABLE orders")
        error = await failure(orders, "SELECT * FROM orders", seconds=3.0)

    assert (error.error_class, str(error)) == (
        ErrorClass.TRANSIENT,
        "check.query waits for a lock that another holds",
    )


async def test_a_check_that_is_cancelled_leaves_no_connection_on_either_side(server: Postgres) -> None:
    check = asyncio.create_task(look(server, "SELECT pg_sleep(50)", seconds=LONG))
    query = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'FETCH%monitored' AND state = 'active'"
    await until(server, query, 1)
    check.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(check, LONG)

    await asyncio.wait_for(gone(server), 20)  # long before the query would have ended
    gc.collect()  # an open socket would warn, and warnings are errors here


async def test_a_check_leaves_no_connection(server: Postgres) -> None:
    await look(server, "SELECT 1")
    await failure(server, "SELECT 1/0")
    await gone(server)
    gc.collect()


async def test_a_server_that_never_answers_is_given_up_and_left() -> None:
    server = Posing(b"")
    async with server.listening() as posing:
        error = await failure(posing, seconds=0.5)  # held, and with it whatever it holds
        words = f"{HERE}:{posing.port} did not answer in time"
    assert (error.error_class, str(error)) == (ErrorClass.TRANSIENT, words)


async def test_a_check_that_is_cancelled_while_it_connects_leaves_no_connection() -> None:
    server = Posing(b"")
    async with server.listening() as posing:
        check = asyncio.create_task(look(posing, "SELECT 1", seconds=LONG))
        async with asyncio.timeout(LONG):
            while not server.heard:  # noqa: ASYNC110 # what the other side does sets no event
                await asyncio.sleep(0.01)
        check.cancel()
        with pytest.raises(asyncio.CancelledError) as held:
            await check
    assert not isinstance(held.value, CheckFailed)  # it is held until here, and with it whatever it holds


async def test_a_server_that_stops_in_the_midst_of_a_query_is_left(server: Postgres) -> None:
    check = asyncio.create_task(look(server, "SELECT pg_sleep(50)", seconds=LONG))
    running_one = "FROM pg_stat_activity WHERE query LIKE 'FETCH%monitored' AND state = 'active'"
    await until(server, f"SELECT count(*) {running_one}", 1)
    ((backend,),) = await asyncio.to_thread(server.run, f"SELECT pid {running_one}")
    os.kill(backend, signal.SIGSTOP)
    try:
        check.cancel()  # at the driver's own deadline: psycopg asks the server to stop the query, and waits
        await asyncio.sleep(0.2)
        check.cancel()  # by the caller, when the check's time is over
        with pytest.raises(asyncio.CancelledError):
            await check
    finally:
        os.kill(backend, signal.SIGCONT)
    await gone(server)
    gc.collect()


async def test_a_huge_result_is_not_computed_and_not_brought_here(server: Postgres) -> None:
    # 10**12 rows: whoever asked for more than the first would not be back before the check's time is over.
    query = "SELECT a + b AS n FROM generate_series(1, 1000000) a, LATERAL (SELECT b FROM numbers_to(1000000) b) c"
    server.run(
        "CREATE OR REPLACE FUNCTION numbers_to(n int) RETURNS SETOF int LANGUAGE sql IMMUTABLE ROWS 1000000 AS "
        "'WITH RECURSIVE t(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM t WHERE i < n) SELECT i FROM t'"
    )
    assert (await look(server, query, seconds=LONG)).variables["value"] == 2


async def test_the_loop_goes_on_while_a_query_runs(server: Postgres) -> None:
    ticks = 0
    check = asyncio.create_task(look(server, "SELECT pg_sleep(0.5)"))
    while not check.done():
        await asyncio.sleep(0.01)
        ticks += 1
    await check
    assert ticks > 10


async def test_a_row_that_is_too_large_is_refused(server: Postgres) -> None:
    assert len(await value_of(server, "repeat('x', 1000000)")) == 1_000_000
    error = await failure(server, "SELECT repeat('x', 500000), repeat('y', 500001)")
    assert error.error_class is ErrorClass.PERMANENT
    assert "more than 1,000,000 bytes" in str(error)


@pytest.mark.parametrize(
    ("query", "error_class", "words"),
    [
        ("SELECT nothing", ErrorClass.MISCONFIGURED, 'at character 8: column "nothing" does not exist'),
        (
            "SELECT 1 FROM",
            ErrorClass.MISCONFIGURED,
            "at character 14: syntax error at end of input (SQLSTATE 42601)",
        ),
        ("SELECT nothing(1)", ErrorClass.MISCONFIGURED, "function nothing(integer) does not exist"),
        ("SELECT id FROM secret", ErrorClass.PERMANENT, f"the user of {REFERENCE} may not read"),
        ("SELECT 1/0", ErrorClass.TRANSIENT, "fails on the data that is there (SQLSTATE 22012)"),
        ("SELECT (SELECT * FROM generate_series(1, 2))", ErrorClass.TRANSIENT, "SQLSTATE 21000"),
        (
            "SELECT (SELECT 'rosebud' || id FROM generate_series(1, 1) id)::int",
            ErrorClass.TRANSIENT,
            "SQLSTATE 22P02",
        ),
    ],
)
async def test_what_is_wrong_with_a_query_is_told_without_its_data(
    server: Postgres, query: str, error_class: ErrorClass, words: str
) -> None:
    error = await failure(server, query, user="reader", password=WORDS)

    assert error.error_class is error_class
    assert words in str(error)
    assert "rosebud" not in str(error)


@pytest.mark.parametrize(("user", "password"), [(ADMIN, "wrong horse"), (ADMIN, ""), ("nobody", "wrong horse")])
async def test_a_user_that_the_server_refuses_is_a_permanent_error(
    server: Postgres, user: str, password: str
) -> None:
    error = await failure(server, user=user, password=password)

    assert error.error_class is ErrorClass.PERMANENT
    assert str(error) == f"{HERE}:{server.port} refuses the user or the password of {REFERENCE}"


async def test_a_user_who_may_not_connect_is_a_permanent_error(server: Postgres) -> None:
    server.run("CREATE ROLE waiter PASSWORD 'correct horse'")
    error = await failure(server, user="waiter", password=WORDS)
    assert error.error_class is ErrorClass.PERMANENT


async def test_a_port_that_refuses_is_a_transient_error() -> None:
    with socket.create_server((HERE, 0)) as closed:
        port = closed.getsockname()[1]
    error = await failure(Postgres(port, Path()))
    assert (error.error_class, str(error)) == (ErrorClass.TRANSIENT, f"{HERE}:{port} refuses the connection")


async def test_a_server_without_a_connection_left_is_a_transient_error(server: Postgres) -> None:
    server.run("ALTER ROLE reader CONNECTION LIMIT 0")
    try:
        error = await failure(server, user="reader", password=WORDS)
    finally:
        server.run("ALTER ROLE reader CONNECTION LIMIT -1")
    assert (error.error_class, str(error)) == (
        ErrorClass.TRANSIENT,
        f"{HERE}:{server.port} has no connection left",
    )


class Posing:
    """What poses as a server: it answers the first message, then listens until the check hangs up."""

    def __init__(self, answer: bytes) -> None:
        self.heard, self.port, self._answer = b"", 0, answer
        self._hung_up = asyncio.Event()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heard += await reader.read(1000)
        writer.write(self._answer)
        self.heard += await reader.read()
        writer.close()
        self._hung_up.set()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Postgres]:
        """On a port of its own."""
        async with await asyncio.start_server(self._serve, HERE, 0) as server:
            yield Postgres(server.sockets[0].getsockname()[1], Path())
            await asyncio.wait_for(self._hung_up.wait(), LONG)


def message(kind: bytes, content: bytes) -> bytes:
    return kind + (len(content) + 4).to_bytes(4, "big") + content


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("the database system is starting up", "takes no connection at the moment"),
        ("the database system is not yet accepting connections", "takes no connection at the moment"),
        ("sorry, too many clients already", "has no connection left"),
        (
            "remaining connection slots are reserved for roles with the SUPERUSER attribute",
            "has no connection left",
        ),
        ("das Datenbanksystem startet rosebud", "cannot connect to"),
    ],
)
async def test_a_server_that_is_not_ready_is_a_transient_error(said: str, words: str) -> None:
    refusal = message(b"E", f"SFATAL\0VFATAL\0C57P03\0M{said}\0\0".encode())
    async with Posing(refusal).listening() as posing:
        error = await failure(posing)
    assert error.error_class is ErrorClass.TRANSIENT
    assert words in str(error)
    assert "rosebud" not in str(error)


async def test_a_connection_that_the_server_ends_is_a_transient_error(server: Postgres) -> None:
    error = await failure(server, "SELECT pg_terminate_backend(pg_backend_pid()), pg_sleep(10)")
    assert error.error_class is ErrorClass.TRANSIENT
    await gone(server)


async def test_tls_is_made_with_the_host_that_the_connection_string_names(server: Postgres) -> None:
    right: dict[str, Any] = {"sslmode": "", "sslrootcert": str(server.authority)}
    query = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
    assert (await look(server, query, **right)).variables["value"] is True

    checks = SqlDriver(
        resources(
            dsn_of(server.port, host="other.test", **right),
            server.port,
            host="other.test",
            resolve=resolving(HERE),
        )
    )
    with pytest.raises(CheckFailed, match=r"the certificate of other\.test") as caught:
        await checks.check(SqlCheck(dsn=REFERENCE, query="SELECT 1"), CONTEXT)
    assert caught.value.error_class is ErrorClass.PERMANENT


async def test_a_server_whose_certificate_nobody_vouches_for_is_a_permanent_error(server: Postgres) -> None:
    error = await failure(server, sslmode="")
    assert error.error_class is ErrorClass.PERMANENT
    assert "is not trusted" in str(error)


async def test_the_authorities_are_those_of_the_machine(server: Postgres) -> None:
    checks = SqlDriver(resources(dsn_of(server.port, sslmode=""), server.port), str(server.authority))
    assert (await checks.check(SqlCheck(dsn=REFERENCE, query="SELECT 1"), CONTEXT)).status == "Row"


async def test_authorities_that_are_not_there_are_a_misconfiguration(server: Postgres) -> None:
    error = await failure(server, sslmode="verify-full", sslrootcert="/nowhere.pem")
    assert error.error_class is ErrorClass.MISCONFIGURED
    assert "sslrootcert" in str(error)


async def test_a_server_without_tls_is_sent_no_password() -> None:
    server = Posing(b"N")
    async with server.listening() as posing:
        error = await failure(posing, sslmode="")
    assert error.error_class is ErrorClass.MISCONFIGURED
    assert "offers no TLS" in str(error)
    assert server.heard == (8).to_bytes(4, "big") + (80877103).to_bytes(
        4, "big"
    )  # an SSLRequest, and nothing else


@pytest.mark.parametrize("asking", [3, 7, 9])  # for a password in clear, GSSAPI, SSPI
async def test_a_server_that_does_not_prove_who_it_is_is_shown_no_password(asking: int) -> None:
    server = Posing(message(b"R", asking.to_bytes(4, "big")))
    async with server.listening() as posing:
        error = await failure(posing)
    assert error.error_class is ErrorClass.PERMANENT
    assert "sslmode=verify-full" in str(error)
    assert ADMIN.encode() in server.heard
    assert PASSWORD.encode() not in server.heard


async def test_nothing_of_the_environment_is_used(server: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    for option in pq.Conninfo.get_defaults():
        if option.envvar and option.keyword != b"service":
            monkeypatch.setenv(option.envvar.decode(), "evil")
    monkeypatch.setenv("PGTZ", "Asia/Tokyo")
    monkeypatch.setenv("PGDATESTYLE", "German")
    assert await value_of(server, "'2030-01-31 12:00Z'::timestamptz") == "2030-01-31T12:00:00Z"
    error = await failure(server, password="")
    assert "refuses the user or the password" in str(error)


async def test_nothing_of_the_home_directory_is_used(
    server: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".postgresql").mkdir()
    for name in ("postgresql.crt", "postgresql.key", "root.crt"):
        (tmp_path / ".postgresql" / name).write_text("evil")
        (tmp_path / ".postgresql" / name).chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert (await look(server, "SELECT 1", sslmode="", sslrootcert=str(server.authority))).status == "Row"
    assert (await look(server, "SELECT 1", sslmode="require")).status == "Row"


async def test_no_password_file_is_used(server: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    passwords = tmp_path / ".pgpass"
    passwords.write_text(f"*:*:*:reader:{WORDS}")
    passwords.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PGPASSFILE", str(passwords))
    assert (await failure(server, user="reader", password="")).error_class is ErrorClass.PERMANENT


@pytest.mark.parametrize("host", [HERE, "0x7f000001", "2130706433", "0177.0.0.1", "127.1", "localhost", "::1"])
async def test_this_machine_is_denied_by_whatever_name(server: Postgres, host: str) -> None:
    origin = f"[{host}]" if ":" in host else host
    secrets = Secrets(
        Allowed([f"{REFERENCE}=postgresql://{origin}:{server.port}"]),
        {"MONITOR_SECRET_DB": dsn_of(server.port, host=host)},
    )
    with pytest.raises(CheckFailed) as caught:
        await SqlDriver(Resources(TargetGuard(), secrets)).check(
            SqlCheck(dsn=REFERENCE, query="SELECT 1"), CONTEXT
        )

    assert caught.value.error_class is ErrorClass.MISCONFIGURED
    assert "MONITOR_ALLOWED_TARGETS" in str(caught.value)


@pytest.mark.parametrize("address", ["169.254.169.254", "168.63.129.16", "64:ff9b::a9fe:a9fe", "100.64.0.1"])
async def test_a_name_that_leads_to_a_hostile_address_is_denied(address: str) -> None:
    dsn = dsn_of(5432, host="friendly.example", sslmode="")
    secrets = Secrets(Allowed([f"{REFERENCE}=postgresql://friendly.example"]), {"MONITOR_SECRET_DB": dsn})
    checks = SqlDriver(Resources(TargetGuard(resolve=resolving(address)), secrets))
    with pytest.raises(CheckFailed, match=r"friendly\.example") as caught:
        await checks.check(SqlCheck(dsn=REFERENCE, query="SELECT 1"), CONTEXT)
    assert caught.value.error_class is ErrorClass.MISCONFIGURED


async def test_the_very_address_that_was_permitted_is_connected_to(server: Postgres) -> None:
    asked = []

    async def rebinding(host: str, port: int) -> Resolved:
        asked.append(host)
        return [(socket.AF_INET, HERE if len(asked) == 1 else "169.254.169.254")]

    # No resolver of the machine knows this name: who looked it up again would find nothing.
    dsn = dsn_of(server.port, host="rebinding.test")
    checks = SqlDriver(resources(dsn, server.port, resolve=rebinding, host="rebinding.test"))
    observed = await checks.check(SqlCheck(dsn=REFERENCE, query="SELECT 1"), CONTEXT)
    assert (observed.status, asked) == ("Row", ["rebinding.test"])


async def test_each_permitted_address_is_tried_and_no_other(server: Postgres) -> None:
    resolve = resolving("169.254.169.254", "127.0.0.2", HERE)
    checks = SqlDriver(
        resources(dsn_of(server.port, host="two.test"), server.port, resolve=resolve, host="two.test")
    )
    assert (await checks.check(SqlCheck(dsn=REFERENCE, query="SELECT 1"), CONTEXT)).status == "Row"


async def test_a_password_that_one_address_refuses_is_not_tried_at_the_next(server: Postgres) -> None:
    dsn = dsn_of(server.port, host="two.test", password="wrong horse")
    checks = SqlDriver(resources(dsn, server.port, resolve=resolving(HERE, "127.0.0.2"), host="two.test"))
    with pytest.raises(CheckFailed) as caught:
        await checks.check(SqlCheck(dsn=REFERENCE, query="SELECT 1"), CONTEXT)
    assert caught.value.error_class is ErrorClass.PERMANENT


async def test_a_name_that_cannot_be_resolved_is_a_transient_error() -> None:
    checks = SqlDriver(resources(dsn_of(5432, host="none.test"), 5432, resolve=resolving(), host="none.test"))
    with pytest.raises(CheckFailed, match=r"none\.test has no address") as caught:
        await checks.check(SqlCheck(dsn=REFERENCE, query="SELECT 1"), CONTEXT)
    assert caught.value.error_class is ErrorClass.TRANSIENT


async def test_a_connection_string_is_only_sent_where_it_may_be(server: Postgres) -> None:
    secrets = Secrets(Allowed([f"{REFERENCE}=postgresql://{HERE}"]), {"MONITOR_SECRET_DB": dsn_of(server.port)})
    checks = SqlDriver(Resources(TargetGuard([f"{HERE}:*"]), secrets))
    with pytest.raises(CheckFailed, match="MONITOR_ALLOWED_SECRETS") as caught:
        await checks.check(SqlCheck(dsn=REFERENCE, query="SELECT 1"), CONTEXT)
    assert caught.value.error_class is ErrorClass.MISCONFIGURED


async def test_a_connection_string_that_cannot_be_used_says_why(server: Postgres) -> None:
    error = await failure(server, options="-c default_transaction_read_only=off")
    assert (error.error_class, "says options" in str(error)) == (ErrorClass.MISCONFIGURED, True)


async def test_the_password_is_masked_wherever_it_turns_up(server: Postgres) -> None:
    held = resources(
        f"postgresql://{ADMIN}:{quote(PASSWORD, safe='')}@{HERE}:{server.port}/?sslmode=disable", server.port
    )
    await SqlDriver(held).check(SqlCheck(dsn=REFERENCE, query="SELECT 1"), CONTEXT)
    assert held.secrets.masker(f"it is {PASSWORD}!") == "it is ***!"


async def test_a_password_too_short_to_be_masked_is_refused(server: Postgres) -> None:
    error = await failure(server, password="abc")
    assert error.error_class is ErrorClass.MISCONFIGURED
    assert "at least 4 characters" in str(error)


class Identity:
    """Gives one token, as the worker's identity would."""

    def __init__(self, token: str) -> None:
        self.token, self.scopes = token, list[str]()

    async def get_token(self, *scopes: str, **_: object) -> AccessToken:
        self.scopes += scopes
        return AccessToken(self.token, 2**31)

    async def close(self) -> None:
        """Nothing."""


def entra(**fields: object) -> SqlCheck:
    auth = {"type": "managed_identity", "audience": AUDIENCE}
    return SqlCheck.model_validate({"dsn": REFERENCE, "query": "SELECT current_user", "auth": auth, **fields})


async def test_a_token_of_the_worker_s_identity_is_the_password(server: Postgres) -> None:
    identity = Identity(WORDS)
    tokens = Tokens(Allowed([f"{AUDIENCE}=postgresql://{HERE}:{server.port}"]), lambda: identity)  # type: ignore[arg-type,return-value]
    dsn = dsn_of(server.port, user="reader", password="", sslmode="", sslrootcert=str(server.authority))
    observed = await SqlDriver(resources(dsn, server.port, tokens=tokens)).check(entra(), CONTEXT)

    assert observed.variables["value"] == "reader"
    assert identity.scopes == [f"{AUDIENCE}/.default"]


async def test_a_token_goes_only_where_the_worker_s_settings_say(server: Postgres) -> None:
    dsn = dsn_of(server.port, user="reader", password="", sslmode="")
    with pytest.raises(CheckFailed, match="MONITOR_ALLOWED_AUDIENCES") as caught:
        await SqlDriver(resources(dsn, server.port)).check(entra(), CONTEXT)
    assert caught.value.error_class is ErrorClass.MISCONFIGURED


async def test_a_token_is_sent_to_no_server_that_does_not_prove_who_it_is(server: Postgres) -> None:
    identity = Identity(WORDS)
    tokens = Tokens(Allowed([f"{AUDIENCE}=postgresql://{HERE}:{server.port}"]), lambda: identity)  # type: ignore[arg-type,return-value]
    dsn = dsn_of(server.port, user="reader", password="", sslmode="require")
    with pytest.raises(CheckFailed, match="write verify-full"):
        await SqlDriver(resources(dsn, server.port, tokens=tokens)).check(entra(), CONTEXT)
    assert identity.scopes == []


async def test_two_passwords_are_one_too_many(server: Postgres) -> None:
    with pytest.raises(CheckFailed, match="leave one out") as caught:
        await SqlDriver(resources(dsn_of(server.port), server.port)).check(entra(), CONTEXT)
    assert caught.value.error_class is ErrorClass.MISCONFIGURED


async def test_the_registry_finds_it(server: Postgres) -> None:
    registry = Registry(BUILT_IN, resources(dsn_of(server.port), server.port))
    kind = registry.find("sql")
    spec = kind.spec.model_validate({"kind": "sql", "dsn": REFERENCE, "query": "SELECT 1"})
    assert (await kind.driver.check(spec, CONTEXT)).status == "Row"
    await registry.close()
