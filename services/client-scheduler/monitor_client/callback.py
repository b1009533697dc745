"""The token by which a system outside ends one wait: how it is made, known again, and used.

Who holds it may end this one run of this one monitor, and do nothing else. The engine is given its SHA-256 alone:
of 256 random bits no more is needed, as they cannot be tried out.
"""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from typing import Any, Final, Literal
from urllib.parse import quote

from pydantic import Field, ValidationError

from monitor_core.contract import Complete, Model, MonitorInput, RequestError
from monitor_core.contract.wording import problems_of

PREFIX: Final = "dmc_"
"""By it a token is told from one of Microsoft Entra ID, and masked in logs."""
_BYTES: Final = 32
_NOBODYS: Final = "0" * 64
NOT_KNOWN: Final = (
    "the callback token of this monitor was given to whoever started it, once, and nobody keeps it: "
    "to have another, cancel the monitor and start it anew"
)


class Callback(Model):
    """How the system that does the job ends the wait: POST to `url` with `Authorization: Bearer` and the token."""

    url: str = Field(description="Absolute; a path where no client-scheduler was asked, whose URL goes before it.")
    token: str = Field(repr=False, description="A secret, which is shown this once.")


class _Told(Model):
    outcome: Literal["Completed", "Failed"] = "Completed"
    reason: str | None = Field(None, max_length=200)


def new_token() -> str:
    """A token that nobody has had before."""
    return PREFIX + secrets.token_urlsafe(_BYTES)


def digest_of(token: str) -> str:
    """What of a token may be kept."""
    return hashlib.sha256(token.encode()).hexdigest()


def is_of(token: str, given: MonitorInput | None) -> bool:
    """Whether it is the token of what a monitor was started with. It takes as long whatever they are."""
    digest = given.callback_digest if given else None
    return hmac.compare_digest(digest_of(token), digest or _NOBODYS)


def callback_of(job_id: str, token: str) -> Callback:
    """The callback of a monitor, its URL a path still."""
    return Callback(url=f"/monitors/{quote(job_id, safe='')}/complete", token=token)


def completion(token: str, given: Mapping[str, Any]) -> Complete:
    """The command that a holder of the token gives; of the same token and outcome it is the same.

    Raises:
        RequestError: `given` says anything but an outcome and a reason.
    """
    try:
        told = _Told.model_validate(dict(given))
    except ValidationError as error:
        raise RequestError(problems_of(error)) from error
    made = hashlib.sha256(f"{token} {told.outcome}".encode()).hexdigest()[:32]
    return Complete(id=f"callback-{made}", outcome=told.outcome, reason=told.reason)
