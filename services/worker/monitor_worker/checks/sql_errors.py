"""What goes wrong between a query and its row, as data: one table from SQLSTATE and exception to class and words.

PostgreSQL's messages quote data and parts of the connection string, so they are not repeated. Only those that
point at a place in the query are: they are about its words.
"""

import re
from collections.abc import Callable
from typing import Final

import psycopg

from monitor_core.contract import ErrorClass
from monitor_worker.checks.failed import CheckFailed
from monitor_worker.checks.failures import Failure, classified, raised

_LONGEST_REASON: Final = 200
Fits = Callable[[psycopg.Error], bool]


def _state(*beginnings: str) -> Fits:
    """By the SQLSTATE, or its beginning (https://www.postgresql.org/docs/current/errcodes-appendix.html)."""
    return lambda error: (error.sqlstate or "").startswith(beginnings)


def _says(pattern: str) -> Fits:
    """By the message, of a connection that was not made: libpq gives no SQLSTATE for one.

    A server that speaks another language than English falls through to the rows below, which are passing troubles.
    """
    found = re.compile(pattern)
    return lambda error: error.sqlstate is None and found.search(str(error)) is not None


_ABSENT: Final = (_state("42P01", "3F000", "3D000"), _says(r'database ".*" does not exist'))
_PERMANENT, _MISCONFIGURED, _TRANSIENT = ErrorClass.PERMANENT, ErrorClass.MISCONFIGURED, ErrorClass.TRANSIENT
_DATABASE: Final = psycopg.DatabaseError
_TABLE: Final = (
    Failure(TimeoutError, _TRANSIENT, "{target} did not answer in time"),
    # While connecting.
    Failure(
        _DATABASE,
        _PERMANENT,
        "{target} refuses the user or the password of {dsn}",
        _says(
            r"authentication failed|no password supplied|no pg_hba\.conf entry|not permitted to log in"
            r'|role ".*" does not exist|permission denied for database'
        ),
    ),
    Failure(
        _DATABASE,
        _PERMANENT,
        "{target} asks for what it is not told: a password in clear, without sslmode=verify-full, or none",
        _says(r"authentication method requirement"),
    ),
    Failure(
        _DATABASE,
        _PERMANENT,
        "the certificate of {target} is not trusted, or is another host's",
        _says(r"certificate verify failed|server certificate for"),
    ),
    Failure(
        _DATABASE,
        _MISCONFIGURED,
        "the certificates in sslrootcert of {dsn} cannot be read on this worker",
        _says(r"root certificate file"),
    ),
    Failure(
        _DATABASE,
        _MISCONFIGURED,
        "{target} offers no TLS, which sslmode of {dsn} asks for",
        _says(r"server does not support SSL"),
    ),
    Failure(_DATABASE, _TRANSIENT, "{target} refuses the connection", _says(r"Connection refused")),
    Failure(
        _DATABASE,
        _TRANSIENT,
        "{target} takes no connection at the moment: it starts or stops",
        _says(r"starting up|shutting down|not yet accepting|recovery"),
    ),
    Failure(
        _DATABASE,
        _TRANSIENT,
        "{target} has no connection left",
        _says(r"too many (clients|connections)|connection slots are reserved"),
    ),
    Failure(_DATABASE, _TRANSIENT, "cannot connect to {target}, or the connection broke", _says("")),
    # From the query.
    Failure(_DATABASE, _PERMANENT, "{target} refuses the user of {dsn}", _state("28")),
    Failure(
        _DATABASE,
        _PERMANENT,
        "the user of {dsn} may not read what check.query asks for (SQLSTATE {state})",
        _state("42501"),
    ),
    Failure(_DATABASE, _MISCONFIGURED, "check.query would write; a check only reads", _state("25", "2F")),
    Failure(
        _DATABASE,
        _MISCONFIGURED,
        "check.query is none that a check can make: one SELECT that only reads{why} (SQLSTATE {state})",
        _state("0A", "42", "54"),
    ),
    Failure(_DATABASE, _TRANSIENT, "check.query took too long, or was cancelled", _state("57014")),
    Failure(_DATABASE, _TRANSIENT, "check.query waits for a lock that another holds", _state("55P03")),
    Failure(
        _DATABASE, _TRANSIENT, "check.query fails on the data that is there{why} (SQLSTATE {state})", _state("2")
    ),
    Failure(_DATABASE, _TRANSIENT, "{target} has no connection or memory left (SQLSTATE {state})", _state("53")),
    Failure(psycopg.Error, _TRANSIENT, "{target} could not run check.query (SQLSTATE {state})"),
)
FAILURES: Final = raised(_TABLE)
"""What `check_failed` has words for."""


def is_absent(error: BaseException) -> bool:
    """Whether what was asked about does not exist, perhaps not yet: the database, the schema, the table."""
    return isinstance(error, psycopg.Error) and any(fits(error) for fits in _ABSENT)


def why(error: psycopg.Error, before: int) -> str:
    """` at character 8: column "x" does not exist`, for what stands in the query itself; else nothing.

    Args:
        error: of the query.
        before: how many characters were sent before those of check.query.
    """
    position = error.diag.statement_position
    if position is None or int(position) <= before:
        return ""
    message = (error.diag.message_primary or "")[:_LONGEST_REASON]
    return f" at character {int(position) - before}: {message}"


def check_failed(error: BaseException, target: str, dsn: str, before: int) -> CheckFailed:
    """The error of a check that an exception means.

    Args:
        error: one of FAILURES.
        target: host and port.
        dsn: the reference of the connection string.
        before: as in `why`.
    """
    state, reason = "", ""
    if isinstance(error, psycopg.Error):
        state, reason = error.sqlstate or "unknown", why(error, before)
    return classified(_TABLE, error, target=target, dsn=dsn, state=state, why=reason)
