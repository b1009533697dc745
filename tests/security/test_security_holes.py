"""Each test that guards something against an attacker finds the hole that it guards, planted into a copy."""

import pytest

from security.holes import outcome, planted

PLANTED = planted()


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
