"""No secret leaves the worker: whatever it reports goes through here first.

What a target answers may repeat the secret that it was sent, so texts are searched for every secret that this
worker has resolved, whichever monitor it was for.
"""

import base64
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote, quote_plus

Mask = Callable[[str], str]
"""A text without its secrets."""
HIDDEN: Final = "***"
CUT: Final = "\N{HORIZONTAL ELLIPSIS}"
"""What a driver puts where it cuts a stranger's text off: the beginning of a secret before it is found."""
SHORTEST_SECRET: Final = 4
"""Characters; a shorter text is in too many others to be hidden in them."""
_SHORTEST_BEGINNING: Final = 8
_MOST_KEPT: Final = 1000


class Masker:
    """The secrets of this worker, and how a text is freed of them. Safe on any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._forms: dict[str, None] = {}

    def add(self, secret: str) -> None:
        """Hide `secret` from now on, also as it stands in a URL, in JSON and in base64."""
        with self._lock:
            for form in _forms(secret):
                self._forms.pop(form, None)
                self._forms[form] = None
            # Access tokens come and go: those of long ago are worth nothing any more.
            while len(self._forms) > _MOST_KEPT:
                del self._forms[next(iter(self._forms))]

    def __call__(self, text: str) -> str:
        """`text` with every secret in it replaced, and the beginning of one that was cut off."""
        with self._lock:
            forms = sorted(self._forms, key=len, reverse=True)
        for form in forms:
            text = text.replace(form, HIDDEN)
        return CUT.join(_without_beginning(piece, forms) for piece in text.split(CUT))


def masked(value: Any, mask: Mask) -> Any:
    """JSON data with every text in it masked, names too."""
    match value:
        case str():
            return mask(value)
        case Mapping():
            return {mask(str(name)): masked(inner, mask) for name, inner in value.items()}
        case list() | tuple():
            return [masked(inner, mask) for inner in value]
        case _:
            return value


def _forms(secret: str) -> Iterator[str]:
    if len(secret) < SHORTEST_SECRET:
        raise ValueError(f"a secret should have at least {SHORTEST_SECRET} characters")
    encoded = secret.encode()
    yield from {
        secret,
        quote(secret, safe=""),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        base64.b64encode(encoded).decode(),
        base64.urlsafe_b64encode(encoded).decode().rstrip("="),
    }


def _without_beginning(text: str, forms: list[str]) -> str:
    for form in forms:
        start = text.find(form[:_SHORTEST_BEGINNING], max(len(text) - len(form), 0))
        while start >= 0:
            if form.startswith(text[start:]):
                return text[:start] + HIDDEN
            start = text.find(form[:_SHORTEST_BEGINNING], start + 1)
    return text
