"""What is known of checks that were under way when the process died; how the process dies is in tests/faults."""

import asyncio
import logging
import os
import resource
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from monitor_worker.journal import FORGOTTEN_SECONDS, SLOT, SUSPECTED, Journal, journal_in


def life(folder: Path, *under_way: str) -> dict[str, int]:
    """A process that dies with these under way: the deaths that it knew of when it began."""
    journal = Journal(folder)
    known = {key: journal.deaths(key) for key in "abc"}
    with ExitStack() as checks:
        for key in under_way:
            checks.enter_context(journal.under_way(key))
        journal.close()  # dead: that they end afterwards is written nowhere
    return known


def test_who_is_under_way_is_counted_and_who_has_come_back_is_not(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    with journal.under_way("a"):
        pass
    check = journal.under_way("b")
    check.__enter__()
    journal.close()
    assert life(tmp_path) == {"a": 0, "b": 1, "c": 0}


def test_deaths_count_in_a_row(tmp_path: Path) -> None:
    assert [life(tmp_path, "a")["a"] for _ in range(5)] == [0, 1, 2, 3, 4]
    journal = Journal(tmp_path)
    with journal.under_way("a"):
        assert journal.deaths("a") == 5
    assert journal.deaths("a") == 0, "it has come back"
    journal.close()
    assert life(tmp_path)["a"] == 0


def test_one_death_is_forgotten_after_another_without_it(tmp_path: Path) -> None:
    life(tmp_path, "a")
    life(tmp_path, "b")
    assert life(tmp_path) == {"a": 0, "b": 1, "c": 0}


def test_a_suspect_that_is_held_back_stays_one(tmp_path: Path) -> None:
    for under_way in ("ab", "ab", "b", "b"):
        life(tmp_path, *under_way)
    assert life(tmp_path) == {"a": 2, "b": 4, "c": 0}


def test_a_check_that_raises_has_come_back(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    with pytest.raises(ValueError, match="as it is"), journal.under_way("a"):
        raise ValueError("as it is")
    journal.close()
    again = Journal(tmp_path)
    assert again.deaths("a") == 0
    again.close()


def test_a_check_that_is_cancelled_has_not_come_back(tmp_path: Path) -> None:
    life(tmp_path, "a")
    life(tmp_path, "a")
    journal = Journal(tmp_path)
    with pytest.raises(asyncio.CancelledError), journal.under_way("a"):
        raise asyncio.CancelledError
    assert journal.deaths("a") == SUSPECTED
    journal.close()
    assert life(tmp_path)["a"] == SUSPECTED, "nor has it seen one death more"


@pytest.mark.parametrize(("seconds", "deaths"), [(0, 2), (FORGOTTEN_SECONDS - 5, 2), (FORGOTTEN_SECONDS, 0)])
def test_a_death_is_forgotten_after_a_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: int, deaths: int
) -> None:
    life(tmp_path, "a")
    life(tmp_path, "a")
    Journal(tmp_path).close()
    now = time.time() + seconds
    monkeypatch.setattr(time, "time", lambda: now)
    Journal(tmp_path).close()  # which writes what it knows anew
    assert life(tmp_path)["a"] == deaths


def test_a_file_that_was_left_long_ago_accuses_nobody(tmp_path: Path) -> None:
    life(tmp_path, "a")
    os.utime(tmp_path / "checks-0", (0, time.time() - FORGOTTEN_SECONDS))
    assert life(tmp_path)["a"] == 0


def test_two_checks_of_one_monitor_are_under_way_until_the_last_is_back(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    first, second = journal.under_way("a"), journal.under_way("a")
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert (tmp_path / "checks-0").read_text().startswith("!0 0 a ")
    second.__exit__(None, None, None)
    assert (tmp_path / "checks-0").read_text().startswith(" ")
    journal.close()


def test_the_file_is_no_longer_than_there_were_checks_at_a_time(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for number in range(1000):
        with journal.under_way(f"{number}-a"), journal.under_way(f"{number}-b"):
            pass
    assert (tmp_path / "checks-0").stat().st_size == 2 * SLOT
    journal.close()


def test_workers_of_one_folder_have_files_of_their_own_and_inherit_a_dead_one_s(tmp_path: Path) -> None:
    first, second = Journal(tmp_path), Journal(tmp_path)
    check = first.under_way("a")
    check.__enter__()
    first.close()
    third = Journal(tmp_path)
    assert (second.deaths("a"), third.deaths("a")) == (0, 1)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["checks-0", "checks-1"]
    second.close()
    third.close()


@pytest.mark.parametrize("content", [b"\xff\x00\xfe" * 1000, b"!x 0 a\n!1 x a\n!\n!1\n!1 2\n\n", b"!" * 300])
def test_a_file_of_garbage_accuses_nobody(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "checks-0").write_bytes(content)
    journal = Journal(tmp_path)
    assert journal.deaths("a") == 0
    with journal.under_way("a"):
        pass
    journal.close()


def test_a_file_that_cannot_be_written_any_more_is_given_up_and_no_check_fails(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    journal = Journal(tmp_path)
    first = journal.under_way("first")
    first.__enter__()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        with journal.under_way("a"), journal.under_way("b"):
            pass
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    journal.close()
    assert (tmp_path / "checks-0").read_bytes() == b"", "who was under way is accused of no later death"
    assert [record.message for record in caplog.records] == [
        "The journal of checks under way is given up: [Errno 27] File too large"
    ]


def test_a_folder_that_is_not_there_is_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert journal_in(tmp_path / "nowhere") is None
    assert "MONITOR_JOURNAL" in caplog.text
    assert "may do so again" in caplog.text
    assert journal_in(None) is None


def test_suspects_are_named_when_a_worker_starts(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        life(tmp_path, "a", "b")
        life(tmp_path, "a")
        assert journal_in(tmp_path) is not None
    assert [record.message for record in caplog.records] == [
        "Checks that were under way each last time that the worker died, and are held back: a (2 times)"
    ]


def test_one_death_names_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        life(tmp_path, "a")
        assert journal_in(tmp_path) is not None
    assert not caplog.records


def test_of_many_suspects_some_are_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    many = [f"job-{number}" for number in range(1005)]
    with caplog.at_level(logging.WARNING):
        life(tmp_path, *many)
        life(tmp_path, *many)
        assert journal_in(tmp_path) is not None
    assert caplog.records[0].message.endswith("job-4 (2 times) and 1,000 more")
