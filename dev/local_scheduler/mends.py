"""What is mended in the SDK's in-memory backend, by name: each mend can be left out and its worth shown."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mends:
    """Which mends are on; all by default. Off means: as the SDK's backend does it.

    Loopback, a free port for port 0 and the refusal to share a port are no mends but always so.
    """

    pool: bool = True
    """Threads for every wait and stream (else 10, so that ten waits block everything), messages up to 64 MiB."""
    timers: bool = True
    """One thread and a heap for all timers, none of which fires after a stop (else each has a thread asleep)."""
    generations: bool = True
    """Results and timers (those of `timers`) reach only the execution that asked for them, results but once."""
    redelivery: bool = True
    """Work handed to a stream that breaks, or given back by a worker, is handed out again; never lost."""
    waits: bool = True
    """A wait lasts as long as its client (else it fails without a deadline, and keeps its thread until then)."""
    history: bool = True
    """No limit of events that would leave an instance stuck."""
    dispatch: bool = True
    """Work goes out at once, fairly, within a worker's limits, to one that may take it; idle ones are pinged."""
    start_at: bool = True
    """A start time in the future is waited for."""
    status: bool = True
    """A custom status lasts until it is set again, an instance that continues as new stays RUNNING."""
    suspension: bool = True
    """A suspended instance gets nothing but what resumes or ends it; the rest is delivered on resume."""
    failures: bool = True
    """An activity that failed without a message has failed (else it counts as a success without a result)."""
    pages: bool = True
    """A page's token that is none is refused (else it stands for the first page)."""
    traces: bool = True
    """Trace contexts are passed on, and events are dated (else 1970)."""


@dataclass(frozen=True)
class Limits:
    """The backend's figures, for tests that must not wait for the real ones.

    The last two count only where their mend is off.
    """

    ping_seconds: float = 30.0
    """How long a stream may be silent before it is pinged; a worker gives up a silent one after 120 s."""
    pool_threads: int = 10_000
    """Made on demand; one that sleeps costs about 22 KB."""
    unmended_pool_threads: int = 10
    unmended_history_events: int = 10_000


ALL_MENDS = Mends()
USUAL_LIMITS = Limits()
