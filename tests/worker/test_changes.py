"""What differs from the first check, and what has stayed the same: carried in a checkpoint."""

import json

from monitor_worker.checks.changes import Changes

A, B = ["a", "0x1", 1], ["b", "0x2", 2]


def test_the_first_check_is_the_baseline() -> None:
    first = Changes.since(None, [A])
    assert (first.changed, first.unchanged_checks) == (False, 0)


def test_what_stays_the_same_is_counted_and_what_changes_is_counted_anew() -> None:
    seen, before = [], None
    for state in ([A], [A], [A], [B], [B], [A]):
        changes = Changes.since(before, state)
        before = changes.checkpoint
        seen.append((changes.changed, changes.unchanged_checks))
    assert seen == [(False, 0), (False, 1), (False, 2), (True, 0), (True, 1), (False, 0)]


def test_the_order_does_not_count_but_each_part_does() -> None:
    baseline = Changes.since(None, [A, B]).checkpoint
    assert not Changes.since(baseline, [B, A]).changed
    for other in ([A], [A, B, B], [A, ["b", "0x3", 2]], [A, ["b", "0x2", 3]], [], [["a"], ["0x1", 1], B]):
        assert Changes.since(baseline, other).changed


def test_what_is_left_for_the_next_check_is_small_however_much_was_seen() -> None:
    left = json.dumps(Changes.since(None, ([str(number), "0x1", 1] for number in range(5000))).checkpoint)
    assert len(left) < 300
    assert Changes.since(json.loads(left), []).changed
