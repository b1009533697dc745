"""Monitors a real HTTP job on this machine: `make demo`. Everything it starts it stops."""

import json
import subprocess
import sys
import urllib.request

from stack import ROOT, Stack, stack

JOB = {
    "duration_seconds": 8,
    "steps": ["NotStarted", "Provisioning", "Running"],
    "retry_after_seconds": None,
}


def main() -> int:
    """Start everything, start a job, wait for it; the client's exit code."""
    with stack() as parts:
        print("Starting a local scheduler, a job simulator and a worker ...", flush=True)
        parts.start_scheduler()
        parts.start_simulator()
        parts.start_worker()
        job_url = start_job(parts)
        print(f"A job has been started: {job_url}\n", flush=True)
        command = parts.client_command("demo-job", "1", "60", "--url", job_url)
        shown = " ".join(command[1:])
        print(f"$ ENDPOINT={parts.scheduler_url} python {shown}", flush=True)
        client = subprocess.run(command, cwd=ROOT, env=parts.environment({}), check=False)  # noqa: S603 # our own
    print("\nEverything is stopped.")
    return client.returncode


def start_job(parts: Stack) -> str:
    """Start a job at the simulator, as any client of a long-running API would; the URL to ask about it."""
    request = urllib.request.Request(  # noqa: S310 # our own simulator, on loopback
        f"{parts.simulator_url}/jobs",
        data=json.dumps(JOB).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 # our own simulator, on loopback
        return str(answer.headers["Operation-Location"])


if __name__ == "__main__":
    sys.exit(main())
