"""How numbers are written, on the command line and in files: as in JSON and YAML.

Python reads more: 1_000, the digits of other scripts, spaces around them, nan.
"""

import re
from typing import Final

_MOST_DIGITS: Final = 1000
"""Python reads no longer whole number; as a float it is infinite, which no field takes."""
# Possessive: what is long and no number after all takes linear time.
_WHOLE: Final = re.compile(r"[-+]?[0-9]++")
_NUMBER: Final = re.compile(r"[-+]?([0-9]++\.?+[0-9]*+|\.[0-9]++)([eE][-+]?[0-9]++)?")


def number_in(text: str) -> int | float | None:
    """The number that a text is, or None where it is none."""
    if len(text) <= _MOST_DIGITS and _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else None
