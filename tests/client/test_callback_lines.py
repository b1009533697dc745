"""What a start says of its callback can be copied as it stands, also for a job that has failed."""

import shlex

from monitor_client.callback import Callback
from monitor_client.callback_lines import callback_lines
from monitor_client.identity import How, Started


def started(url: str) -> Started:
    callback = Callback(url=url, token="dmc_x")
    return Started(job_id="j", instance_id="monitor-j", run="r", how=How.STARTED, callback=callback)


def test_the_command_and_what_makes_it_a_failure_are_whole_words_of_a_shell() -> None:
    url = "https://monitors.example.com/monitors/j/complete"
    _, command, failed = callback_lines(started(url))
    assert shlex.split(command) == ["curl", "-sS", "-X", "POST", "-H", "Authorization: Bearer dmc_x", url]
    words = shlex.split(failed)
    assert words[-4:] == ["-H", "Content-Type: application/json", "-d", '{"outcome": "Failed"}']


def test_a_path_goes_below_a_client_scheduler_that_is_named() -> None:
    lines = list(callback_lines(started("/monitors/j/complete")))
    assert lines[1].endswith(' "$CLIENT_SCHEDULER"/monitors/j/complete')
    assert "CLIENT_SCHEDULER" in lines[-1]
