"""Targets at their worst, many at once: their monitors end in time, others are checked as if they were not there.

What each of them comes to in a single check is in tests/worker/test_http_hostile.py.
"""

import psutil

from stack import stack
from support.fleet import VERDICTS, Member, fleet
from support.nasty import TALKS, nasty

OF_EACH = 6
GOOD = 12
SECONDS = 10.0
MOST_GROWTH = 100 * 2**20
"""Bytes: an answer is read up to 4 MiB, so all that are under way together are far from it."""


def test_bad_targets_end_in_time_and_disturb_nobody() -> None:
    with stack() as parts, nasty() as url:
        parts.start_scheduler()
        parts.start_simulator("--auto-create")
        worker = parts.start_worker({"MONITOR_ALLOWED_TARGETS": "127.0.0.1:*"})
        process = psutil.Process(worker.popen.pid)
        before = process.memory_info().rss
        with fleet(parts) as monitors:
            bad = [
                Member(
                    f"{how}-{number}",
                    "Error" if how == "flood" else "Timeout",
                    SECONDS,
                    interval_seconds=0.5,
                    check_timeout_seconds=2,
                    tolerated=1000,
                    url=f"{url}/{how}",
                )
                for how in TALKS
                for number in range(OF_EACH)
            ]
            good = [Member(f"good-{n}", VERDICTS[n % 3], 5 + n / 2, interval_seconds=1) for n in range(GOOD)]
            monitors.start(*bad, *good)
            monitors.require_all_well()
            assert process.memory_info().rss - before < MOST_GROWTH
            errors = {how: monitors.result(f"{how}-0")["last_error"]["message"] for how in TALKS}
        assert worker.stop() == 0
    words = {
        "hang": "no answer within 2 s",
        "drip": "no answer within 2 s",
        "reset": "Connection reset by peer",
        "flood": "is larger than 1,048,576 bytes",
        "garbage": "is no HTTP that can be read",
    }
    assert {how: words[how] in message for how, message in errors.items()} == dict.fromkeys(TALKS, True), errors
