"""Asks a served app as a program does, and keeps what it answers."""

import json
from dataclasses import dataclass
from typing import Any

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from support.closing import connections_closed


@dataclass
class Answer:
    status: int
    headers: CIMultiDict[str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def problem(self) -> Any:
        """The problem details; fails where the answer is none, or not a whole one."""
        assert self.headers["Content-Type"] == "application/problem+json", self.text
        said = self.json
        assert (said["status"], bool(said["title"]), bool(said["detail"])) == (self.status, True, True)
        assert self.headers["X-Content-Type-Options"] == "nosniff", "the headers are on every answer"
        return said


async def ask(method: str, url: str, body: Any = None, *, data: bytes | None = None, **headers: str) -> Answer:
    """One request; `body` is sent as JSON, `data` as it is. The URL is sent as it stands."""
    sent = json.dumps(body).encode() if body is not None else data
    more = {"Content-Type": "application/json"} if sent is not None else {}
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    async with (
        connections_closed(),
        aiohttp.ClientSession() as http,
        http.request(
            method, URL(url, encoded=True), data=sent, headers={**more, **names}, allow_redirects=False
        ) as answer,
    ):
        return Answer(answer.status, CIMultiDict(answer.headers), await answer.text())
