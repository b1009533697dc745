"""The last net before a log line leaves: secrets that are known, and what looks like one."""

import re
from collections.abc import Callable
from typing import Final

Mask = Callable[[str], str]
"""A text without the secrets that somebody knows of."""
HIDDEN: Final = "***"
# Repeats that are followed by something are bounded: a stranger's long text must not take its length squared.
_LOOKS_LIKE_ONE: Final = re.compile(
    r"""
    (?P<header>\b(?:(?:proxy-)?authorization|x-(?:api|functions|identity)-(?:key|header)
        |ocp-apim-subscription-key)["']?\s*[:=,]\s*(?:b(?=["']))?["']?
        (?:(?:bearer|basic|sharedkey\w*|negotiate|token|apikey|digest)[ \t]+)?)[^\s"',;]+
    | (?P<scheme>\bbearer\s+)[A-Za-z0-9._~+/-]{16,}=*
    | (?P<query>[?&;](?:code|key)=)[^&\s"'<>]+
    | (?P<field>\b(?:sig|sv_sig|(?:access|refresh|id)_token|api[-_]?key|client_secret|password|pwd)["']?
        \s{0,3}[:=]\s{0,3}["']?)[^&;,\s"'<>]+
    | (?P<pair>\b(?:AccountKey|SharedAccessKey|SharedAccessSignature|InstrumentationKey)=)[^;\s"']+
    | (?P<url>\b[a-z][a-z0-9+.-]{0,30}://[^/\s:@"'<>]{0,100}:)[^\s"'<>]{1,500}(?=@)
    | (?P<token>\b)eyJ[\w-]{10,}\.[\w-]{10,}(?:\.[\w-]*)?
    | (?P<callback>\bdmc_)[A-Za-z0-9_-]+
    """,
    re.VERBOSE | re.IGNORECASE,
)


def redacted(text: str, mask: Mask) -> str:
    """`text` without known secrets, and without credentials in the forms that they usually stand in."""
    return _LOOKS_LIKE_ONE.sub(lambda found: f"{found[found.lastgroup or 0]}{HIDDEN}", mask(text))
