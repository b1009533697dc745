"""Conditions that take all CPU or all memory end as errors, and hold no other monitor up."""

from collections.abc import Iterator

from stack import stack
from support.fleet import VERDICTS, Member, fleet

MONITORS = 30
LONG = "text" + ".replace('', text)" * 2
"""Some million letters, of the job's hundreds."""
TWENTY = str(list(range(20)))
COSTLY = {
    "0.25 s of CPU": f"[{LONG}].all(t, {TWENTY}.all(a, {TWENTY}.all(b, {TWENTY}.all(c, !t.matches('[a-z]+!')))))",
    "256 MiB of memory": f"{LONG}.replace('', text) == ''",
}


def members() -> Iterator[Member]:
    """Checked each second, at every tick."""
    for number in range(MONITORS):
        yield Member(f"job-{number}", VERDICTS[number % 3], 12 + number / 10, interval_seconds=1)


def looping(number: int) -> Member:
    """One whose condition is judged where the costly ones are, and comes to what it has to."""
    return Member(
        f"looping-{number}", "Completed", 12, 5, success_when="['Succeeded'].exists(status, status == body.status)"
    )


def test_conditions_that_take_too_much_end_as_errors_and_all_others_go_on() -> None:
    with stack() as parts:
        parts.start_scheduler()
        parts.start_simulator("--auto-create")
        worker = parts.start_worker({"MONITOR_ALLOWED_TARGETS": "127.0.0.1:*"})
        with fleet(parts) as monitors:
            monitors.start(*members(), *map(looping, range(5)))
            for number, text in enumerate(COSTLY.values()):
                monitors.start_other(Member(f"costly-{number}", "Completed", 600, success_when=text))
            for number, limit in enumerate(COSTLY):
                result = monitors.result(f"costly-{number}")
                assert result["final_status"] == "Error"
                assert result["reason"] == f"success_when takes more than {limit}; make it look at less"
            monitors.require_all_well()
        assert worker.popen.poll() is None
