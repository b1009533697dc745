"""HTTP connections that the guard has let through, and no others.

aiohttp connects to exactly what the resolver below returns, and skips it where the host is an address. So the
socket's factory, which sees the very address that is connected to, judges once more: nothing lies between its
answer and the connection that a second look-up could change.
"""

import socket
import ssl
from collections.abc import Callable
from contextvars import ContextVar
from typing import Final

from aiohttp import (
    AddrInfoType,
    ClientHandlerType,
    ClientRequest,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    TCPConnector,
)
from aiohttp.abc import AbstractResolver, ResolveResult

from monitor_core.contract import ErrorClass
from monitor_worker.checks.failed import CheckFailed
from monitor_worker.checks.http_response import Response
from monitor_worker.checks.targets import TargetGuard

# How many turns run at a time is limited by the worker (MONITOR_MAX_ACTIVITIES), one request each: a second limit
# over all hosts would let those that hang hold up those that answer. The limit per host keeps one host's monitors
# from flooding it, or this process with connections to it.
_CONNECTIONS: Final = 0
_CONNECTIONS_PER_HOST: Final = 100

# The caller cuts a check at its timeout; aiohttp's own would cut some shorter.
_NO_TIMEOUT: Final = ClientTimeout(total=None, connect=None, sock_connect=None, sock_read=None)

_host_asked: Final[ContextVar[str | None]] = ContextVar("host_asked", default=None)


class GuardedResolver(AbstractResolver):
    """Resolves to the addresses that the guard permits."""

    def __init__(self, guard: TargetGuard) -> None:
        self._guard = guard

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The permitted addresses of a host.

        Raises:
            TargetDenied, TargetUnresolved: as the guard says.
        """
        return [
            ResolveResult(hostname=host, host=address, port=port, family=found, proto=0, flags=0)
            for found, address in await self._guard.addresses(host, port)
        ]

    async def close(self) -> None:
        """There is nothing to close."""


def guarded_session(
    guard: TargetGuard, tls: ssl.SSLContext | None = None, response: type[Response] = Response
) -> ClientSession:
    """A session that connects to permitted targets only, takes no proxy from the environment and keeps no cookie.

    Call it on the loop. Its requests raise TargetDenied and TargetUnresolved besides aiohttp's own exceptions.

    Args:
        guard: decides.
        tls: what servers are verified with, unless it is the machine's trusted certificates.
        response: makes the answers, and limits the age of connections.
    """
    connector = TCPConnector(
        resolver=GuardedResolver(guard),
        use_dns_cache=False,
        socket_factory=_guarded_sockets(guard),
        ssl=tls or True,
        limit=_CONNECTIONS,
        limit_per_host=_CONNECTIONS_PER_HOST,
    )
    return ClientSession(
        connector=connector,
        response_class=response,
        cookie_jar=DummyCookieJar(),
        trust_env=False,
        timeout=_NO_TIMEOUT,
        middlewares=(_note_host,),
    )


class Pool:
    """A guarded session that is made when first needed, and for good at an end. Use it on one event loop.

    Args:
        guard, tls, response: as `guarded_session` takes them.
    """

    def __init__(
        self, guard: TargetGuard, tls: ssl.SSLContext | None = None, response: type[Response] = Response
    ) -> None:
        self._guard, self._tls, self._response = guard, tls, response
        self._session: ClientSession | None = None
        self._closed = False

    def session(self) -> ClientSession:
        """The session.

        Raises:
            CheckFailed: the pool is closed.
        """
        if self._closed:
            raise CheckFailed(ErrorClass.TRANSIENT, "the worker is stopping")
        if self._session is None:
            # Only now: a session belongs to the loop that it is made on.
            self._session = guarded_session(self._guard, self._tls, self._response)
        return self._session

    async def close(self) -> None:
        """Close every connection. Nothing is sent from then on."""
        self._closed = True
        if self._session is not None:
            await self._session.close()


async def _note_host(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    # The connection is made in this task or in its children, which inherit the context.
    _host_asked.set(request.url.raw_host)
    return await handler(request)


def _guarded_sockets(guard: TargetGuard) -> Callable[[AddrInfoType], socket.socket]:
    def create(info: AddrInfoType) -> socket.socket:
        family, kind, protocol, _, address = info
        guard.require(str(address[0]), int(address[1]), _host_asked.get())
        return socket.socket(family, kind, protocol)

    return create
