"""The kind `grpc`: one call of the health service, over a connection that is closed again."""

import asyncio
import socket
from typing import Any, Final

import grpc
from grpc import aio
from grpc_health.v1.health_pb2 import HealthCheckRequest

from monitor_core.kinds.grpc import GrpcCheck
from monitor_worker.checks.addresses import show
from monitor_worker.checks.base import CheckContext, Observation, Resources
from monitor_worker.checks.dialling import Attempt, attempts, permitted
from monitor_worker.checks.grpc_answer import Answer, most_telling, observation
from monitor_worker.checks.targets import TargetGuard
from monitor_worker.checks.trusted import trusted_certificates

_CHECK: Final = "/grpc.health.v1.Health/Check"
_OPTIONS: Final[tuple[tuple[str, Any], ...]] = (
    ("grpc.enable_http_proxy", 0),  # a proxy would connect where the guard cannot see
    ("grpc.service_config_disable_resolution", 1),  # nor is anything to be looked up by gRPC itself
    ("grpc.use_local_subchannel_pool", 1),  # else checks would share connections, and how long to leave them alone
    ("grpc.enable_retries", 0),  # the next check is the retry
    ("grpc.max_receive_message_length", 64 * 1024),
)


class GrpcDriver:
    """Makes the checks of the kind `grpc`; it keeps no connection.

    One that is still being made when a check ends is given up by gRPC when the check's time is over, not before.

    Args:
        guard: decides which targets may be reached.
        trusted: the certificates that servers are verified with, as PEM; None for those that gRPC brings.
    """

    def __init__(self, guard: TargetGuard, trusted: bytes | None = None) -> None:
        self._guard, self._tls = guard, grpc.ssl_channel_credentials(trusted)

    async def check(self, spec: GrpcCheck, context: CheckContext) -> Observation:
        """Ask once, each permitted address in turn until one is reached.

        Raises:
            CheckFailed: the target is denied, cannot be resolved, or gave an answer that shows nothing.
        """
        started = asyncio.get_running_loop().time()
        deadline = started + context.looking_seconds
        answers = []
        for attempt in attempts(await permitted(self._guard, spec.host, spec.port, deadline), deadline):
            answers.append(await self._ask(spec, attempt))
            if answers[-1].connected:
                break
        milliseconds = (asyncio.get_running_loop().time() - started) * 1000
        return observation(most_telling(answers), spec.service, show(spec.host, spec.port), milliseconds)

    async def close(self) -> None:
        """There is nothing to close."""

    async def _ask(self, spec: GrpcCheck, attempt: Attempt) -> Answer:
        seconds = max(attempt.until - asyncio.get_running_loop().time(), 0.0)
        async with self._channel(spec, attempt, seconds) as channel:
            check = channel.unary_unary(_CHECK, HealthCheckRequest.SerializeToString, None)
            try:
                reply: bytes = await check(HealthCheckRequest(service=spec.service), timeout=seconds)
            except aio.AioRpcError as error:
                connected = channel.get_state() is grpc.ChannelConnectivity.READY
                return Answer.failed(error, connected=connected)
        return Answer(reply, connected=True)

    def _channel(self, spec: GrpcCheck, attempt: Attempt, seconds: float) -> aio.Channel:
        name = spec.host.rstrip(".").encode("idna").decode()
        options = [
            *_OPTIONS,
            ("grpc.default_authority", show(name, spec.port)),
            # For so long it tries to connect, though the channel be closed: 20 s unless told otherwise.
            ("grpc.min_reconnect_backoff_ms", int(seconds * 1000) + 100),
        ]
        scheme = "ipv6" if attempt.family is socket.AF_INET6 else "ipv4"
        # The very address that is permitted: gRPC looks nothing up.
        target = f"{scheme}:{show(attempt.address, spec.port)}"
        if not spec.tls:
            return aio.insecure_channel(target, options)
        return aio.secure_channel(target, self._tls, [*options, ("grpc.ssl_target_name_override", name)])


def create(resources: Resources) -> GrpcDriver:
    """The driver of the kind `grpc`; it trusts what the machine trusts, as the other kinds do."""
    return GrpcDriver(resources.guard, trusted_certificates())
