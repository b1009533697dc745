"""From what a check says of who is asking to the header that says it."""

import base64
from collections.abc import Mapping

from yarl import URL

from monitor_core.contract import ErrorClass
from monitor_core.kinds.auth import ApiKey, Auth, Basic, Bearer, ManagedIdentity
from monitor_worker.checks.base import CheckFailed, Resources
from monitor_worker.checks.origins import Origin
from monitor_worker.checks.secrets import Secrets
from monitor_worker.checks.tokens import Tokens


class Authorizer:
    """Makes the headers that authorise a request.

    Args:
        secrets: resolves references.
        tokens: gets tokens of the worker's identity.
    """

    def __init__(self, secrets: Secrets, tokens: Tokens) -> None:
        self._secrets, self._tokens = secrets, tokens

    @classmethod
    def of(cls, resources: Resources) -> "Authorizer":
        """With the worker's own secrets and identity."""
        return cls(resources.secrets, resources.tokens)

    async def headers(self, auth: Auth | None, url: URL) -> Mapping[str, str]:
        """What to add to a request to `url`; it may go to this URL's origin alone.

        Raises:
            CheckFailed: the secret or token may not be sent there, or cannot be had.
        """
        if auth is None:
            return {}
        origin = Origin.parse(str(url.origin()))
        match auth:
            case Bearer():
                return {"Authorization": f"Bearer {await self._value(auth.token, origin)}"}
            case Basic():
                return {"Authorization": f"Basic {await self._basic(auth, origin)}"}
            case ApiKey():
                return {auth.header: await self._value(auth.key, origin)}
            case ManagedIdentity():
                return {"Authorization": f"Bearer {await self._tokens.get(auth.audience, origin)}"}

    async def _value(self, reference: str, origin: Origin) -> str:
        secret = await self._secrets.get(reference, origin)
        if not secret.isprintable() or not secret.isascii():
            reason = f"{reference} holds what no header can carry: a line break at its end, perhaps"
            raise CheckFailed(ErrorClass.MISCONFIGURED, reason)
        return secret

    async def _basic(self, auth: Basic, origin: Origin) -> str:
        pair = f"{auth.username}:{await self._secrets.get(auth.password, origin)}"
        self._secrets.masker.add(pair)
        return base64.b64encode(pair.encode()).decode()
