"""Whether what the two images hold may be passed on: the licence of each locked package, by what is installed."""

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement

LOCKS: Final = ("services/worker/requirements.txt", "services/client-scheduler/requirements.txt")
# psycopg's is the only one that asks for something back: changes to psycopg itself, and leave to replace it.
ALLOWED: Final = frozenset(
    {
        *("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "LGPL-3.0-only", "MIT", "MIT-0", "MPL-2.0"),
        *("PSF-2.0", "Unlicense", "3-Clause BSD License", "Apache Software License", "BSD License"),
        *("ISC License (ISCL)", "MIT License", "Mozilla Public License 2.0 (MPL 2.0)"),
        "Python Software Foundation License",
    }
)
"""By their SPDX identifiers, and as the classifiers of older packages call them."""
_PINNED: Final = re.compile(r"^[a-z0-9][^\\\n]*", re.MULTILINE)

Licence = Callable[[str], str | None]


def installed(name: str) -> str | None:
    """The licence that an installed package says it has; None where it is not installed, '' where it says none."""
    try:
        said = metadata(name)
    except PackageNotFoundError:
        return None
    classified = [
        text.rpartition(" :: ")[2] for text in said.get_all("Classifier", []) if text.startswith("License ::")
    ]
    stated = {name: said[name] for name in ("License-Expression", "License") if name in said}
    return stated.get("License-Expression") or " AND ".join(classified) or stated.get("License") or ""


def is_allowed(expression: str) -> bool:
    """Whether a licence may be passed on; of several that one may choose from, one of them."""
    choices = expression.replace("(MPL 2.0)", "").replace("(ISCL)", "").replace("(", "").replace(")", "")
    names = {name.replace("(MPL 2.0)", "").replace("(ISCL)", "").strip() for name in ALLOWED}
    return any(all(one.strip() in names for one in choice.split(" AND ")) for choice in choices.split(" OR "))


def problems(lock: str, licence: Licence = installed) -> Iterator[str]:
    """What is wrong with the packages of a lock file that are meant for this machine."""
    for text in _PINNED.findall(lock):
        pinned = Requirement(text.strip())
        if pinned.marker is not None and not pinned.marker.evaluate():
            continue
        found = licence(pinned.name)
        if found is None:
            yield f"{pinned.name} is not installed, so its licence is not known"
        elif not is_allowed(found):
            said = found or "(it says none)"
            yield f"{pinned.name} has the licence {said}: allow it in dev/licences.py, or do without it"


def main(locks: Sequence[str] = LOCKS) -> int:
    """Print what is wrong; the exit code."""
    wrong = sorted({problem for lock in locks for problem in problems(Path(lock).read_text(encoding="utf-8"))})
    print("\n".join(wrong or ["Every licence is allowed."]))
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
