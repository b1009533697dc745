"""No kind that connects reaches a hostile target: the whole table, by the drivers as the worker makes them."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import pytest

from monitor_core.kinds import BUILT_IN
from monitor_worker.checks.base import CheckContext, CheckFailed, Resources
from monitor_worker.checks.origins import Allowed, Origin
from monitor_worker.checks.registry import load_driver
from monitor_worker.checks.secrets import Secrets
from monitor_worker.checks.targets import TargetGuard
from support import hostile

CONTEXT = CheckContext("job", "run.0.1.1", 1, 30.0)
DSN = "env:MONITOR_SECRET_DSN"
TOKEN = "env:MONITOR_SECRET_TOKEN"
RESOURCE = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/shop"
NOWHERE = {"file", "simulated"}
"""Kinds that connect to nothing."""

CHECKS: Mapping[str, Callable[[str, int], dict[str, Any]]] = {
    "azure_operation": lambda host, port: {"url": f"http://{host}:{port}/1"},
    "azure_resource": lambda host, port: {
        "resource_id": RESOURCE,
        "api_version": "2024-01-01",
        "endpoint": f"http://{host}:{port}",
        "auth": {"type": "bearer", "token": TOKEN},
    },
    "blob": lambda host, port: {
        "account_url": f"http://{host}:{port}/devstoreaccount1",
        "container": "data",
        "blob": "x",
        "anonymous": True,
    },
    "grpc": lambda host, port: {"host": host.strip("[]"), "port": port},
    "http": lambda host, port: {"url": f"http://{host}:{port}/"},
    "sql": lambda host, port: {"dsn": DSN, "query": "SELECT 1"},
    "tcp": lambda host, port: {"host": host.strip("[]"), "port": port},
}


def test_every_kind_that_connects_is_in_the_table() -> None:
    assert CHECKS.keys() | NOWHERE == BUILT_IN.keys()


def secrets(target: hostile.Target, port: int) -> Secrets:
    """A connection string and a token that may be sent there: only the guard is in the way."""
    dsn, url = f"postgresql://me:password@{target.in_url()}:{port}/db", f"http://{target.in_url()}:{port}"
    entries = [f"{DSN}={Origin.parse(dsn)}", f"{TOKEN}={Origin.parse(url)}"]
    return Secrets(Allowed(entries), {"MONITOR_SECRET_DSN": dsn, "MONITOR_SECRET_TOKEN": "t0ken-of-a-test"})


async def ask(kind: str, target: hostile.Target, port: int, guard: TargetGuard) -> None:
    spec = BUILT_IN[kind].model_validate({"kind": kind, **CHECKS[kind](target.in_url(), port)})
    driver = load_driver(kind, Resources(guard, secrets(target, port)))
    try:
        await driver.check(spec, CONTEXT)
    finally:
        await driver.close()


@pytest.mark.parametrize("target", hostile.TARGETS, ids=str)
@pytest.mark.parametrize("kind", sorted(CHECKS))
async def test_no_hostile_target_is_reached(kind: str, target: hostile.Target) -> None:
    await hostile.require_closed(target, lambda _, port, guard: ask(kind, target, port, guard))


@pytest.mark.parametrize("kind", sorted(CHECKS))
async def test_the_same_check_reaches_what_is_allowed(kind: str) -> None:
    target = hostile.Target("127.0.0.1", allow=("127.0.0.1:{port}",))
    async with hostile.trap() as port:
        with suppress(CheckFailed):
            await ask(kind, target, port.port, target.guard(port.port))
        assert port.connections
