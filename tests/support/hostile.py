"""Targets that no check may reach: one table, which the tests of every kind that connects run.

    @pytest.mark.parametrize("target", hostile.TARGETS, ids=str)
    async def test_no_hostile_target_is_reached(target: hostile.Target) -> None:
        await hostile.require_closed(target, ask)

where `ask(host, port, guard)` makes one check of the kind with a driver that has this guard.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

import pytest
from pydantic import ValidationError

from monitor_core.contract import ErrorClass
from monitor_worker.checks.base import CheckFailed
from monitor_worker.checks.targets import Resolve, Resolved, TargetGuard, system_resolve

METADATA: Final = "169.254.169.254"
WIRE_SERVER: Final = "168.63.129.16"
NAME: Final = "innocent.example"

NOT_PUBLIC: Final = (
    *("0.0.0.0", "10.0.0.5", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.0.0.2", METADATA, WIRE_SERVER),
    *("172.31.255.255", "192.0.0.192", "192.168.1.1", "192.88.99.1", "198.18.0.1", "224.0.0.1", "240.0.0.1"),
    *("255.255.255.255", "::", "::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff0e::1"),
    *("2001:db8::1", "3fff::1", "4000::1", "5f00::1", "100::1"),
    *("::ffff:127.0.0.1", "::ffff:a9fe:a9fe", "::ffff:168.63.129.16", "::10.0.0.1", "::ffff:0:10.0.0.1"),
    *("64:ff9b::10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::169.254.169.254", "64:ff9b:1::8.8.8.8"),
    *("64:ff9b:1:808:8:800::", "2002:a00:1::1", "2002:a9fe:a9fe::1", "2002:7f00:1::"),
    *("2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2"),
)
"""Addresses that are refused unless an entry names them."""
NEVER: Final = (
    *(WIRE_SERVER, METADATA, "fd00:ec2::254", "0.0.0.0", "::", "2001::1", "64:ff9b:1::a9fe:a9fe"),
    *("::ffff:0.0.0.0", "::ffff:169.254.169.254", "64:ff9b::a83f:8110", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::"),
)
"""Addresses that are refused whatever is allowed."""
SPELLINGS: Final = (
    *("2130706433", "0x7f000001", "0x7f.1", "017700000001", "0177.0.0.1", "127.1", "0"),
    *("①②⑦.0.0.1", "\uff11\uff12\uff17.0.0.1", "127。0。0。1"),
    *("localhost", "LOCALHOST"),
)
"""The loopback, as the machine's own resolver understands it."""
SPELLINGS_OF_METADATA: Final = (
    "2852039166",
    "0xa9fea9fe",
    "0xa9.254.169.254",
    "0251.0376.0251.0376",
    "169.254.43518",
)
EVERYTHING: Final = ("0.0.0.0/0:*", "[::/0]:*", "localhost:*", f"{NAME}:*")

Ask = Callable[[str, int, TargetGuard], Awaitable[object]]


@dataclass(frozen=True)
class Target:
    """What to ask, and what the worker's settings and its resolver say of it.

    Args:
        host: a name, or an address without brackets.
        addresses: what the host resolves to; None for what the machine's resolver says.
        allow: entries of MONITOR_ALLOWED_TARGETS; `{port}` is the port that is asked, `{other}` another.
        deny: hosts that hand out tokens (IDENTITY_ENDPOINT), in the same form.
    """

    host: str
    addresses: tuple[str, ...] | None = None
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()

    def guard(self, port: int, *more: str) -> TargetGuard:
        """The worker's guard; `more` is allowed as well."""
        allow, deny = (
            [text.format(port=port, other=port - 1) for text in texts] for texts in (self.allow, self.deny)
        )
        resolve = system_resolve if self.addresses is None else resolving(*self.addresses)
        return TargetGuard([*allow, *more], deny, resolve)

    def in_url(self) -> str:
        """The host as it stands in a URL."""
        return f"[{self.host.replace('%', '%25')}]" if ":" in self.host else self.host

    def __str__(self) -> str:
        parts = {"": [ascii(self.host)[1:-1]], "is ": self.addresses, "with ": self.allow[:1], "but ": self.deny}
        return ", ".join(f"{word}{' '.join(texts)}" for word, texts in parts.items() if texts)


def _targets() -> Iterator[Target]:
    yield from (Target(host) for host in (*NOT_PUBLIC, *SPELLINGS, *SPELLINGS_OF_METADATA))
    yield from (Target(host, allow=EVERYTHING) for host in (*NEVER, *SPELLINGS_OF_METADATA))
    yield from (Target(NAME, (address,)) for address in NOT_PUBLIC)
    yield from (Target(NAME, (address,), EVERYTHING) for address in NEVER)
    yield Target(NAME, ("10.0.0.5", "127.0.0.1", METADATA))
    # An entry permits its place and its port.
    yield Target("127.0.0.1", allow=("127.0.0.1:{other}",))
    yield Target("127.0.0.1", allow=("localhost:{port}", "127.0.0.2:{port}", "[::1]:{port}", "10.0.0.0/8:*"))
    yield Target("localhost", allow=("localhost:{other}", f"{NAME}:*"))
    yield Target(
        NAME, ("127.0.0.1",), ("127.0.0.1:{other}", f"{NAME}:{{other}}", "innocent:*", "sub.innocent.example:*")
    )
    yield Target("100.64.0.1", allow=("100.64.0.0/10:{other}", "100.64.0.2:*"))
    # What hands out tokens of the worker's identity is refused by whatever name.
    yield from (
        Target(host, addresses, EVERYTHING, ("localhost:{port}",))
        for host, addresses in (("127.0.0.1", None), ("localhost", None), ("127.1", None), (NAME, ("127.0.0.1",)))
    )


TARGETS: Final = tuple(_targets())


def resolving(*addresses: str) -> Resolve:
    """A resolver that knows one answer."""

    async def resolve(host: str, port: int) -> Resolved:
        return [(socket.AF_INET6 if ":" in each else socket.AF_INET, each) for each in addresses]

    return resolve


class Rebinding:
    """A resolver that answers once with one address, and with a hostile one from then on."""

    def __init__(self, first: str = "127.0.0.1", then: str = METADATA) -> None:
        self.asked, self._first, self._then = 0, first, then

    async def __call__(self, host: str, port: int) -> Resolved:
        self.asked += 1
        return await resolving(self._first if self.asked == 1 else self._then)(host, port)


@dataclass
class Trap:
    """A port of this machine that must not be connected to."""

    port: int = 0
    connections: int = 0

    def serve(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        writer.close()


@asynccontextmanager
async def trap() -> AsyncIterator[Trap]:
    """A trap on the loopback, IPv6 too where there is any."""
    set_up = Trap()
    async with AsyncExitStack() as servers:
        server = await servers.enter_async_context(await asyncio.start_server(set_up.serve, "127.0.0.1", 0))
        set_up.port = server.sockets[0].getsockname()[1]
        if socket.has_dualstack_ipv6():
            await servers.enter_async_context(await asyncio.start_server(set_up.serve, "::1", set_up.port))
        yield set_up


async def require_closed(target: Target, ask: Ask) -> None:
    """Ask for a hostile target: it is refused, at the door or by the guard, and nothing is connected to."""
    async with trap() as port:
        with pytest.raises((CheckFailed, ValidationError)) as refused:
            await ask(target.host, port.port, target.guard(port.port))
        await asyncio.sleep(0)
        assert port.connections == 0
    if isinstance(refused.value, CheckFailed):
        assert refused.value.error_class is ErrorClass.MISCONFIGURED, str(refused.value)


def set_proxies(environment: pytest.MonkeyPatch, url: str) -> None:
    """Name a proxy by every variable that a client may look for one in."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "ftp_proxy", "grpc_proxy"):
        environment.setenv(name, url)
        environment.setenv(name.upper(), url)
    for name in ("no_proxy", "no_grpc_proxy"):
        environment.delenv(name, raising=False)
        environment.delenv(name.upper(), raising=False)
