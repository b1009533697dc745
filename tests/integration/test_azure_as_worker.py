"""A worker of its own with a managed identity, and an Azure Resource Manager over HTTPS that demands its token."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aiohttp import web
from durabletask.azuremanaged.client import DurableTaskSchedulerClient
from durabletask.client import TaskHubGrpcClient

from monitor_core.contract import ORCHESTRATOR, VERSION, MonitorInput, instance_id, parse_request
from monitor_core.kinds import BUILT_IN
from monitor_core.settings import SchedulerSettings
from stack import Process, Stack, stack
from support.arm import IDENTITY_HEADER, TOKEN, Arm, arm, problem, state
from support.tls import files

GROUP = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/shop"
SITE = f"{GROUP}/providers/Microsoft.Web/sites/shop"
PATIENCE = 60


@contextmanager
def working(azure: Arm, folder: Path) -> Iterator[tuple[Stack, Process]]:
    """A scheduler and a worker that trusts this Azure Resource Manager."""
    settings = {
        "SSL_CERT_FILE": str(files(folder)[0]),
        "MONITOR_ALLOWED_TARGETS": azure.address,
        "MONITOR_ALLOWED_AUDIENCES": f"{azure.url}={azure.url}",
        "LOG_LEVEL": "DEBUG",
        **azure.environment,
    }
    with stack() as parts:
        parts.start_scheduler()
        yield parts, parts.start_worker(settings)


def waited_for(parts: Stack, *checks: dict[str, Any]) -> list[tuple[dict[str, Any], str]]:
    """The result of a monitor of each check, and all that the scheduler has kept of it."""
    with DurableTaskSchedulerClient(
        host_address=SchedulerSettings(endpoint=parts.scheduler_url).address,
        taskhub="default",
        token_credential=None,
        secure_channel=False,
    ) as client:
        jobs = [_start(client, f"job-{number}", check) for number, check in enumerate(checks)]
        return [_ended(client, job) for job in jobs]


def _start(client: TaskHubGrpcClient, job_id: str, check: dict[str, Any]) -> str:
    asked = {"job_id": job_id, "check": check, "polling": {"interval_seconds": 0.1}, "timeout_seconds": PATIENCE}
    given = MonitorInput(request=parse_request(asked, BUILT_IN), run="run-1")
    return client.schedule_new_orchestration(
        ORCHESTRATOR,
        input=given.model_dump(mode="json", exclude_defaults=True),
        instance_id=instance_id(job_id),
        version=VERSION,
    )


def _ended(client: TaskHubGrpcClient, instance: str) -> tuple[dict[str, Any], str]:
    state = client.wait_for_orchestration_completion(instance, timeout=PATIENCE)
    assert state is not None
    kept = [*client.get_orchestration_history(instance), state.serialized_custom_status, state.serialized_output]
    return state.get_output(), "\n".join(map(str, kept))


async def test_a_worker_waits_for_a_resource_and_an_operation_as_its_managed_identity(tmp_path: Path) -> None:
    async with arm() as azure:
        creating = web.json_response(state(f"Creating {TOKEN}", etag=TOKEN))
        azure.script(
            SITE, problem(404, "ResourceNotFound", TOKEN), creating, web.json_response(state("Succeeded"))
        )
        moved = web.json_response({"status": f"Running {TOKEN}"}, headers={"Azure-AsyncOperation": "/2?sig=x"})
        azure.script("/1", moved)
        busy = problem(429, "TooManyRequests", TOKEN, Retry_After="0")
        azure.script("/2", moved, busy, web.json_response({"status": "Canceled", "error": {"code": TOKEN}}))
        with working(azure, tmp_path) as (parts, worker):
            (resource, kept_of_it), (operation, kept_of_that) = await asyncio.to_thread(
                waited_for,
                parts,
                {"kind": "azure_resource", "resource_id": SITE, "endpoint": azure.url},
                {"kind": "azure_operation", "url": f"{azure.url}/1"},
            )
            log = worker.output()
    assert (resource["final_status"], operation["final_status"]) == ("Completed", "Failed")
    assert [change["status"] for change in resource["transitions"]] == ["Absent", "Creating ***", "Succeeded"]
    assert azure.paths.count("/1") == 1, "the operation was asked about where it had moved to, from check to check"
    assert azure.paths.count("/2") == 3
    assert set(azure.tokens) == {azure.url}
    assert "/2?sig=x" in kept_of_that, "the search below would find what was kept"
    for text in (kept_of_it, kept_of_that, log):
        assert TOKEN not in text
        assert IDENTITY_HEADER not in text
