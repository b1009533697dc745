"""The worker: runs the orchestrator and the checks."""
