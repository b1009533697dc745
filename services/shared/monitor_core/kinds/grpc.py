"""The kind `grpc`: a service is SERVING, by the health checking protocol of gRPC."""

from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from monitor_core.kinds.base import CheckSpec, Variable
from monitor_core.kinds.host import Host, Port


class GrpcCheck(CheckSpec):
    """One call of `grpc.health.v1.Health/Check` per check, over a connection of its own.

    A server that is not there yet, or cannot be trusted, is observed (`Refused`, `Unreachable`, `No TLS`, `No
    gRPC`, `Untrusted`) and waited for, and so is one that answers UNAVAILABLE, or not in time. One without the
    health service, or that refuses the caller, is a permanent error of the check. A name that cannot be resolved
    is a transient error, since nothing was looked at; a target that the worker may not reach a misconfiguration.
    """

    variables = MappingProxyType(
        {
            "serving": Variable("bool", "Whether the service is SERVING."),
            "connected": Variable("bool", "Whether the server was reached: by gRPC, with TLS where asked for."),
            "status": Variable(
                "string",
                "SERVING, NOT_SERVING, UNKNOWN, or SERVICE_UNKNOWN where the server does not know the service "
                "(yet); empty without an answer.",
            ),
            "latency_ms": Variable(
                "double", "Milliseconds from the check's start to the answer; absent where status is empty."
            ),
        }
    )
    natural_success = "serving"
    needs = "grpcio-health-checking"
    example = MappingProxyType(
        {
            "check": {
                "kind": "grpc",
                "host": "orders.example.com",
                "port": 443,
                "service": "shop.Orders",
                "tls": True,
            },
            "tolerance": {"consecutive_successes": 2},
            "timeout_seconds": 300,
        }
    )

    kind: Literal["grpc"] = "grpc"
    host: Host
    port: Port
    service: Annotated[str, StringConstraints(max_length=256, pattern=r"^[A-Za-z0-9_./-]*$")] = Field(
        "", description="The service's full name, package.Service; empty for the server as a whole."
    )
    tls: bool = Field(False, description="Use TLS, and verify the certificate for the host.")

    @property
    def server_address(self) -> str | None:
        """`host`."""
        return self.host
