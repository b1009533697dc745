"""The kind `sql`: one connection, one query, at most one row; then the connection is closed.

There is no pool. Checks may be minutes apart, and a connection that idles between them takes one of the few that a
server has, outlives a rotated password, and does not notice that its host's name leads elsewhere since a failover.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import psycopg

from monitor_core.contract import ErrorClass
from monitor_core.kinds.sql import SqlCheck
from monitor_worker.checks.base import CheckContext, CheckFailed, Observation, Resources
from monitor_worker.checks.dialling import Addresses, attempts, permitted
from monitor_worker.checks.http_answer import printable
from monitor_worker.checks.sql_dsn import Dsn, authorities_file
from monitor_worker.checks.sql_errors import FAILURES, check_failed, is_absent
from monitor_worker.checks.sql_row import Cell, digest, values

# The server is to give up first, then this driver: either says more than the caller, who only cuts the check off.
_SERVERS_SHARE: Final = 0.9
_LOCK_SHARE: Final = 0.8
# One SELECT is all that the grammar has room for after these words, and no more of its rows than one is computed.
_BEFORE: Final = "DECLARE monitored NO SCROLL CURSOR FOR "
_SETTINGS: Final = """SELECT set_config('statement_timeout', %s, true), set_config('lock_timeout', %s, true),
    set_config('timezone', 'UTC', true), set_config('datestyle', 'ISO', true)"""

Connection = psycopg.AsyncConnection[Any]
Row = Sequence[Cell]


class Seen(NamedTuple):
    """What the status and the summary say; nothing of the data."""

    status: str
    summary: str


ROW: Final = Seen("Row", "the query gives a row")
NO_ROW: Final = Seen("No row", "the query gives no row")
ABSENT: Final = Seen("Absent", "the database, schema or table does not exist")


class SqlDriver:
    """Makes the checks of the kind `sql`; it keeps no connection.

    Args:
        resources: the guard, the secrets and the tokens.
        trusted: the file of the authorities that a server's certificate is verified with, unless the connection
            string names one.
    """

    def __init__(self, resources: Resources, trusted: str | None = None) -> None:
        self._resources, self._trusted = resources, trusted or authorities_file()

    async def check(self, spec: SqlCheck, context: CheckContext) -> Observation:
        """Ask once.

        Raises:
            CheckFailed: there was no answer, or none that can be judged.
        """
        now = asyncio.get_running_loop().time
        started = now()
        deadline = started + context.looking_seconds
        dsn = await self._dsn(spec)
        try:
            async with asyncio.timeout_at(deadline):
                row = await self._row(spec, dsn, deadline)
        except FAILURES as error:
            if not is_absent(error):
                raise check_failed(error, dsn.target, dsn.reference, len(_BEFORE)) from None
            return _observation(ABSENT, None, context, now() - started)
        return _observation(NO_ROW if row is None else ROW, row, context, now() - started)

    async def close(self) -> None:
        """There is nothing to close."""

    async def _dsn(self, spec: SqlCheck) -> Dsn:
        secrets = self._resources.secrets
        text = await secrets.get_where(spec.dsn, lambda held: Dsn.parse(spec.dsn, held).origin)
        dsn = Dsn.parse(spec.dsn, text)
        password = dsn.words.get("password")
        if password and spec.auth:
            reason = f"{spec.dsn} holds a password, and check.auth gives another: leave one out"
            raise CheckFailed(ErrorClass.MISCONFIGURED, reason)
        if password:
            try:
                secrets.masker.add(password)
            except ValueError as error:
                reason = f"the password in {spec.dsn} cannot be used: {error}"
                raise CheckFailed(ErrorClass.MISCONFIGURED, reason) from None
        return dsn

    async def _row(self, spec: SqlCheck, dsn: Dsn, deadline: float) -> Row | None:
        addresses = await permitted(self._resources.guard, dsn.host, dsn.port, deadline)
        password = await self._token(spec, dsn)
        told = {address: dsn.parameters(address, password, self._trusted) for _, address in addresses}
        connection = await _connect(addresses, told, deadline)
        try:
            return await _first_row(connection, spec.query, deadline)
        finally:
            await connection.close()  # rolls back

    async def _token(self, spec: SqlCheck, dsn: Dsn) -> str | None:
        if spec.auth is None:
            return None
        dsn.require_verified("a token may go to a server alone that proves who it is")
        return await self._resources.tokens.get(spec.auth.audience, dsn.origin)


async def _connect(addresses: Addresses, told: Mapping[str, dict[str, str]], deadline: float) -> Connection:
    """To the first address that takes it, told what is to be told there."""
    last: Exception = TimeoutError()
    for attempt in attempts(addresses, deadline):
        try:
            async with asyncio.timeout_at(attempt.until):
                return await _connect_to(told[attempt.address])
        except TimeoutError:
            last = TimeoutError()
        except psycopg.Error as error:
            last = error
            if "FATAL" in str(error):  # a server's own word: the other addresses are the same database
                break
    raise last


async def _connect_to(parameters: dict[str, str]) -> Connection:
    try:
        return await psycopg.AsyncConnection.connect(**parameters)  # type: ignore[arg-type] # all are texts
    except asyncio.CancelledError as error:
        # Its traceback would keep the half-made connection open for as long as anyone holds the error.
        raise error.with_traceback(None) from None


async def _first_row(connection: Connection, query: str, deadline: float) -> Row | None:
    await connection.set_read_only(True)
    left = max(deadline - asyncio.get_running_loop().time(), 0.001) * _SERVERS_SHARE * 1000
    await connection.execute(_SETTINGS, [f"{left:.0f}ms", f"{left * _LOCK_SHARE:.0f}ms"])
    async with connection.cursor() as cursor:
        # binary makes psycopg use the extended protocol, in which PostgreSQL takes a single statement, whatever a
        # semicolon separates. Prepared under a name it would stay behind in the connections of a PgBouncer.
        await cursor.execute((_BEFORE + query).encode(), binary=True)
        await cursor.execute("FETCH FORWARD 1 FROM monitored")
        result = cursor.pgresult
    if result is None or result.ntuples == 0:
        return None
    columns = range(result.nfields)
    return [Cell(result.fname(n) or b"", result.ftype(n), result.get_value(0, n)) for n in columns]


def _observation(seen: Seen, row: Row | None, context: CheckContext, seconds: float) -> Observation:
    pairs = values(row or ())
    columns = dict(pairs)
    now = digest(row, context.instance_id)
    first = (context.checkpoint or {}).get("first", now)
    status = columns.get("status")
    return Observation(
        status=printable(status) if isinstance(status, str) and status else seen.status,
        variables={
            "found": row is not None,
            "row": columns,
            "value": pairs[0][1] if pairs else None,
            "changed": now != first,
            "latency_ms": seconds * 1000,
        },
        summary=f"{seen.summary}, in {seconds * 1000:.0f} ms",
        checkpoint={"first": first},
    )


def create(resources: Resources) -> SqlDriver:
    """The driver of the kind `sql`."""
    return SqlDriver(resources)
