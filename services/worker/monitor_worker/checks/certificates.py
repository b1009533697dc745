"""How long a server's certificate is good: one reckoning for every kind that speaks TLS."""

import ssl
from collections.abc import Mapping
from typing import Any, Final

_SECONDS_PER_DAY: Final = 86_400


def expiry(peer: Mapping[str, Any]) -> float:
    """When a certificate expires, as seconds since 1970 in UTC.

    Args:
        peer: a verified certificate, as `getpeercert` gives it.
    """
    return float(ssl.cert_time_to_seconds(peer["notAfter"]))


def days_until(expires: float, now: float) -> float:
    """The days from `now` until then, both as seconds since 1970 in UTC; negative if it is past."""
    return (expires - now) / _SECONDS_PER_DAY
