"""The entries that say what may be, or must not be, a target: a host or a network, and a port."""

import re
from dataclasses import dataclass
from typing import Final

from yarl import URL

from monitor_worker.checks.addresses import LOOPBACK, Address, Network, parse_address, parse_network

_ENTRY: Final = re.compile(r"(?:\[(?P<ipv6>[^\[\]]+)\]|(?P<other>[^\[\]:\s]+)):(?P<port>[0-9]{1,5}|\*)", re.ASCII)
_HOST: Final = re.compile(r"(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")
_NUMERIC: Final = re.compile(r"(.*\.)?([0-9]+|0x[0-9a-f]*)")
_FORM: Final = "write host:port, 10.1.0.0/16:8080 or [fd00::/8]:443, with * for every port"
_PORTS: Final = range(1, 65536)


@dataclass(frozen=True, slots=True)
class Entry:
    """One place.

    Args:
        place: a host's name as `host_name` gives it, or a network.
        port: None for every port.
    """

    place: str | Network
    port: int | None

    def covers(self, address: Address, port: int, host: str | None) -> bool:
        """Whether it names this (unwrapped) address and port, reached under this host's name."""
        if self.port not in {None, port}:
            return False
        return self.place == host if isinstance(self.place, str) else address in self.place


def host_name(host: str) -> str:
    """A host as it is looked up: lower case, IDNA, without the dot at its end.

    Raises:
        ValueError: it cannot be a host.
    """
    # yarl, because that is what makes the host of a request out of its URL.
    return (URL.build(scheme="http", host=host).raw_host or "").rstrip(".").lower()


def parse_entry(text: str) -> Entry:
    """`host:port`, `CIDR:port`, `[IPv6 address or CIDR]:port`; `*` for every port.

    Raises:
        ValueError: it is none of these; the message names it and shows the right form.
    """
    found = _ENTRY.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no target: {_FORM}")
    try:
        place = parse_network(found["ipv6"]) if found["ipv6"] else _place(found["other"])
        return Entry(place, _port(found["port"]))
    except ValueError as error:
        raise ValueError(f"{text!r} is no target: {error}; {_FORM}") from error


def denied_entries(text: str) -> tuple[Entry, ...]:
    """What must never be reached: a host on every port, or `host:port`. Of the loopback every name and address.

    Raises:
        ValueError: it is no host.
    """
    entry = parse_entry(_with_port(text))
    if entry.place == "localhost" or (not isinstance(entry.place, str) and entry.place.is_loopback):
        return (Entry("localhost", entry.port), *(Entry(network, entry.port) for network in LOOPBACK))
    return (entry,)


def _with_port(text: str) -> str:
    if parse_address(text) and ":" in text:
        return f"[{text}]:*"
    return text if _ENTRY.fullmatch(text) else f"{text}:*"


def _place(text: str) -> str | Network:
    if "/" in text or parse_address(text):
        return parse_network(text)
    host = host_name(text)
    if _NUMERIC.fullmatch(host):
        raise ValueError(f"{text} is no address in its usual form")
    if not _HOST.fullmatch(host):
        raise ValueError(f"{text} is no host name")
    return host


def _port(text: str) -> int | None:
    if text == "*":
        return None
    if int(text) not in _PORTS:
        raise ValueError(f"{text} is no port")
    return int(text)
