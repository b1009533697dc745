"""What benchmarks make of figures: ratios, lateness, goals, changes seen. No time is asserted."""

import math

import pytest
from benchmarks import report, turn30
from benchmarks.goals import Goal, goals, ratios
from benchmarks.machine import Used
from benchmarks.rig import Cost, lateness


def cost(late: list[float]) -> Cost:
    actions = {"activity_start": 3, "timer_fired": 1}
    return Cost(len(late), Used(0.5, 0), 0.1, actions, 1.0, late, [1.0])


def test_a_ratio_is_that_of_a_pair() -> None:
    assert ratios([1, 6], [2, 3]) == [0.5, 2]
    with pytest.raises(ValueError, match="zip"):
        ratios([1], [1, 2])


def test_lateness_goes_by_the_first_check_and_the_number() -> None:
    assert [*lateness([10, 11, 12.5, 13], 1)] == [0, 0, 0.5, 0]
    assert [*lateness([10, 12, 13], 1)] == [0, 1, 1], "one that was left out makes those that follow late"


def test_costs_are_per_check_and_lateness_has_its_percentiles() -> None:
    measured = cost([0.0, 1.0, 2.0, 3.0])
    assert (measured.actions_per_check, measured.cpu_per_check) == (1.0, 0.125)
    assert (measured.late(0), measured.late(50), measured.late(99)) == (0, 2, 3)


@pytest.mark.parametrize(
    ("measured", "at_least", "met"),
    [([1, 2, 9], False, True), ([1, 3, 9], False, False), ([2, 2, 0], True, True), ([1, 3, 0], True, False)],
)
def test_a_goal_is_met_by_its_median(measured: list[float], at_least: bool, met: bool) -> None:
    goal = Goal("it", 2, measured, at_least=at_least, why="because")
    assert goal.met is met
    assert goal.row[1] == (">= 2.00" if at_least else "<= 2.00")
    assert goal.row[3] == ("met" if met else "**not met**: because")


def test_the_summary_counts_the_goals_of_the_whole_page() -> None:
    tables = goals(Goal("a", 1, [1]), Goal("b", 1, [2]), Goal("c", 1, [3], why="so"))
    page = report.with_summary(f"<!-- summary -->\n<!-- /summary -->\n{tables}\nmet, it says")
    assert "1 of 3 goals were met" in page
    assert report.with_summary("no place") == "no place"


def test_a_change_is_seen_after_its_check_or_never() -> None:
    made = {"m": [float(second) for second in range(32)]}
    shown = {"m": {"Phase 1": 9.5, "Running": 0.0}}
    assert turn30.delays(shown, made, until=15) == [0.5]
    assert turn30.delays(shown, made, until=25) == [0.5, math.inf]
