"""The local scheduler on a command line: see `python -m local_scheduler --help`.

Exit codes: 0 after SIGTERM or SIGINT, 1 where it cannot listen or write, 2 for wrong arguments.
"""

import argparse
import dataclasses
import queue
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from local_scheduler.mends import Mends
from local_scheduler.scheduler import LocalScheduler
from local_scheduler.server import LOOPBACK
from local_scheduler.stats import StatsFile

EMULATOR_PORT = 8080
STATS_EVERY_SECONDS = 0.2
MENDS = [mend.name for mend in dataclasses.fields(Mends)]


def parser() -> argparse.ArgumentParser:
    """What the command line takes."""
    made = argparse.ArgumentParser(
        prog="python -m local_scheduler",
        description="Serve the Durable Task protocol, for development only: nothing is kept, all may use it.",
    )
    made.add_argument("--host", default=LOOPBACK, help="the address to listen on (default: %(default)s)")
    made.add_argument(
        "--port",
        type=int,
        default=EMULATOR_PORT,
        help=f"default {EMULATOR_PORT}, the emulator's; 0 for a free one",
    )
    made.add_argument(
        "--without", action="append", default=[], choices=MENDS, metavar="MEND",
        help=f"leave out a mend of the SDK's in-memory backend; may be given again; one of: {', '.join(MENDS)}",
    )  # fmt: skip
    made.add_argument(
        "--stats-file", type=Path, metavar="FILE", help="keep the counts of dispatched messages there, as JSON"
    )
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT."""
    arguments = parser().parse_args(argv)
    # A SimpleQueue because it alone may be used from a signal handler.
    signals: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda caught, _frame: signals.put(caught))
    scheduler = LocalScheduler(
        arguments.port, Mends(**dict.fromkeys(arguments.without, False)), host=arguments.host
    )
    stats = StatsFile(scheduler.stats, arguments.stats_file) if arguments.stats_file else None
    try:
        with scheduler:
            if stats:
                stats.write()  # complain about its path now, not in a second
            what = "Local scheduler (development only, nothing is kept when it ends)"
            print(f"{what} on http://{scheduler.address}", flush=True)
            _serve(signals, stats)
    except OSError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _serve(signals: "queue.SimpleQueue[int]", stats: StatsFile | None) -> None:
    """Keep the statistics file up to date until a signal comes, and once more then."""
    ended = False
    while not ended:
        try:
            signals.get(timeout=STATS_EVERY_SECONDS if stats else None)
            ended = True
        except queue.Empty:
            pass
        if stats:
            stats.write()


if __name__ == "__main__":
    sys.exit(main())
