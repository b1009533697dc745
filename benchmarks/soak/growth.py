"""What processes hold over time: memory, descriptors, threads; and whether it grows once they are warm."""

import asyncio
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import psutil

EVERY_SECONDS: Final = 10.0
MOST_MEMORY_GROWTH: Final = 0.05
LEAST_MEMORY_BYTES: Final = 5 * 2**20
"""Growth below this is the allocator's, whatever part of the whole it is."""
MOST_DESCRIPTORS: Final = 10
WARM_UP: Final = 1 / 3
"""The part of the time in which growth is no complaint."""
LEAST_SECONDS: Final = 600.0
"""A shorter soak says nothing about growth."""


@dataclass(frozen=True)
class Held:
    """What a process holds."""

    memory_bytes: float
    descriptors: float
    threads: float


@dataclass
class Samples:
    """What was held at each look, by process."""

    held: dict[str, list[Held]] = field(default_factory=dict)

    async def take(self, pids: Mapping[str, int]) -> None:
        """Look at the processes for ever."""
        processes = {name: psutil.Process(pid) for name, pid in pids.items()}
        while True:
            for name, process in processes.items():
                self.held.setdefault(name, []).append(_held(process))
            await asyncio.sleep(EVERY_SECONDS)

    def growth(self, name: str) -> tuple[Held, Held]:
        """What a process held when it was warm, and in the end: medians of a quarter of the warm time each."""
        warm = self.held[name][int(len(self.held[name]) * WARM_UP) :]
        quarter = max(len(warm) // 4, 1)
        return _median(warm[:quarter]), _median(warm[-quarter:])

    def complaints(self) -> list[str]:
        """The processes that grow, in words."""
        return [complaint for name in self.held for complaint in _grown(name, *self.growth(name))]


def _held(process: psutil.Process) -> Held:
    with process.oneshot():
        return Held(process.memory_info().rss, process.num_fds(), process.num_threads())


def _median(held: Sequence[Held]) -> Held:
    def of(value: Callable[[Held], float]) -> float:
        return statistics.median(map(value, held))

    return Held(of(lambda it: it.memory_bytes), of(lambda it: it.descriptors), of(lambda it: it.threads))


def _grown(name: str, warm: Held, end: Held) -> list[str]:
    found, more = [], end.memory_bytes - warm.memory_bytes
    if more > max(warm.memory_bytes * MOST_MEMORY_GROWTH, LEAST_MEMORY_BYTES):
        found.append(f"the memory of the {name} grew by {more / 2**20:.1f} MiB once it was warm")
    if end.descriptors - warm.descriptors > MOST_DESCRIPTORS:
        found.append(f"the {name} holds {end.descriptors - warm.descriptors:.0f} descriptors more than when warm")
    return found
