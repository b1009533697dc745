"""Secrets by reference: a request names a secret, and only the worker that makes the check knows it.

A secret is given out for one origin at a time, and only where the worker's settings say that it may be sent there:
who may start a monitor must not be able to send the worker's secrets to a server of their own.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from monitor_core.contract import ErrorClass
from monitor_core.kinds.secret import is_in_environment, name_of
from monitor_worker.checks.failed import CheckFailed
from monitor_worker.checks.masking import Masker
from monitor_worker.checks.origins import Allowed, Origin

_KEPT_SECONDS: Final = 300.0
"""A secret that is rotated in its vault is found within this time."""


class Vault(Protocol):
    """Where secrets are kept outside the worker; see monitor_worker.checks.key_vault."""

    async def get(self, identifier: str) -> str:
        """The secret's value.

        Raises:
            CheckFailed: there is none, or the worker may not read it.
        """
        ...

    async def close(self) -> None:
        """Release what it holds."""
        ...


class Secrets:
    """Resolves references, and keeps what comes of them for some minutes. Use it on one event loop.

    Args:
        allowed: which secret may be sent where.
        values: the environment variables that hold secrets.
        vault: resolves secret identifiers (URLs); without one there are none.
        masker: is told every secret.
        now: seconds on a clock that nobody sets.
    """

    def __init__(
        self,
        allowed: Allowed | None = None,
        values: Mapping[str, str] | None = None,
        vault: Vault | None = None,
        masker: Masker | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.masker = masker or Masker()
        self._allowed, self._values, self._vault, self._now = allowed or Allowed(), values or {}, vault, now
        self._kept: dict[str, tuple[float, str]] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def get(self, reference: str, origin: Origin) -> str:
        """The secret, to be sent to `origin` and nowhere else.

        Raises:
            CheckFailed: it may not be sent there, does not exist, or cannot be read.
        """
        self._require(reference, origin)
        return await self._resolved(reference)

    async def get_where(self, reference: str, origin_in: Callable[[str], Origin]) -> str:
        """A secret that says itself where it is to be sent: a connection string, say.

        Args:
            reference: names it.
            origin_in: finds the origin in the secret; raises ValueError where there is none.

        Raises:
            CheckFailed: as `get`, and where the secret names no origin.
        """
        if not self._allowed.knows(reference):
            raise _denied(f"{reference} is not among MONITOR_ALLOWED_SECRETS of the worker")
        secret = await self._resolved(reference)
        try:
            origin = origin_in(secret)
        except ValueError:
            raise _denied(f"{reference} does not say where to connect to") from None
        self._require(reference, origin)
        return secret

    async def close(self) -> None:
        """Release what the vault holds."""
        if self._vault is not None:
            await self._vault.close()

    def _require(self, reference: str, origin: Origin) -> None:
        if not self._allowed.permits(reference, origin):
            entry = f"{reference}={origin}"
            raise _denied(
                f"{reference} may not be sent to {origin}: add {entry} to MONITOR_ALLOWED_SECRETS of the worker"
            )

    async def _resolved(self, reference: str) -> str:
        # One request to a vault for however many checks; a vault that hangs holds up no other secret.
        async with self._locks[reference]:
            until, secret = self._kept.get(reference, (0.0, ""))
            if self._now() >= until:
                secret = await self._look_up(reference)
                self._kept[reference] = (self._now() + _KEPT_SECONDS, secret)
        self._hide(reference, secret)  # each time: the masker forgets those that are used no more
        return secret

    async def _look_up(self, reference: str) -> str:
        if is_in_environment(reference):
            secret = self._values.get(name_of(reference))
        elif self._vault is not None:
            secret = await self._vault.get(reference)
        else:
            raise _denied(f"{reference} cannot be read: MONITOR_ALLOWED_VAULTS of the worker names no key vault")
        if not secret:
            raise _denied(f"{reference} does not exist, or is empty, on this worker")
        return secret

    def _hide(self, reference: str, secret: str) -> None:
        try:
            self.masker.add(secret)
        except ValueError as error:
            raise _denied(f"{reference} cannot be used: {error}") from None


def _denied(reason: str) -> CheckFailed:
    return CheckFailed(ErrorClass.MISCONFIGURED, reason)
