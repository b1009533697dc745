"""Where a check may connect to, and how long it may try each address."""

import asyncio
import socket
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from monitor_core.contract import ErrorClass
from monitor_worker.checks.addresses import show
from monitor_worker.checks.failures import Failure, classified, raised
from monitor_worker.checks.targets import TargetDenied, TargetGuard, TargetUnresolved

_TABLE: Final = (
    Failure(TargetDenied, ErrorClass.MISCONFIGURED, "{why}"),
    Failure(TargetUnresolved, ErrorClass.TRANSIENT, "{why}"),
    Failure(TimeoutError, ErrorClass.TRANSIENT, "{target} could not be resolved in time"),
)

Addresses = Sequence[tuple[socket.AddressFamily, str]]


class Attempt(NamedTuple):
    """One address to connect to.

    Args:
        family: of the address.
        address: as text, without brackets.
        until: when to give up, on the loop's clock.
    """

    family: socket.AddressFamily
    address: str
    until: float


async def permitted(guard: TargetGuard, host: str, port: int, deadline: float) -> Addresses:
    """The addresses of a host that may be connected to, at least one. Connect to these very addresses.

    Args:
        guard: decides.
        host: a name or an address.
        port: of the target.
        deadline: on the loop's clock.

    Raises:
        CheckFailed: none may be, or the host cannot be resolved.
    """
    try:
        async with asyncio.timeout_at(deadline):
            return await guard.addresses(host, port)
    except raised(_TABLE) as error:
        raise classified(_TABLE, error, why=str(error), target=show(host, port)) from error


def attempts(addresses: Addresses, deadline: float) -> Iterator[Attempt]:
    """Each address in turn. The time that is left then is shared out among those that are left."""
    for left, (family, address) in zip(range(len(addresses), 0, -1), addresses, strict=True):
        now = asyncio.get_running_loop().time()
        yield Attempt(family, address, now + (deadline - now) / left)


async def connect_to(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
    """A connection to this very address; nothing is left of one that is not made.

    Raises:
        OSError: it was not taken.
    """
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        connection.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connection, (address, port))
    except BaseException:
        connection.close()
        raise
    return connection
