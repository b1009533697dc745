"""The counts for benchmarks: messages as DTS bills them, and how long the histories are that workers replay."""

import json
from pathlib import Path

import pytest

from dev.local_scheduler_rig import call, continue_as_new, finish, rig, schedule, timer
from local_scheduler.stats import Stats, StatsFile


def test_every_message_to_the_app_is_an_action() -> None:
    with rig() as it:
        worker = it.worker()
        it.start("one")
        worker.answer(worker.take(), schedule(1))
        worker.report(worker.take(), "1")
        worker.answer(worker.take(), timer(2))
        it.fire_timers()
        worker.answer(worker.take())
        it.client.raise_orchestration_event("one", "control")
        worker.answer(worker.take())
        it.client.suspend_orchestration("one")
        worker.answer(worker.take())
        it.client.resume_orchestration("one")
        worker.answer(worker.take(), call(3, "sub"))
        worker.answer(worker.take(), finish())
        worker.answer(worker.take(), continue_as_new())
        worker.answer(worker.take())
        it.client.terminate_orchestration("one")
        worker.take()

        assert it.scheduler.actions == {
            "orchestration_start": 3,  # of "one", of "sub", and of "one" again as it continued as new
            "activity_start": 1,
            "activity_result": 1,
            "timer_fired": 1,
            "event_raised": 1,
            "suspend": 1,
            "resume": 1,
            "sub_orchestration_result": 1,
            "terminate": 1,
        }


def test_the_longest_history_of_each_instance_is_known() -> None:
    with rig() as it:
        worker = it.worker()
        it.start("one")
        turns = [worker.take()]
        worker.answer(turns[0], schedule(1))
        worker.report(worker.take(), "1")
        turns.append(worker.take())
        worker.answer(turns[1], continue_as_new())
        turns.append(worker.take())

        lengths = [len(it.orchestratorRequest.pastEvents) + len(it.orchestratorRequest.newEvents) for it in turns]
        assert it.scheduler.max_events_per_dispatch("one") == lengths[1] == max(lengths) > lengths[2]
        assert it.scheduler.events_replayed == sum(lengths)
        assert it.scheduler.max_events_per_dispatch("unknown") == 0


def test_the_file_is_replaced_only_when_something_has_changed(tmp_path: Path) -> None:
    path = tmp_path / "stats.json"
    with rig() as it:
        file = StatsFile(it.scheduler.stats, path)
        file.write()
        path.unlink()
        file.write()
        assert not path.exists()

        it.start("one")
        it.worker().take()
        file.write()

    assert json.loads(path.read_text()) == {
        "actions": {"orchestration_start": 1},
        "events_replayed": 2,
        "max_events_per_dispatch": {"one": 2},
    }
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="missing"):
        StatsFile(Stats(), tmp_path / "missing" / "stats.json").write()
