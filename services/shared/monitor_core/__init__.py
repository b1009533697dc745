"""What the worker and the client-scheduler agree on, and nothing else."""

__version__ = "0.1.0"  # that of pyproject.toml, which is not there at run time; a test compares them
