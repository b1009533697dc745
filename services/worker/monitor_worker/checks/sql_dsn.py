"""From a connection string to what libpq is told, every word of it.

libpq fills whatever it is not told from the environment and from files in the home directory: another host, a
password of another database, a client certificate. And a connection string may name such files itself. So it is
taken apart, what is not known to be harmless is refused by name, and everything else is told explicitly.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from psycopg import Error, conninfo, pq

from monitor_core.contract import ErrorClass
from monitor_worker.checks.addresses import is_public, parse_address, show, unwrap
from monitor_worker.checks.failed import CheckFailed
from monitor_worker.checks.origins import Origin
from monitor_worker.checks.trusted import trusted_file

VERIFIED: Final = "verify-full"
_TAKEN: Final = (
    "host", "port", "dbname", "user", "password", "sslmode", "sslrootcert", "channel_binding", "application_name",
)  # fmt: skip
_SSL_MODES: Final = frozenset({"disable", "allow", "prefer", "require", "verify-ca", VERIFIED})
_HOST: Final = re.compile(r"[A-Za-z0-9_:][A-Za-z0-9_.:-]{0,252}")
_PORTS: Final = range(1, 65536)
_NOWHERE: Final = "/dev/null/none"
# Ways of being asked for a password (or for nothing): in clear only by a server that proves who it is.
_WITHOUT_SHOWING_IT: Final = "scram-sha-256,md5,none"
# What libpq would look for in the environment, where its own default and "" are not what is meant.
_FIXED: Final = {
    "passfile": _NOWHERE,
    "connect_timeout": "0",
    "client_encoding": "UTF8",
    "application_name": "durable-monitor",
    "require_auth": f"{_WITHOUT_SHOWING_IT},password",
    "sslcertmode": "disable",
    "gssencmode": "disable",
    "min_protocol_version": "3.0",
    "max_protocol_version": "3.0",
}
_BY_ITSELF: Final = "system"


def authorities_file() -> str:
    """The file of the authorities that this machine trusts; libpq's word `system` where none is found."""
    # The OpenSSL inside psycopg's wheel knows no system's certificates: its own folder for them is never there.
    return trusted_file() or _BY_ITSELF


@dataclass(frozen=True, slots=True)
class Dsn:
    """A connection string, taken apart.

    Args:
        reference: the secret's name, for messages.
        host: one name or address.
        port: 5432, say.
        words: what it says besides, by libpq's keywords.
    """

    reference: str
    host: str
    port: int
    words: Mapping[str, str] = field(repr=False)  # the password is among them

    @classmethod
    def parse(cls, reference: str, text: str) -> "Dsn":
        """What a secret holds.

        Raises:
            CheckFailed: it is no connection string, or says more than a check may be told. No value is repeated.
        """
        try:
            words = {name: str(value) for name, value in conninfo.conninfo_to_dict(text).items()}
        except (Error, UnicodeError):
            raise _refused(reference, "is no connection string of PostgreSQL") from None
        if others := sorted(set(words) - set(_TAKEN)):
            raise _refused(reference, f"says {', '.join(others)}: it may say {', '.join(_TAKEN)} alone")
        if not words.get("user"):
            raise _refused(reference, "names no user")
        if words.setdefault("sslmode", VERIFIED) not in _SSL_MODES:
            raise _refused(reference, f"has an unknown sslmode: write {VERIFIED}")
        host, port = words.pop("host", ""), words.pop("port", "") or "5432"
        if not _HOST.fullmatch(host):
            raise _refused(reference, "names no host that is one name or address (no list, no socket's folder)")
        if not re.fullmatch(r"[0-9]{1,5}", port) or int(port) not in _PORTS:
            raise _refused(reference, "has a port that is none: it should be a number from 1 to 65535")
        return cls(reference, host.rstrip("."), int(port), words)

    @property
    def origin(self) -> Origin:
        """Where it is sent to."""
        return Origin("postgresql", self.host.lower(), self.port)

    @property
    def target(self) -> str:
        """Host and port, for people."""
        return show(self.host, self.port)

    def require_verified(self, why: str) -> None:
        """See that the server proves who it is before it is sent a password.

        Raises:
            CheckFailed: sslmode asks for less.
        """
        if self.words["sslmode"] != VERIFIED:
            raise _refused(self.reference, f"asks for sslmode below {VERIFIED}, but {why}: write {VERIFIED}")

    def parameters(self, address: str, password: str | None, trusted: str) -> dict[str, str]:
        """All that libpq is told.

        Args:
            address: the very address to connect to.
            password: None for what the connection string says.
            trusted: the file of the authorities that are trusted where it names none.

        Raises:
            CheckFailed: the address is public, and the server would not have to prove who it is.
        """
        reached = parse_address(address)
        if reached is None or is_public(unwrap(reached)):
            self.require_verified("its host has a public address")
        told = (
            _told_by_default()
            | dict(self.words)
            | {"host": self.host, "hostaddr": address, "port": str(self.port)}
        )
        if self.words["sslmode"] != VERIFIED:
            told["require_auth"] = _WITHOUT_SHOWING_IT
        told["sslrootcert"] = self._authorities(trusted)
        return told if password is None else told | {"password": password}

    def _authorities(self, trusted: str) -> str:
        said = self.words.get("sslrootcert", "")
        if said not in {"", _BY_ITSELF}:
            return said
        # libpq verifies with whatever file is there, though sslmode=require asks it not to.
        return trusted if said or self.words["sslmode"].startswith("verify") else _NOWHERE


def _told_by_default() -> dict[str, str]:
    told = {}
    for option in pq.Conninfo.get_defaults():
        name = option.keyword.decode()
        if name == "service":  # an empty one would be looked for, too
            if option.val:
                reason = (
                    "PGSERVICE is set in the worker's environment, where it changes every connection: unset it"
                )
                raise CheckFailed(ErrorClass.MISCONFIGURED, reason)
        elif option.envvar:
            told[name] = _FIXED.get(name, (option.compiled or b"").decode())
    return told


def _refused(reference: str, reason: str) -> CheckFailed:
    return CheckFailed(ErrorClass.MISCONFIGURED, f"{reference} {reason}")
