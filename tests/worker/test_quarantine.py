"""Who is checked beside whom, and who is not checked any more."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor_core.contract import ErrorClass
from monitor_worker.journal import SUSPECTED, Journal
from monitor_worker.quarantine import CONVICTED, Quarantine
from monitor_worker.turns import Checkpoint, Look

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
    made = journal_of(
        tmp_path, {"guilty": CONVICTED, "suspect-1": SUSPECTED, "suspect-2": SUSPECTED, "unlucky": 1}
    )
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
    checks = Checks()
    await asyncio.gather(*(quarantine.guarded(key, checks.look)(1, 10, None) for key in keys))
    assert checks.made == len(keys)
    return checks.most


async def test_suspects_are_checked_one_at_a_time_and_others_beside_them(journal: Journal) -> None:
    quarantine = Quarantine(journal, lambda: NOON)
    assert await most_at_a_time(quarantine, "suspect-1", "suspect-2") == 1


async def test_a_check_that_comes_back_clears_its_monitor(journal: Journal) -> None:
    quarantine = Quarantine(journal, lambda: NOON)
    await most_at_a_time(quarantine, "suspect-1", "suspect-2")
    assert await most_at_a_time(quarantine, "suspect-1", "suspect-2") == 2


async def test_one_death_holds_nobody_up(journal: Journal) -> None:
    assert await most_at_a_time(Quarantine(journal, lambda: NOON), "unlucky", "a", "b", "suspect-1") == 4


async def test_the_guilty_one_is_not_checked_any_more_and_it_is_said_why(journal: Journal) -> None:
    checks = Checks()
    look = await Quarantine(journal, lambda: NOON).guarded("guilty", checks.look)(1, 10, None)
    assert checks.made == 0
    assert look.error is not None
    assert (look.error.error_class, look.error.at) == (ErrorClass.PERMANENT, NOON)
    assert look.error.message == (
        "the check was under way each of the last 4 times that the worker died: it is not made any more"
    )


async def test_a_suspect_that_is_cancelled_lets_the_next_one_in(journal: Journal) -> None:
    quarantine = Quarantine(journal, lambda: NOON)

    async def hang(number: int, allowed: float, checkpoint: Checkpoint) -> Look:
        await asyncio.Event().wait()
        return Look()

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(quarantine.guarded("suspect-1", hang)(1, 10, None), 0.05)
    assert await most_at_a_time(quarantine, "suspect-2") == 1


async def test_without_a_journal_nobody_is_held_back() -> None:
    checks = Checks()
    assert Quarantine(None, lambda: NOON).guarded("guilty", checks.look) == checks.look
