"""Who may wait in its slot: everybody while there is room, nobody in the part that is kept for those who come."""

from contextlib import ExitStack

import pytest

from monitor_worker.slots import Slots


def room_with(slots: Slots, taken: int) -> bool:
    with ExitStack() as holding:
        for _ in range(taken):
            holding.enter_context(slots.taken())
        return slots.has_room()


def test_a_quarter_of_the_slots_is_never_waited_in() -> None:
    slots = Slots(100)
    assert [room_with(slots, taken) for taken in (1, 75, 76, 100)] == [True, True, False, False]


def test_there_is_room_again_when_slots_are_given_back_however_a_turn_ended() -> None:
    slots = Slots(4)

    def broken_turn() -> None:
        with slots.taken():
            assert not slots.has_room()
            raise RuntimeError

    with slots.taken(), slots.taken(), slots.taken():
        with pytest.raises(RuntimeError):
            broken_turn()
        assert slots.has_room()


def test_a_worker_with_one_slot_waits_in_it() -> None:
    assert room_with(Slots(1), 1)
