"""The kind `tcp`: a port answers; with TLS how long its certificate is good, and what it says first."""

from types import MappingProxyType
from typing import Literal

from pydantic import Field

from monitor_core.kinds.base import CheckSpec, Variable
from monitor_core.kinds.host import Host, Port


class TcpCheck(CheckSpec):
    """One connection per check, closed again at once.

    A port that refuses, does not answer, speaks no TLS or shows a certificate that cannot be trusted is observed
    (`Refused`, `Unreachable`, `No TLS`, `Untrusted`) and waited for. A name that cannot be resolved is a transient
    error of the check, since nothing was looked at; a target that the worker may not reach a misconfiguration.
    """

    variables = MappingProxyType(
        {
            "connected": Variable("bool", "Whether the port took the connection, whatever became of TLS."),
            "latency_ms": Variable(
                "double", "Milliseconds from the check's start to the connection, before TLS; absent without one."
            ),
            "tls": Variable("bool", "Whether the check asks for TLS."),
            "tls_verified": Variable(
                "bool", "Whether the TLS handshake succeeded, and the certificate is trusted and the host's own."
            ),
            "tls_version": Variable("string", "TLSv1.3, say; absent unless tls_verified."),
            "certificate_days_left": Variable(
                "double", "Days until the server's certificate expires; absent unless tls_verified."
            ),
            "has_banner": Variable("bool", "Whether banner_bytes asks for a banner, and the port said something."),
            "banner": Variable(
                "string", "What the port said first, as UTF-8, at least its first line; absent unless has_banner."
            ),
        }
    )
    natural_success = "connected && (tls_verified || !tls)"
    example = MappingProxyType(
        {
            "check": {"kind": "tcp", "host": "www.example.com", "port": 443, "tls": True},
            "success_when": "tls_verified && certificate_days_left > 30.0",
            "polling": {"interval_seconds": 300},
            "timeout_seconds": 86400,
        }
    )

    kind: Literal["tcp"] = "tcp"
    host: Host
    port: Port
    tls: bool = Field(False, description="Make a TLS handshake, and verify the certificate for the host.")
    banner_bytes: int = Field(
        0,
        ge=0,
        le=4096,
        description="Read what the port says first: to the end of a line, or so many bytes, or until the check's "
        "time is nearly over. 0 reads nothing. Nothing is ever sent.",
    )

    @property
    def server_address(self) -> str | None:
        """`host`."""
        return self.host
