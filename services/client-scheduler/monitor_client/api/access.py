"""Who is asking, and what they may do: closed by default, for every route there is and will be."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final, Protocol

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from monitor_client.api.callback import token_of
from monitor_client.api.problems import Refused, refusal

_SAFE: Final = frozenset({"GET", "HEAD"})
_OPEN: Final = frozenset({"/healthz", "/readyz"})
"""What probes ask, and nobody has to say who is asking."""
_OPEN_BELOW: Final = "/static/"
_ONE_SITE: Final = 64
"""Bits of an IPv6 address that are given to one subscriber."""


class Role(StrEnum):
    """What a caller may do."""

    READ = "Monitor.Read"
    OPERATE = "Monitor.Operate"
    """Start, explain, control and delete; to read goes with it."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking.

    Args:
        name: for limits and logs: an object id, or an address where nobody is known.
        roles: what they may do.
        callback: the token that they bring in place of a role; it has still to be looked at.
    """

    name: str
    roles: frozenset[str]
    callback: str | None = field(default=None, repr=False)

    def may(self, role: Role) -> bool:
        """Whether they have the role, or one that it goes with."""
        return role in self.roles or (role is Role.READ and Role.OPERATE in self.roles)


class Authenticator(Protocol):
    """Finds out who is asking."""

    async def principal(self, request: Request) -> Principal:
        """Who it is.

        Raises:
            Refused: nobody that is known (401).
        """
        ...

    def admit_outsider(self, request: Request) -> None:
        """Let pass who says nothing but a callback token.

        Raises:
            Refused: nobody from outside may come to this service.
        """
        ...


class Anyone:
    """`AUTH_MODE=none`: whoever reaches the service may do everything, so a browser must not be made to do it.

    A page of another site can send requests here, and by a name that it makes resolve to this machine it can even
    read the answers. So the Host has to be an expected one, and what changes something has to come from our page.

    Args:
        hosts: the names that the service is reached by, without ports.
    """

    def __init__(self, hosts: frozenset[str]) -> None:
        self._hosts = hosts

    async def principal(self, request: Request) -> Principal:
        """Whoever asks from this machine or network, under an expected name.

        Raises:
            Refused: the Host is another (421).
        """
        self.admit_outsider(request)
        return Principal(_address(request), frozenset(Role))

    def admit_outsider(self, request: Request) -> None:
        """Whoever asks under an expected name.

        Raises:
            Refused: the Host is another (421).
        """
        host = request.url.hostname or ""
        if host not in self._hosts:
            detail = f"this service is not known as {host!r}: add it to MONITOR_ALLOWED_HOSTS"
            raise Refused(HTTPStatus.MISDIRECTED_REQUEST, detail)


class Nobody:
    """`AUTH_MODE=closed`: nobody can say who is asking, so nobody is let in; probes are answered all the same."""

    async def principal(self, request: Request) -> Principal:
        """Nobody.

        Raises:
            Refused: always (403).
        """
        raise _closed()

    def admit_outsider(self, request: Request) -> None:
        """Nobody: what is closed is not to be opened by what somebody writes into a request.

        Raises:
            Refused: always (403).
        """
        raise _closed()


class Gate:
    """Lets a request through to the application if its caller may make it. A route cannot be forgotten here.

    To read takes `Monitor.Read`, any other method `Monitor.Operate`; but to end a wait its callback token will do.
    """

    def __init__(self, app: ASGIApp, authenticator: Authenticator) -> None:
        self._app, self._authenticator = app, authenticator

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on, or refuse by problem details."""
        if scope["type"] != "http" or is_open(scope["path"]):
            await self._app(scope, receive, send)
            return
        try:
            scope.setdefault("state", {})["principal"] = await self._admitted(Request(scope))
        except Refused as error:
            await refusal(error)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _admitted(self, request: Request) -> Principal:
        if request.method not in _SAFE:
            _require_our_own_page(request.headers)
        token = token_of(request)
        if token is not None:
            self._authenticator.admit_outsider(request)
            return Principal(f"callback from {_address(request)}", frozenset(), token)
        principal = await self._authenticator.principal(request)
        role = Role.READ if request.method in _SAFE else Role.OPERATE
        if not principal.may(role):
            raise Refused(HTTPStatus.FORBIDDEN, f"this takes the role {role}, which you do not have")
        return principal


def is_open(path: str) -> bool:
    """Whether nobody has to say who is asking."""
    return path in _OPEN or (path.startswith(_OPEN_BELOW) and ".." not in path and "%" not in path)


def _address(request: Request) -> str:
    """Whom a caller is counted as whom nobody knows: of IPv6 the network, as one has 2^64 addresses at least."""
    host = request.client.host if request.client else "unknown"
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if not isinstance(address, IPv6Address):
        return host
    # A proxy that listens on both families may write an address of IPv4 as one of IPv6.
    return str(address.ipv4_mapped or ip_network((address, _ONE_SITE), strict=False))


def _closed() -> Refused:
    detail = "this service has no authentication and is closed: AUTH_MODE=entra opens it to whom a role is given"
    return Refused(HTTPStatus.FORBIDDEN, detail)


def _require_our_own_page(headers: Headers) -> None:
    """Refuse what a browser sends on behalf of a page that is not ours; programs send none of these headers."""
    site = headers.get("sec-fetch-site", "same-origin")
    origin = headers.get("origin")
    if site not in {"same-origin", "none"} or (origin is not None and not _is_own(origin, headers)):
        raise Refused(HTTPStatus.FORBIDDEN, "a page of another site may change nothing here")


def _is_own(origin: str, headers: Mapping[str, str]) -> bool:
    return origin.partition("://")[2] == headers.get("host", "")
