"""The kind `sql`: data is there, as one read-only SELECT against PostgreSQL shows."""

import re
from types import MappingProxyType
from typing import Any, ClassVar, Final, Literal

from pydantic import Field, field_validator

from monitor_core.kinds.auth import ManagedIdentity
from monitor_core.kinds.base import CheckSpec, Variable
from monitor_core.kinds.secret import SecretReference

_LONGEST_QUERY: Final = 8000
_ONE_SELECT: Final = re.compile(
    r"(?:\s|\(|--[^\n]*\n|(?>/\*.*?\*/))*(?:select|with|values|table)\b", re.IGNORECASE | re.DOTALL
)


class SqlCheck(CheckSpec):
    """One query per check, over a connection of its own, in a transaction that can only read and is rolled back.

    By itself it waits, as Airflow's SqlSensor does, for a first value that says something: a row whose first
    column is not null, false, 0 or an empty text. A database, schema or table that does not exist (yet) is
    observed (`Absent`) and waited for. A function that the query calls may do what no transaction undoes, and at
    every check: let the connection string name a user that may only SELECT. The worker's MONITOR_ALLOWED_SECRETS
    has to say where it leads, `env:MONITOR_SECRET_ORDERS_DB=postgresql://HOST:5432` say.

    Times are ISO 8601 texts (`2030-01-31T12:00:00Z`; without Z where the column has no time zone), json and jsonb
    what they hold, numeric a double, every other type the text that PostgreSQL writes for it. A first row of more
    than 1,000,000 bytes is an error of the check. A text column named `status` is shown as the observed status.
    """

    variables = MappingProxyType(
        {
            "found": Variable("bool", "Whether the query gave a row."),
            "row": Variable(
                "dyn",
                "The first row, from column to value; empty without one. Of columns of one name the last counts.",
            ),
            "value": Variable("dyn", "The first column of the first row; null without one."),
            "changed": Variable(
                "bool",
                "Whether the first row is another than at the monitor's first check, or has come or gone since.",
            ),
            "latency_ms": Variable("double", "Milliseconds from the check's start to the row."),
        }
    )
    natural_success = "found && !(value in [null, false, 0, ''])"
    needs: ClassVar[str | None] = "psycopg[binary]"
    example: ClassVar[dict[str, Any]] = {
        "check": {
            "kind": "sql",
            "dsn": "env:MONITOR_SECRET_ORDERS_DB",
            "query": "SELECT count(*) AS loaded, max(loaded_at) AS newest FROM orders WHERE day = current_date",
        },
        "success_when": "found && row.loaded >= 1000",
        "polling": {"interval_seconds": 60},
        "timeout_seconds": 7200,
    }

    kind: Literal["sql"] = "sql"
    dsn: SecretReference = Field(
        description="Names the secret that holds the connection string: a URI "
        "postgresql://user:password@host/database, or host=... user=... It may say host, port, dbname, user, "
        "password, sslmode, sslrootcert, channel_binding and application_name. sslmode is verify-full unless it "
        "says otherwise, which it may for private addresses alone."
    )
    query: str = Field(
        min_length=1,
        max_length=_LONGEST_QUERY,
        description="One SELECT (or WITH, VALUES, TABLE); it may only read.",
    )
    auth: ManagedIdentity | None = Field(
        None,
        description="For Azure Database for PostgreSQL: an Entra token of the worker's identity is the password. "
        "Its audience is https://ossrdbms-aad.database.windows.net; the connection string names the user alone.",
    )

    @field_validator("query")
    @classmethod
    def _is_one_select(cls, query: str) -> str:
        if "\0" in query or not _is_utf8(query):
            raise ValueError("should be text that PostgreSQL can take, without NUL and lone surrogates")
        if not _ONE_SELECT.match(query):
            raise ValueError("should be one SELECT (or WITH, VALUES, TABLE)")
        return query


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
