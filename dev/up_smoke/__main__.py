"""`make up-smoke`: see the package. Exit codes: 0; 1 where something is not as it has to be; 2 for wrong usage."""

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import nullcontext
from datetime import timedelta
from typing import Final

from up_smoke import rehearsal
from up_smoke.clients import RehearsalError
from up_smoke.docker import DockerError, compose, configured, standing_in
from up_smoke.rehearsal import say

# How fast the real emulator hands work out again is not documented.
REDELIVERY: Final = {"real": timedelta(seconds=60), "stand-in": rehearsal.RECOVERY}


def main() -> int:
    """Rehearse; whatever happens, nothing is left running."""
    emulator = os.environ.get("EMULATOR") or "stand-in"
    if emulator not in REDELIVERY:
        print(f"EMULATOR={emulator}: should be 'real', or not be set", file=sys.stderr)
        return 2
    if shutil.which("docker") is None:
        print("There is no docker here: the rehearsal needs Docker with compose v2", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    began = time.monotonic()
    try:
        _rehearse(emulator)
    except (DockerError, RehearsalError, subprocess.SubprocessError, OSError) as error:
        print(f"\nFailed: {error}", file=sys.stderr)
        return 1
    say(f"all is well, after {time.monotonic() - began:.0f} s")
    return 0


def _rehearse(emulator: str) -> None:
    image = configured()["scheduler"]["image"]
    say(f"building the images; the scheduler is {'the real' if emulator == 'real' else 'a stand-in for'} {image}")
    compose("build")
    with nullcontext() if emulator == "real" else standing_in(image):
        try:
            rehearsal.bring_up()
            rehearsal.run_as_documented()
            rehearsal.survive(REDELIVERY[emulator])
            rehearsal.stop()
        except (DockerError, RehearsalError):
            print(compose("logs", "--no-color", "--tail", "60"), file=sys.stderr)
            raise
        finally:
            compose("down", "--volumes", "--remove-orphans", "--timeout", "5")


if __name__ == "__main__":
    sys.exit(main())
