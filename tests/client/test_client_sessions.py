"""The command line with a real scheduler, and no worker: start, join, be refused, let go, come back."""

import os
import pty
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from local_scheduler import LocalScheduler
from support.command_line import CLIENT, PATIENCE, Ran, begin, ended, environment, run

Client = Callable[..., Ran]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with LocalScheduler() as scheduler:
        yield f"http://{scheduler.address}"


@pytest.fixture(scope="module")
def client(endpoint: str) -> Client:
    return lambda *arguments: run(*arguments, ENDPOINT=endpoint)


def test_a_start_says_how_to_watch_it_and_leaves(client: Client) -> None:
    ran = client("start", "it's one", "2", "60")
    assert (ran.code, ran.err) == (0, "")
    simulated, monitoring, hint = ran.out.splitlines()
    assert "simulated job" in simulated
    assert monitoring.startswith("Monitoring it's one, run ")
    assert hint.endswith("""client.py watch 'it'"'"'s one'""")


def test_a_started_monitor_as_json_and_the_same_again_joins_it(client: Client) -> None:
    first, second = (client("start", "joined", "-o", "json") for _ in range(2))
    assert (first.code, second.code) == (0, 0)
    assert first.json.keys() == {"job_id", "instance_id", "run", "how", "callback", "note"}
    assert first.json["how"] == "started"
    assert second.json == {**first.json, "how": "attached"}
    assert "simulated" in first.err, "what is said besides goes to stderr"
    assert "attached to its run" in second.err


def test_quiet_leaves_the_answer_alone(client: Client) -> None:
    assert client("start", "quiet", "-q") == Ran(0, "quiet\n", "")
    shown = client("start", "quiet", "-q", "-o", "json")
    assert (shown.err, shown.json["how"]) == ("", "attached")


def test_something_else_for_the_same_job_is_a_conflict(client: Client) -> None:
    assert client("start", "taken", "2").code == 0
    ran = client("taken", "3")
    assert (ran.code, ran.out) == (2, "")
    assert "with another polling.interval_seconds" in ran.err
    assert ran.err.count("\n") == 1


def test_options_stand_before_or_after_the_positional_ones(client: Client) -> None:
    assert client("start", "show", "2", "60", "--label", "a=b").code == 0
    assert "attached" in client("start", "--label", "a=b", "show", "2", "--quiet", "60", "-o", "json").out


def test_show_says_what_is_known_of_a_job_whatever_its_name(client: Client) -> None:
    client("start", "show", "2", "60", "--label", "a=b")
    ran = client("show", "show")
    assert ran.out.splitlines()[:2] == ["job_id  show", "state   Pending (no worker has taken it yet)"]
    document = client("show", "show", "-o", "json").json
    assert (document["job_id"], document["state"]) == ("show", "Pending")
    missing = client("show", "missing")
    assert (missing.code, missing.err) == (2, "Error: no monitor of 'missing' in the task hub 'default'\n")


def test_a_command_that_nobody_hears_yet_is_sent_all_the_same(client: Client) -> None:
    client("start", "deaf")
    ran = client("cancel", "deaf", "--reason", "no need", "-o", "json")
    assert ran.code == 0
    assert {**ran.json, "id": ""} == {"id": "", "name": "cancel", "reason": "no need", "accepted": None}


def detached(ran: Ran, job: str) -> bool:
    first, back, cancel = ran.err.splitlines()
    return (
        first == f"Detached: the monitor of {job} goes on."
        and back.endswith(f"client.py watch {job}")
        and cancel.endswith(f"client.py cancel {job}")
    )


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("watch", [False, True])
def test_to_interrupt_a_watch_lets_go_of_it_only(
    client: Client, endpoint: str, number: int, code: int, watch: bool
) -> None:
    job = f"let-go-{code}-{watch}"
    if watch:
        client("start", job)
    process = begin(*(["watch"] if watch else []), job, ENDPOINT=endpoint)
    assert process.stdout is not None
    while "Pending" not in process.stdout.readline():
        pass
    process.send_signal(number)
    ran = ended(process)
    assert ran.code == code
    assert detached(ran, job)
    assert client("show", job).code == 0, "the monitor is still there"


def test_beside_a_json_document_the_progress_goes_to_stderr(endpoint: str) -> None:
    process = begin("progress", "-o", "json", ENDPOINT=endpoint)
    assert process.stderr is not None
    lines = [process.stderr.readline() for _ in range(3)]
    assert [word in line for word, line in zip(("simulated", "Monitoring", "Pending"), lines, strict=True)] == [
        True
    ] * 3
    process.send_signal(signal.SIGINT)
    assert ended(process).out == ""


def test_a_reader_that_goes_away_is_no_verdict(endpoint: str) -> None:
    with begin("pipe", ENDPOINT=endpoint) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""
        assert process.wait(PATIENCE) == 141


def test_a_monitor_that_no_worker_takes_is_said_once(endpoint: str) -> None:
    process = begin("waiting", ENDPOINT=endpoint)
    assert process.stderr is not None
    assert process.stderr.readline().startswith("waiting: no worker has taken it yet.")
    process.send_signal(signal.SIGINT)
    assert ended(process).code == 130


def on_a_terminal(*arguments: str, until: str, **more: str) -> tuple[int, str]:
    """A client that is interrupted once it has sent `until`: its exit code, and all that it sent."""
    controller, terminal = pty.openpty()
    with subprocess.Popen(
        [sys.executable, str(CLIENT), *arguments],
        env=environment(TERM="xterm-256color", **more),
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        close_fds=True,
    ) as process:
        os.close(terminal)
        sent = b""
        interrupted = False
        while select.select([controller], [], [], PATIENCE)[0]:
            try:
                sent += os.read(controller, 65536)
            except OSError:  # the other end is closed: the client is gone
                break
            if until.encode() in sent and not interrupted:
                process.send_signal(signal.SIGINT)
                interrupted = True
        code = process.wait(PATIENCE)
    os.close(controller)
    return code, sent.decode()


def test_on_a_terminal_the_panel_is_live_and_gives_the_cursor_back(endpoint: str) -> None:
    code, sent = on_a_terminal("live", "2", "60", until="Pending (", ENDPOINT=endpoint)
    assert code == 130
    assert "\x1b[?25l" in sent, "the cursor is hidden while the panel stands"
    assert "\x1b[?25h" in sent.rpartition("\x1b[?25l")[2]
    assert "Detached: the monitor of live goes on." in sent
