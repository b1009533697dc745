"""The last net before a log line leaves: secrets that are known, and what looks like one."""

import re
from collections.abc import Callable
from typing import Final

Mask = Callable[[str], str]
"""A text without the secrets that somebody knows of."""
HIDDEN: Final = "***"
_LOOKS_LIKE_ONE: Final = re.compile(
    r"""
    (?P<header>\b(?:proxy-)?authorization["']?\s*[:=]\s*["']?(?:(?:bearer|basic|sharedkey\w*|negotiate)\s+)?)[^\s"',;]+
    | (?P<scheme>\bbearer\s+)[A-Za-z0-9._~+/-]{16,}=*
    | (?P<query>[?&;](?:sig|sv_sig|code|access_token|api[-_]?key|client_secret|password)=)[^&\s"'<>]+
    | (?P<pair>\b(?:AccountKey|SharedAccessKey|SharedAccessSignature|InstrumentationKey|Password|Pwd)=)[^;\s"']+
    | (?P<url>\b[a-z][a-z0-9+.-]*://[^/\s:@]*:)[^/\s@]+(?=@)
    """,
    re.VERBOSE | re.IGNORECASE,
)


def redacted(text: str, mask: Mask) -> str:
    """`text` without known secrets, and without credentials in the forms that they usually stand in."""
    return _LOOKS_LIKE_ONE.sub(lambda found: f"{found[found.lastgroup or 0]}{HIDDEN}", mask(text))
