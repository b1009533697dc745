"""The client-scheduler: starts, watches and controls monitors."""
