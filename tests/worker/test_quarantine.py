"""Who is checked beside whom, and who is not checked any more."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor_core.contract import ErrorClass
from monitor_worker.clock import SystemClock
from monitor_worker.journal import SUSPECTED, Journal
from monitor_worker.quarantine import APART_SECONDS, CONVICTED, GRACE_SECONDS, Quarantine
from monitor_worker.turns import Checkpoint, Look
from support.virtual import VirtualClock

SUSPECTS = [f"suspect-{number}" for number in range(1, 5)]
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def journal_of(folder: Path, deaths: dict[str, int]) -> Journal:
    """A journal after so many deaths with each of these under way."""
    for number in range(max(deaths.values())):
        journal = Journal(folder)
        with ExitStack() as checks:
            for key, times in deaths.items():
                if number < times:
                    checks.enter_context(journal.under_way(key))
            journal.close()
    return Journal(folder)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = journal_of(tmp_path, {"guilty": CONVICTED, **dict.fromkeys(SUSPECTS, SUSPECTED), "unlucky": 1})
    yield made
    made.close()


class Checks:
    """Checks that take a moment, and the most of them at a time."""

    def __init__(self) -> None:
        self.made = self.now = self.most = 0

    async def look(self, number: int, allowed: float, checkpoint: Checkpoint) -> Look:
        self.made, self.now = self.made + 1, self.now + 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0.01)
        self.now -= 1
        return Look()


async def most_at_a_time(quarantine: Quarantine, *keys: str) -> int:
    """As turns do it: who may not be checked now comes back later."""
    checks = Checks()

    async def turn(key: str) -> None:
        while (seconds := quarantine.held_back(key)) > 0:  # noqa: ASYNC110 # nobody tells
            await asyncio.sleep(seconds)
        await quarantine.guarded(key, checks.look)(1, 10, None)

    await asyncio.gather(*map(turn, keys))
    assert checks.made == len(keys)
    return checks.most


async def test_suspects_are_checked_one_at_a_time_and_others_beside_them(journal: Journal) -> None:
    quarantine = Quarantine(journal, SystemClock())
    assert await most_at_a_time(quarantine, "suspect-1", "suspect-2") == 1


async def test_a_check_that_comes_back_clears_its_monitor(journal: Journal) -> None:
    quarantine = Quarantine(journal, SystemClock())
    await most_at_a_time(quarantine, "suspect-1", "suspect-2")
    assert await most_at_a_time(quarantine, "suspect-1", "suspect-2") == 2


async def test_one_death_holds_nobody_up(journal: Journal) -> None:
    assert await most_at_a_time(Quarantine(journal, SystemClock()), "unlucky", "a", "b", "suspect-1") == 4


async def test_the_guilty_one_is_not_checked_any_more_and_it_is_said_why(journal: Journal) -> None:
    checks, quarantine = Checks(), Quarantine(journal, VirtualClock(NOON))
    assert quarantine.held_back("guilty") == 0
    look = await quarantine.guarded("guilty", checks.look)(1, 10, None)
    assert checks.made == 0
    assert look.error is not None
    assert (look.error.error_class, look.error.at) == (ErrorClass.PERMANENT, NOON)
    assert look.error.message == (
        "the check was under way each of the last 4 times that the worker died: it is not made any more"
    )


async def hang(number: int, allowed: float, checkpoint: Checkpoint) -> Look:
    await asyncio.Event().wait()
    return Look()


async def test_a_suspect_that_is_cancelled_lets_the_next_one_in_and_stays_one(journal: Journal) -> None:
    quarantine = Quarantine(journal, SystemClock())
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(quarantine.guarded("suspect-1", hang)(1, 10, None), 0.05)
    assert await most_at_a_time(quarantine, "suspect-2") == 1
    assert journal.deaths("suspect-1") == SUSPECTED


async def test_a_suspect_that_hangs_for_ever_is_not_waited_for(journal: Journal) -> None:
    clock = VirtualClock(NOON)
    quarantine = Quarantine(journal, clock)
    hanging = asyncio.ensure_future(quarantine.guarded("suspect-1", hang)(1, 10, None))
    await asyncio.sleep(0)
    clock.time += timedelta(seconds=10 + GRACE_SECONDS - 1)
    assert quarantine.held_back("suspect-2") == APART_SECONDS
    clock.time += timedelta(seconds=1)
    assert quarantine.held_back("suspect-2") == 0
    other = asyncio.ensure_future(quarantine.guarded("suspect-2", hang)(1, 10, None))
    await asyncio.sleep(0)
    hanging.cancel()
    await asyncio.wait([hanging])
    assert quarantine.held_back("suspect-1") > 0, "it gives up no place but its own"
    other.cancel()
    await asyncio.wait([other])


async def test_suspects_that_are_left_for_later_come_back_one_after_the_other(journal: Journal) -> None:
    clock = VirtualClock(NOON)
    quarantine = Quarantine(journal, clock)
    hanging = asyncio.ensure_future(quarantine.guarded("suspect-1", hang)(1, 10, None))
    await asyncio.sleep(0)
    assert [quarantine.held_back(key) for key in ("suspect-2", "suspect-3", "suspect-4")] == [0.5, 1.0, 1.5]
    clock.time += timedelta(seconds=0.25)
    assert quarantine.held_back("suspect-3") == 0.75, "who asks before its time keeps its place"
    clock.time += timedelta(seconds=0.25)
    assert quarantine.held_back("suspect-2") == 1.5, "whose place has come in vain takes the last one"
    clock.time += timedelta(seconds=5)
    assert quarantine.held_back("suspect-4") == APART_SECONDS
    hanging.cancel()
    await asyncio.wait([hanging])


async def test_without_a_journal_nobody_is_held_back() -> None:
    checks, quarantine = Checks(), Quarantine(None, SystemClock())
    assert quarantine.guarded("guilty", checks.look) == checks.look
    assert quarantine.held_back("guilty") == 0
