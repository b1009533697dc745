"""The requests of one HTTP check: the first one, and what a redirect makes of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Self
from urllib.parse import unquote

from multidict import CIMultiDict
from opentelemetry import propagate
from pydantic import JsonValue
from yarl import URL

from monitor_core import __version__
from monitor_core.contract import ErrorClass
from monitor_core.kinds.http import HttpCheck
from monitor_worker.checks.base import CheckFailed
from monitor_worker.checks.masking import CUT

REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_DEFAULT_HEADERS: Final = {
    "User-Agent": f"durable-monitor/{__version__}",
    "Accept": "application/json, */*;q=0.5",
}
_LONGEST_URL_SHOWN: Final = 300


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent.

    Args:
        method: GET, say.
        url: where to; never with credentials in it.
        headers: the spec's own, as long as they may be sent.
        body: None for none.
        content_type: the body's, where the headers have none.
        authorization: headers that say who is asking: for the URL's own origin, and for nobody's eyes.
        preconditions: headers about an earlier answer of this very URL.
    """

    method: str
    url: URL
    headers: Mapping[str, str]
    body: bytes | None = None
    content_type: str | None = None
    authorization: Mapping[str, str] = field(default_factory=dict, repr=False)
    preconditions: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def get(cls, url: str, headers: Mapping[str, str]) -> Self:
        """A GET.

        Raises:
            CheckFailed: the URL cannot be asked.
        """
        try:
            target = URL(url)
            target.origin()  # raises where it has no host
        except ValueError as error:
            raise CheckFailed(ErrorClass.MISCONFIGURED, f"check.url cannot be asked: {error}") from None
        return cls("GET", target, headers)

    @classmethod
    def first(cls, spec: HttpCheck) -> Self:
        """The request that a spec describes.

        Raises:
            CheckFailed: its URL cannot be asked.
        """
        body, content_type = _encoded(spec.body)
        asked = cls.get(spec.url, spec.headers)
        return replace(asked, method=spec.method, body=body, content_type=content_type)

    def all_headers(self, request_id: str) -> CIMultiDict[str]:
        """The headers to send: the spec's over the defaults, and over all those that authorise."""
        headers = CIMultiDict(_DEFAULT_HEADERS)
        headers["x-ms-client-request-id"] = request_id
        propagate.inject(headers)  # traceparent, where there is a trace
        if self.content_type:
            headers["Content-Type"] = self.content_type
        for more in (self.headers, self.preconditions, self.authorization):
            headers.update(more)
        return headers

    def redirected(self, code: int, location: str | None) -> Self:
        """The request that follows a redirect.

        Args:
            code: 301, 302, 303, 307 or 308.
            location: the header, if the answer has it.

        Raises:
            CheckFailed: it leads nowhere, or from https to http.
        """
        moved = replace(self, url=self._target(location), preconditions={})
        if moved.url.origin() != self.url.origin():
            moved = replace(moved, headers=_without_origin(self.headers), authorization={})
        if (code == 303 and self.method != "HEAD") or (code in {301, 302} and self.method == "POST"):  # noqa: PLR2004
            kept = {name: value for name, value in moved.headers.items() if not _describes_body(name)}
            moved = replace(moved, method="GET", headers=kept, body=None, content_type=None)
        return moved

    def _target(self, location: str | None) -> URL:
        if not location:
            raise CheckFailed(ErrorClass.PERMANENT, f"{shown(self.url)} redirects without saying where to")
        try:
            target = self.url.join(URL(location)).with_user(None)
            usable = target.origin().scheme in {"http", "https"}
        except ValueError:
            usable = False
        if not usable:
            raise CheckFailed(ErrorClass.PERMANENT, f"{shown(self.url)} redirects to what is no http or https URL")
        if (self.url.scheme, target.scheme) == ("https", "http"):
            reason = f"{shown(self.url)} redirects from https to http ({shown(target)}), which is not followed"
            raise CheckFailed(ErrorClass.PERMANENT, reason)
        return target


def shown(url: URL) -> str:
    """A URL for a message: without the query, which may hold a secret; the end of a long one is CUT off."""
    # Unquoted: as it stands in its path a secret has many forms, and only some are known to what masks it.
    path = unquote(url.raw_path)
    whole = f"{url.origin()}{path if path.isprintable() else url.raw_path}"
    return whole if len(whole) <= _LONGEST_URL_SHOWN else whole[:_LONGEST_URL_SHOWN] + CUT


def _encoded(body: JsonValue) -> tuple[bytes | None, str | None]:
    if body is None:
        return None, None
    if isinstance(body, str):
        return body.encode(), "text/plain; charset=utf-8"
    return json.dumps(body, separators=(",", ":")).encode(), "application/json"


def _without_origin(headers: Mapping[str, str]) -> dict[str, str]:
    """What another origin may see of the headers: only how to read the body."""
    return {name: value for name, value in headers.items() if name.lower() == "content-type"}


def _describes_body(name: str) -> bool:
    return name.lower().startswith("content-")
