"""The worker's command: settings, logging, start, wait for a signal, drain."""

import os
import sys
from collections.abc import Mapping, Sequence
from functools import partial

from monitor_core import telemetry
from monitor_core.settings import SettingsError, worker_settings
from monitor_core.telemetry import configure_logging
from monitor_worker.checks.masking import Masker
from monitor_worker.host import listen_for_signals, spare_the_collector

EXIT_USAGE = 2


def main(arguments: Sequence[str] = (), environment: Mapping[str, str] = os.environ) -> int:
    """Run until SIGTERM or SIGINT; the process's exit code."""
    if arguments:
        return _usage("the worker takes no arguments; its variables are in docs/settings.md")
    # Before the slow imports: as a container's first process it would not hear a signal without a handler.
    asked_to_stop = listen_for_signals()
    masker = Masker()
    try:
        settings = worker_settings(environment)
        configure_logging(settings.log_level, form=settings.log_format, mask=masker)
        with telemetry.started(settings.telemetry, telemetry.WORKER, telemetry.FLUSH_SECONDS) as sent:
            from monitor_worker.bootstrap import Worker  # noqa: PLC0415 # a bad setting is said before it

            worker = Worker(settings, masker, last_words=partial(sent.stop, telemetry.BRIEF_FLUSH_SECONDS))
            spare_the_collector()
            worker.start()
            asked_to_stop.wait()
            worker.stop()
    except SettingsError as error:
        return _usage(str(error))
    except OSError as error:
        return _usage(f"{error} (another port for /healthz and /readyz: MONITOR_HEALTH_PORT, 0 for a free one)")
    return 0


def _usage(problem: str) -> int:
    print(f"Error: {problem}", file=sys.stderr)  # noqa: T201 # the user's terminal
    return EXIT_USAGE
