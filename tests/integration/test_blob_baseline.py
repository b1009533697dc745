"""A blob is compared with what the monitor's first check saw, whichever worker made it and however long ago."""

import time
from pathlib import Path
from typing import Any

from monitor_core.pace import TURNS_PER_GENERATION
from support.azurite import azurite
from support.hub import PATIENCE, Hub, hub

REFERENCE = "env:MONITOR_SECRET_SAS"


def wait_for_checks(engine: Hub, instance: str, number: int) -> None:
    given_up = time.monotonic() + PATIENCE
    while engine.status(instance).get("check_count", 0) < number:
        assert time.monotonic() < given_up, engine.status(instance)
        time.sleep(0.05)


def test_the_baseline_outlives_continue_as_new_and_the_worker(tmp_path: Path) -> None:
    with azurite(tmp_path) as store, hub() as engine, store.container() as container:
        sas = store.signature(container.container_name)
        settings: dict[str, Any] = {
            "allowed": (f"127.0.0.1:{store.port}",),
            "allowed_secrets": (f"{REFERENCE}={store.origin}",),
            "secrets": {"MONITOR_SECRET_SAS": sas},
        }
        container.upload_blob("report.csv", b"old")
        first = engine.worker(**settings)
        instance = engine.start(
            "job",
            check={
                "kind": "blob",
                "account_url": store.account_url,
                "container": container.container_name,
                "blob": "report.csv",
                "sas": REFERENCE,
                "changed": True,
            },
            polling={"interval_seconds": 0.1, "turn_seconds": 0},
            timeout_seconds=PATIENCE,
        )
        # One check a turn, so the history has been renewed by then.
        wait_for_checks(engine, instance, TURNS_PER_GENERATION + 2)
        assert engine.status(instance)["status"] == "Running"
        first.stop()
        engine.workers.remove(first)
        container.upload_blob("report.csv", b"new", overwrite=True)
        engine.worker(**settings)
        result = engine.result(instance)
        told = str(result) + str(engine.status(instance))

    assert (result["final_status"], result["decided_by"]) == ("Completed", "poll")
    assert "changed since the first check" in told
    assert sas not in told
    assert sas.partition("sig=")[2] not in told
