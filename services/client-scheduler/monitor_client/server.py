"""The service's command: settings, logging, listen, serve until a signal, let requests under way finish."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from types import FrameType
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp

from monitor_client.api import create_app
from monitor_client.api.access import Anyone, Authenticator, Nobody
from monitor_client.api.entra import Entra, Expected, PublishedKeys
from monitor_client.api.forwarded import behind
from monitor_client.connect import open_service
from monitor_client.failures import EXIT_USAGE, say, tell
from monitor_client.reconciler import reconciling
from monitor_core import telemetry
from monitor_core.contract import Problem
from monitor_core.settings import AuthSettings, ClientSettings, SettingsError, auth_settings, client_settings
from monitor_core.telemetry import configure_logging

GRACE_SECONDS: Final = 10
"""What requests under way may still take after SIGTERM."""


def main(environment: Mapping[str, str] = os.environ, *, arguments: Sequence[str] = ()) -> int:
    """Serve until SIGTERM or SIGINT; the process's exit code."""
    if arguments:
        say("the service takes no arguments; its variables are in docs/settings.md")
        return EXIT_USAGE
    try:
        settings, auth = client_settings(environment), auth_settings(environment)
        configure_logging(settings.log_level, form=settings.log_format)
        listener = _listen(settings)
    except SettingsError as error:
        return tell(error)
    # uvicorn raises the signal that stopped it once more: without a handler of ours the exit code would not be 0.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    with telemetry.started(settings.telemetry, telemetry.CLIENT, telemetry.FLUSH_SECONDS):
        asyncio.run(_serve(settings, authenticator_of(auth), listener))
    return 0


def _listen(settings: ClientSettings) -> socket.socket:
    host, port = settings.api_host, settings.api_port
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return listening(address, family)
    except (OSError, UnicodeError) as error:
        raise SettingsError([Problem("MONITOR_API_HOST, MONITOR_API_PORT", f"{host}, {port}: {error}")]) from error


def listening(address: Any, family: int = socket.AF_INET) -> socket.socket:
    """A socket that listens, whose connections send at once.

    Headers and body are written apart: by default the body would wait until the headers are acknowledged, 40 ms on
    Linux. The event loop sees to that for sockets of its own only.
    """
    listener = socket.create_server(address, family=family)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def authenticator_of(auth: AuthSettings) -> Authenticator:
    """What finds out who is asking."""
    if auth.mode == "none":
        return Anyone(frozenset(auth.allowed_hosts))
    if auth.mode == "closed":
        return Nobody()
    return Entra(PublishedKeys(auth.keys_url), Expected(auth.issuers, auth.audiences), platform=auth.platform)


async def _serve(settings: ClientSettings, authenticator: Authenticator, listener: socket.socket) -> None:
    scheduler = settings.scheduler
    async with open_service(settings) as service:
        app = create_app(
            service,
            scheduler.endpoint,
            authenticator=authenticator,
            requests_per_second=settings.api_rate,
            most_viewers=settings.api_viewers,
            kinds=settings.kinds,
        )
        if settings.telemetry.is_sent:
            from monitor_client.api import tracing  # noqa: PLC0415 # it brings what sends telemetry along

            tracing.install(app)
        server = uvicorn.Server(config(app, settings.forwarded_allow_ips))
        host, port = listener.getsockname()[:2]
        where = f"for {scheduler.endpoint}, hub {scheduler.taskhub}, on http://{host}:{port}"
        print(f"Client-scheduler {where}", flush=True)  # noqa: T201 # said at whatever log level
        async with reconciling(service.reconciler(), settings.reconcile_seconds):
            await server.serve(sockets=[listener])


def config(app: ASGIApp, proxies: str) -> uvicorn.Config:
    """How an application is served; `proxies` are those whose word counts, as `api.forwarded` takes them."""
    return uvicorn.Config(
        behind(app, proxies),
        proxy_headers=False,
        access_log=False,
        log_config=None,
        http="h11",  # which bounds what a caller may send as headers; the other one does not
        lifespan="off",
        ws="none",
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


def _leave(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)
