"""What the worker and the client-scheduler agree on, and nothing else."""
