"""The client-scheduler's HTTP API. It keeps no state: the scheduler is the only store."""

from monitor_client.api.app import create_app

__all__ = ["create_app"]
