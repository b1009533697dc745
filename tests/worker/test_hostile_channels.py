"""No kind of channel reaches a hostile target: the whole table, by the drivers as the worker makes them."""

import importlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import pytest

from monitor_core.channels import BUILT_IN
from monitor_worker.channels.base import CheckFailed, Resources
from monitor_worker.checks.origins import Allowed, Origin
from monitor_worker.checks.secrets import Secrets
from monitor_worker.checks.targets import TargetGuard
from monitor_worker.checks.tokens import Tokens
from support import hostile
from support.notices import CONTEXT, notice
from support.tokens import OneToken

URL = "env:MONITOR_SECRET_URL"
KEY = "env:MONITOR_SECRET_KEY"

CHANNELS: Mapping[str, Callable[[str, int], dict[str, Any]]] = {
    "event_grid": lambda host, port: {"endpoint": f"https://{host}:{port}/api/events"},
    "event_grid by key": lambda host, port: {"endpoint": f"https://{host}:{port}/api/events", "key": KEY},
    "service_bus": lambda host, port: {"namespace": host.strip("[]"), "port": port, "queue": "verdicts"},
    "slack": lambda host, port: {"url": f"http://{host}:{port}/"},
    "smtp": lambda host, port: {
        "host": host.strip("[]"),
        "port": port,
        "tls": "none",
        "sender": "a@example.com",
        "recipients": ["b@example.com"],
    },
    "teams": lambda host, port: {"url": f"http://{host}:{port}/"},
    "webhook": lambda host, port: {"url": f"http://{host}:{port}/"},
    # The same kind, where the URL comes out of a secret.
    "webhook by secret": lambda host, port: {"url_secret": URL},
}


def test_every_kind_is_in_the_table() -> None:
    assert {kind.partition(" ")[0] for kind in CHANNELS} == BUILT_IN.keys()


def secrets(target: hostile.Target, port: int) -> Secrets:
    """Secrets that may be sent there: only the guard is in the way."""
    url = f"http://{target.in_url()}:{port}"
    allowed = Allowed([f"{URL}={Origin.parse(url)}", f"{KEY}={Origin.parse(url.replace('http', 'https'))}"])
    return Secrets(allowed, {"MONITOR_SECRET_URL": f"{url}/hook", "MONITOR_SECRET_KEY": "k3y-of-a-test"})


def tokens(target: hostile.Target, port: int) -> Tokens:
    """Tokens that may be sent there."""
    place = f"{target.in_url()}:{port}"
    entries = (
        f"https://eventgrid.azure.net={Origin.parse(f'https://{place}')}",
        f"https://servicebus.azure.net={Origin.parse(f'amqps://{place}')}",
    )
    return Tokens(Allowed(entries), lambda: OneToken("t0ken-of-a-test"))


async def deliver(case: str, target: hostile.Target, port: int, guard: TargetGuard) -> None:
    kind = case.partition(" ")[0]
    spec = BUILT_IN[kind].model_validate({"kind": kind, **CHANNELS[case](target.in_url(), port)})
    module = importlib.import_module(f"monitor_worker.channels.{kind}")
    channel = module.create(Resources(guard, secrets(target, port), tokens(target, port)))
    try:
        await channel.deliver(spec, notice(), CONTEXT)
    finally:
        await channel.close()


@pytest.mark.parametrize("target", hostile.TARGETS, ids=str)
@pytest.mark.parametrize("case", sorted(CHANNELS))
async def test_nothing_is_delivered_to_a_hostile_target(case: str, target: hostile.Target) -> None:
    await hostile.require_closed(target, lambda _, port, guard: deliver(case, target, port, guard))


@pytest.mark.parametrize("case", sorted(CHANNELS))
async def test_the_same_delivery_reaches_what_is_allowed(case: str) -> None:
    target = hostile.Target("127.0.0.1", allow=("127.0.0.1:{port}",))
    async with hostile.trap() as port:
        with suppress(CheckFailed):
            await deliver(case, target, port.port, target.guard(port.port))
        assert port.connections
