"""`python -m job_simulator`: the simulator on a terminal, until it is told to stop."""

import argparse
import signal
import sys
from types import FrameType

from job_simulator.app import create_app
from job_simulator.server import Server, bind, url_of

_HIGHEST_PORT = 65535


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = _parser()
    arguments = parser.parse_args()
    # uvicorn raises the signal that stopped it once more: without a handler of ours the exit code would not be 0.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)
    try:
        listener = bind(arguments.host, arguments.port)
    except (OSError, UnicodeError) as error:
        parser.error(f"cannot listen on --host {arguments.host} --port {arguments.port}: {error}")
    line = f"Job simulator (development only) on {url_of(listener)}"
    app = create_app(auto_create=arguments.auto_create)
    Server(app, on_listening=lambda: print(line, flush=True)).run(sockets=[listener])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m job_simulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=_port, default=8000, help="0: a free one (default: %(default)s)")
    parser.add_argument(
        "--auto-create", action="store_true", help="a GET of an unknown job creates it, as its query says"
    )
    return parser


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > _HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"should be a number from 0 to {_HIGHEST_PORT}, not {text!r}")
    return int(text)


def _leave(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)


if __name__ == "__main__":
    main()
