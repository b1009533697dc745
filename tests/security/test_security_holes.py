"""Each test that guards something against an attacker finds the hole that it guards, planted into a copy.

All of them are minutes of a busy machine: `make holes` plants them, `make test` the first for each file of tests.
"""

import os

import pytest

from security.holes import Hole, outcome, planted

FUZZED = "input"
"""Its tests take long where they find nothing."""


def some(topics: dict[str, list[Hole]]) -> dict[str, list[Hole]]:
    """Of each topic the first hole for each file of tests."""
    firsts = {
        topic: {hole.found_by.partition("::")[0]: hole for hole in reversed(holes)}
        for topic, holes in topics.items()
        if topic != FUZZED
    }
    return {topic: list(found.values()) for topic, found in firsts.items()}


PLANTED = planted() if os.environ.get("HOLES") == "all" else some(planted())


@pytest.mark.parametrize("topic", PLANTED)
def test_every_planted_hole_is_found(topic: str) -> None:
    wrong = outcome(PLANTED[topic])
    assert not wrong, "\n\n".join(f"{hole}: {how}" for hole, how in wrong.items())


def test_a_hole_that_is_none_is_not_found() -> None:
    """The judge of all the others: an edit that opens nothing, and one that has no place any more."""
    harmless, *_ = PLANTED["access"]
    same = harmless._replace(hole="none", new=harmless.old)
    nowhere = harmless._replace(hole="nowhere", old="this stands nowhere")
    broken = harmless._replace(hole="broken", new="a syntax error")
    found = outcome([same, nowhere, broken])
    assert found.keys() == {"none", "nowhere", "broken"}
    assert "bring planted.yaml up to date" in found["nowhere"]
