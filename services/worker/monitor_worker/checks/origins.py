"""Where a secret or a token may be sent: entries `WHAT=ORIGIN`, the origin of a request that may carry it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import urlsplit

_PORTS: Final = {"https": 443, "http": 80, "postgresql": 5432, "smtp": 587, "amqps": 5671}
_FORM: Final = "write WHAT=https://host, with :port where it is not the usual one"


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port (RFC 6454). As an entry its host may begin with `*.`, for the names below it."""

    scheme: str
    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """The origin that a URL is of.

        Raises:
            ValueError: it has no scheme that is known, or no host.
        """
        parts = urlsplit(text)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ValueError(f"{text!r} is no origin: it has no scheme {', '.join(sorted(_PORTS))} or no host")
        return cls(parts.scheme, parts.hostname.rstrip("."), parts.port or _PORTS[parts.scheme])

    def covers(self, other: "Origin") -> bool:
        """Whether this entry allows `other`."""
        if (self.scheme, self.port) != (other.scheme, other.port):
            return False
        if self.host.startswith("*."):
            return other.host.endswith(self.host[1:])
        return other.host == self.host

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + ("" if self.port == _PORTS[self.scheme] else f":{self.port}")


class Allowed:
    """What may be sent where.

    Args:
        entries: `WHAT=ORIGIN` each; nothing that is not named may be sent anywhere.

    Raises:
        ValueError: an entry is none; the message names it and shows the right form.
    """

    def __init__(self, entries: Iterable[str] = ()) -> None:
        self._entries = tuple(_parsed(entry) for entry in entries)

    def knows(self, what: str) -> bool:
        """Whether any entry names it."""
        return any(name == what for name, _ in self._entries)

    def permits(self, what: str, origin: Origin) -> bool:
        """Whether `what` may be sent to `origin`."""
        return what in self.at(origin)

    def at(self, origin: Origin) -> Iterator[str]:
        """What may be sent to `origin`."""
        return (name for name, place in self._entries if place.covers(origin))


def _parsed(entry: str) -> tuple[str, Origin]:
    what, separator, place = entry.strip().rpartition("=")
    parts = urlsplit(place)
    if not separator or not what or parts.path.strip("/") or parts.query or parts.username is not None:
        raise ValueError(f"{entry!r} is no entry: {_FORM}")
    try:
        return what, Origin.parse(place)
    except ValueError as error:
        raise ValueError(f"{entry!r} is no entry: {error}; {_FORM}") from error
