"""What a page complains of: errors of its script, and what its content policy has refused."""

from playwright.async_api import ConsoleMessage, Error, Page

_ANSWERS = ("Failed to load resource", "net::ERR_")
"""The browser's own note of an answer that is no success: for the page to deal with."""


class Complaints:
    """Listens to a page."""

    def __init__(self, page: Page) -> None:
        self.heard: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", self._error)

    def _console(self, message: ConsoleMessage) -> None:
        is_answer = any(sign in message.text for sign in _ANSWERS)
        if message.type in {"error", "warning"} and not is_answer:
            self.heard.append(message.text)

    def _error(self, error: Error) -> None:
        self.heard.append(str(error))
