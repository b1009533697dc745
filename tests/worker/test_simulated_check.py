"""The kind `simulated`."""

import pytest

from monitor_core.conditions import conditions
from monitor_core.contract import parse_request
from monitor_core.kinds import BUILT_IN, SimulatedCheck
from monitor_worker.checks import simulated
from monitor_worker.checks.base import CheckContext, Resources
from monitor_worker.checks.targets import TargetGuard


def context(number: int) -> CheckContext:
    return CheckContext("job", f"run.0.1.{number}", number, 10.0)


@pytest.mark.parametrize("outcome", ["Succeeded", "Failed", "Canceled"])
async def test_it_runs_until_the_check_that_sees_the_outcome(outcome: str) -> None:
    driver = simulated.create(Resources(TargetGuard()))
    spec = SimulatedCheck.model_validate({"checks": 3, "outcome": outcome})

    seen = [await driver.check(spec, context(number)) for number in (1, 2, 3, 4)]
    await driver.close()

    assert [each.status for each in seen] == ["Running", "Running", outcome, outcome]


async def test_it_gives_the_declared_variables_and_a_short_summary() -> None:
    seen = await simulated.create(Resources(TargetGuard())).check(SimulatedCheck(checks=4), context(2))

    assert seen.variables == {"status": "Running", "check": 2}
    assert set(seen.variables) == set(SimulatedCheck.variables)
    assert seen.summary == "check 2 of 4"
    assert seen.error is None


async def test_the_same_check_sees_the_same_again() -> None:
    driver = simulated.create(Resources(TargetGuard()))
    spec = SimulatedCheck(checks=2)

    assert await driver.check(spec, context(2)) == await driver.check(spec, context(2))


async def test_its_example_completes_at_its_third_check() -> None:
    request = parse_request({"job_id": "j", **SimulatedCheck.example}, BUILT_IN)
    spec = SimulatedCheck.model_validate(request.check)
    success, _ = conditions(request.success_when, request.failure_when, SimulatedCheck)
    assert success is not None

    driver = simulated.create(Resources(TargetGuard()))
    seen = [await driver.check(spec, context(number)) for number in (1, 2, 3)]

    assert [success.holds(each.variables) for each in seen] == [False, False, True]
