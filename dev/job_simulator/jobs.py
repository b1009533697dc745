"""The jobs of one simulator, and the clocks they run on."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from job_simulator.model import Behaviour, Operation, operation


@dataclass(slots=True)
class Job:
    """A job that runs by itself: what it shows follows from the time alone, never from being looked at."""

    id: str
    behaviour: Behaviour
    started: datetime
    """UTC."""
    started_at: float
    """The same moment on the monotonic clock, in seconds."""
    gets: int = 0
    """How many GETs have arrived."""

    def shown(self, elapsed: float) -> Operation:
        """The job as it stands `elapsed` seconds after its creation."""
        return operation(self.id, self.behaviour, self.started, elapsed)


class Jobs:
    """Every job that was created and not deleted, in the order of creation."""

    def __init__(self, clock: Callable[[], float], now: Callable[[], datetime]) -> None:
        self._clock = clock
        self._now = now
        self._jobs: dict[str, Job] = {}

    def __iter__(self) -> Iterator[Job]:
        return iter(self._jobs.values())

    def get(self, job_id: str) -> Job | None:
        """The job, or None."""
        return self._jobs.get(job_id)

    def create(self, behaviour: Behaviour, job_id: str | None = None) -> Job:
        """Start a job, under an id of its own where none is given.

        Raises:
            KeyError: there is one with this id.
        """
        job = Job(job_id or str(uuid.uuid4()), behaviour, started=self._now(), started_at=self._clock())
        if job.id in self._jobs:
            raise KeyError(job.id)
        self._jobs[job.id] = job
        return job

    def delete(self, job_id: str) -> None:
        """Forget a job.

        Raises:
            KeyError: there is none with this id.
        """
        del self._jobs[job_id]

    def elapsed(self, job: Job) -> float:
        """Seconds since the job's creation."""
        return self._clock() - job.started_at
