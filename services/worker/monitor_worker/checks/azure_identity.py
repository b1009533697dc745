"""Who asks Azure Resource Manager where a check does not say: the worker's own identity."""

from yarl import URL

from monitor_core.kinds.auth import Auth, ManagedIdentity
from monitor_worker.checks.origins import Origin
from monitor_worker.checks.tokens import Tokens


def identity_at(url: URL, tokens: Tokens) -> Auth | None:
    """The worker's identity for the Azure Resource Manager at `url`; None where there is none."""
    audience = tokens.audience_of(Origin.parse(str(url.origin())))
    return ManagedIdentity(type="managed_identity", audience=audience) if audience else None
