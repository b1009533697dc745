"""A real long-running HTTP API to monitor: 202, Operation-Location, Retry-After, and every way to be difficult.

For development and tests only. `python -m job_simulator`, or in a test:

    with JobSimulator(auto_create=True) as simulator:
        ...  # GET f"{simulator.url}/jobs/nightly?duration_seconds=3"
"""

from job_simulator.app import create_app
from job_simulator.server import JobSimulator

__all__ = ["JobSimulator", "create_app"]
