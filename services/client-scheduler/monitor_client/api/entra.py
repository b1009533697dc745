"""Microsoft Entra ID: access tokens in `Authorization: Bearer`, and the platform's own sign-in for browsers."""

import asyncio
import base64
import json
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, Protocol

import jwt
from starlette.requests import Request

from monitor_client.api.access import Principal
from monitor_client.api.problems import Refused

_ALGORITHMS: Final = ["RS256"]
_LEEWAY_SECONDS: Final = 60
_PLATFORM_HEADER: Final = "x-ms-client-principal"
_ROLE_CLAIMS: Final = frozenset({"roles", "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"})


class Keys(Protocol):
    """The issuer's signing keys."""

    async def find(self, kid: str) -> Any:
        """The key of that id; None where the issuer has none.

        Raises:
            jwt.PyJWKClientError: the issuer cannot be asked.
        """
        ...


class PublishedKeys:
    """Keys at a JWKS URL, kept for an hour; one that is not among them is looked for again, once a minute at most.

    A caller chooses the key id, so an unknown one must not make us ask the issuer each time.
    """

    def __init__(self, url: str, now: Callable[[], float] = time.monotonic) -> None:
        self._client = jwt.PyJWKClient(url, lifespan=3600, timeout=5)
        self._now, self._asked_at = now, float("-inf")
        self._lock = asyncio.Lock()

    async def find(self, kid: str) -> Any:
        """As `Keys`."""
        async with self._lock:
            found = self._among(await asyncio.to_thread(self._client.get_signing_keys), kid)
            if found is None and self._now() - self._asked_at >= 60:  # noqa: PLR2004 # seconds
                self._asked_at = self._now()
                found = self._among(await asyncio.to_thread(self._client.get_signing_keys, refresh=True), kid)
            return found

    @staticmethod
    def _among(keys: Sequence[jwt.PyJWK], kid: str) -> Any:
        return next((key.key for key in keys if key.key_id == kid), None)


@dataclass(frozen=True, slots=True)
class Expected:
    """What a token has to say.

    Args:
        issuers: one of them.
        audiences: one of them.
    """

    issuers: Collection[str]
    audiences: Collection[str]


class Entra:
    """`AUTH_MODE=entra`.

    Args:
        keys: the tenant's.
        expected: of a token.
        platform: whether the platform in front of the service signs users in and overwrites its own header; only
            then does that header count.
    """

    def __init__(self, keys: Keys, expected: Expected, *, platform: bool = False) -> None:
        self._keys, self._expected, self._platform = keys, expected, platform

    async def principal(self, request: Request) -> Principal:
        """Whose token it is.

        Raises:
            Refused: there is none, it is not valid (401), or that cannot be told now (503).
        """
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and token:
            return _principal(await self._claims(token.strip()))
        if self._platform and (given := request.headers.get(_PLATFORM_HEADER)):
            return _signed_in(given)
        raise _unauthorized("say who is asking: Authorization: Bearer with an access token for this service")

    def admit_outsider(self, request: Request) -> None:
        """Whoever it is: the callback token says what they may do."""

    async def _claims(self, token: str) -> dict[str, Any]:
        try:
            kid = jwt.get_unverified_header(token).get("kid")
            key = await self._keys.find(str(kid))
            if key is None:
                raise _unauthorized("the token is signed by a key that its issuer does not have", "invalid_token")
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=_ALGORITHMS,
                audience=list(self._expected.audiences),
                issuer=list(self._expected.issuers),
                leeway=_LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "aud"]},
            )
        except jwt.PyJWKClientError:
            detail = "the issuer's keys cannot be read at the moment, so no token can be checked"
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, detail, {"Retry-After": "10"}) from None
        except jwt.PyJWTError as error:
            raise _unauthorized(f"the token is not valid: {_why(error)}", "invalid_token") from None
        return claims


def _why(error: jwt.PyJWTError) -> str:
    match error:
        case jwt.ExpiredSignatureError():
            return "it has expired"
        case jwt.InvalidAudienceError():
            return "it is for another audience"
        case jwt.InvalidIssuerError():
            return "it is of another issuer"
        case jwt.InvalidSignatureError():
            return "its signature is wrong"
        case _:
            return "it is none, or says too little"


def _principal(claims: dict[str, Any]) -> Principal:
    name = claims.get("oid") or claims.get("sub") or claims.get("azp") or "unnamed"
    roles = claims.get("roles")
    return Principal(str(name), frozenset(map(str, roles)) if isinstance(roles, list) else frozenset())


def _signed_in(header: str) -> Principal:
    """Whom the platform has signed in: base64 of JSON with `claims` of `typ` and `val`."""
    try:
        given = json.loads(base64.b64decode(header, validate=True))
        claims = [(str(claim["typ"]), str(claim["val"])) for claim in given["claims"]]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise _unauthorized("the platform's sign-in cannot be read") from None
    roles = frozenset(value for kind, value in claims if kind in _ROLE_CLAIMS)
    names = dict(claims)
    name = names.get("http://schemas.microsoft.com/identity/claims/objectidentifier") or names.get("oid")
    return Principal(name or "unnamed", roles)


def _unauthorized(detail: str, error: str | None = None) -> Refused:
    challenge = 'Bearer realm="Durable Monitor"' + (f', error="{error}"' if error else "")
    return Refused(HTTPStatus.UNAUTHORIZED, detail, {"WWW-Authenticate": challenge})
