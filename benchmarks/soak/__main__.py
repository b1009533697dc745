"""`python -m benchmarks.soak`: runs the soak, prints and writes what came of it; exit code 1 if anything is wrong.

`SOAK_MINUTES` (30) says how long, `SOAK_SEED` (made anew) which plans and faults, to have the same again.
"""

import asyncio
import os
import random
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent.parent
FOLDERS: Final = ("dev", "tests", "services/shared", "services/worker", "services/client-scheduler")
sys.path[:0] = [str(ROOT / folder) for folder in FOLDERS]

from benchmarks.report import with_part  # noqa: E402 # the line above makes what they import importable
from benchmarks.soak.outcome import Outcome  # noqa: E402
from benchmarks.soak.run import soak  # noqa: E402

PAGE: Final = ROOT / "docs" / "reliability.md"


def main() -> int:
    """Soak; the exit code."""
    # As in the images: with an arena for each of many threads, memory grows for as long as threads do.
    os.environ.setdefault("MALLOC_ARENA_MAX", "2")
    minutes = float(os.environ.get("SOAK_MINUTES") or 30)
    seed = int(os.environ.get("SOAK_SEED") or random.SystemRandom().randrange(10**6))
    print(f"A soak of {minutes:g} minutes, SOAK_SEED={seed}", flush=True)
    outcome: Outcome = asyncio.run(soak(minutes, seed))
    part = outcome.as_markdown()
    print(part, *outcome.complaints, sep="\n", flush=True)
    PAGE.write_text(with_part(PAGE.read_text(), "soak", part))
    return 1 if outcome.complaints else 0


if __name__ == "__main__":
    sys.exit(main())
