"""The guard of the targets: who may be asked is decided on the address that is connected to.

Public addresses may be. Private ones only where an entry of MONITOR_ALLOWED_TARGETS names them with their port.
Those that hand out secrets of this machine never.
"""

import asyncio
import errno
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import Final

from monitor_worker.checks.addresses import NEVER, Address, is_public, parse_address, show, unwrap
from monitor_worker.checks.allow_list import denied_entries, host_name, parse_entry
from monitor_worker.checks.threads import NoThreadFree, Threads

_LOOK_UPS: Final = 32
_LOOK_UP_SECONDS: Final = 60.0

Resolved = Sequence[tuple[socket.AddressFamily, str]]
Resolve = Callable[[str, int], Awaitable[Resolved]]
"""Looks a host up; raises OSError where there is none."""


class TargetDenied(Exception):
    """No check may reach this target; the message says which, and how to allow it if it can be."""


class TargetUnresolved(Exception):
    """The host has no address at the moment."""


async def system_resolve(host: str, port: int) -> Resolved:
    """What the machine's resolver says.

    Raises:
        OSError: it knows no address.
    """
    found = await asyncio.get_running_loop().getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG
    )
    return [(family, str(address[0])) for family, _, _, _, address in found]


class SystemResolver:
    """As `system_resolve`, on threads of its own: names whose servers are slow to answer hold up nothing else."""

    def __init__(self) -> None:
        self._threads = Threads(_LOOK_UPS, "look-ups")

    async def __call__(self, host: str, port: int) -> Resolved:
        """What the machine's resolver says.

        Raises:
            OSError: it knows no address, or has too many slow names to look up.
        """
        look_up = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
        deadline = asyncio.get_running_loop().time() + _LOOK_UP_SECONDS
        try:
            found = await self._threads.run(lambda _: look_up(), deadline)
        except NoThreadFree as error:
            raise OSError(errno.EAGAIN, "too many names are being looked up") from error
        return [(family, str(address[0])) for family, _, _, _, address in found]


class TargetGuard:
    """Decides which targets may be reached. Stateless after its construction; safe on any thread.

    Args:
        allow: what may be reached though it is not public: `host:port`, `10.1.0.0/16:8080`, `[fd00::/8]:443`, with
            `*` for every port.
        deny_hosts: what must never be reached, whatever is allowed: `host` (on every port) or `host:port`.
        resolve: looks a host up.

    Raises:
        ValueError: an entry is none; the message names it and shows the right form.
    """

    def __init__(
        self, allow: Iterable[str] = (), deny_hosts: Iterable[str] = (), resolve: Resolve = system_resolve
    ) -> None:
        self._allowed = tuple(parse_entry(text) for text in allow)
        self._denied = tuple(entry for text in deny_hosts for entry in denied_entries(text))
        self._resolve = resolve

    async def addresses(self, host: str, port: int) -> list[tuple[socket.AddressFamily, str]]:
        """Where a host may be connected to: those of its addresses that are permitted, at least one.

        Connect to these very addresses: the host may have others the next time it is looked up.

        Raises:
            TargetDenied: it has addresses, and none is permitted.
            TargetUnresolved: it has none.
        """
        found = await self._look_up(host, port)
        permitted = [(family, address) for family, address in found if self.permits(address, port, host)]
        if not permitted:
            self.require(found[0][1], port, host)
        return list(dict.fromkeys(permitted))

    def permits(self, address: str, port: int, host: str | None = None) -> bool:
        """Whether an address may be connected to, reached under this host's name (if it has one)."""
        return self._refusal(address, port, host) is None

    def require(self, address: str, port: int, host: str | None = None) -> None:
        """As `permits`.

        Raises:
            TargetDenied: it may not.
        """
        if refusal := self._refusal(address, port, host):
            raise TargetDenied(refusal)

    async def _look_up(self, host: str, port: int) -> Resolved:
        literal = parse_address(host.strip("[]"))
        if literal is not None:
            return [(socket.AF_INET if literal.version == 4 else socket.AF_INET6, str(literal))]  # noqa: PLR2004
        try:
            found = await self._resolve(host, port)
        except (OSError, ValueError) as error:  # ValueError: a label that DNS cannot carry
            reason = getattr(error, "strerror", None) or "it is no name that can be looked up"
            raise TargetUnresolved(f"the host {host} cannot be resolved: {reason}") from error
        if not found:
            raise TargetUnresolved(f"the host {host} has no address")
        return found

    def _refusal(self, text: str, port: int, host: str | None) -> str | None:
        address = parse_address(text)
        if address is None:
            return f"{text} is no address"
        reached, name = unwrap(address), _name(host)
        if self._is_never(reached, port, name):
            return f"{_shown(text, port, name)} can never be a target: it may hand out secrets of the worker"
        if is_public(reached) or any(entry.covers(reached, port, name) for entry in self._allowed):
            return None
        entry = show(name or str(reached), port)
        return (
            f"{_shown(text, port, name)} is not a public address; "
            f"to allow it add {entry} to MONITOR_ALLOWED_TARGETS of the worker"
        )

    def _is_never(self, address: Address, port: int, name: str | None) -> bool:
        listed = any(address in network for network in NEVER)
        return listed or any(entry.covers(address, port, name) for entry in self._denied)


def _name(host: str | None) -> str | None:
    """The host's name; None for an address, which has none."""
    if host is None or parse_address(host.strip("[]")):
        return None
    try:
        return host_name(host)
    except ValueError:
        return host  # no entry can name it


def _shown(address: str, port: int, name: str | None) -> str:
    return f"{name} ({show(address, port)})" if name else show(address, port)
