"""An identity that gives tokens as Entra ID does."""

import base64
import json
import time
from typing import Any

from azure.core.credentials import AccessToken


class Identity:
    """Its tokens are whole but for their signature, which Azurite does not look at."""

    def __init__(self, audience: str = "https://storage.azure.com") -> None:
        self.scopes: list[str] = []
        self._audience = audience

    async def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        """A token for an hour, whatever the scopes."""
        self.scopes += scopes
        now = int(time.time())
        claims = {
            "aud": self._audience,
            "iss": "https://sts.windows.net/11111111-1111-1111-1111-111111111111/",
            "iat": now - 60,
            "nbf": now - 60,
            "exp": now + 3600,
        }
        parts = ({"alg": "RS256", "typ": "JWT"}, claims)
        encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
        return AccessToken(".".join([*encoded, "c2ln"]), now + 3600)

    async def close(self) -> None:
        """There is nothing to close."""

    async def __aenter__(self) -> "Identity":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class OneToken(Identity):
    """Its one token is a text of the test's choice, for an hour.

    Args:
        token: what it gives.
    """

    def __init__(self, token: str) -> None:
        super().__init__()
        self.token = token

    async def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        """The token, whatever the scopes."""
        self.scopes += scopes
        return AccessToken(self.token, int(time.time()) + 3600)
