"""The browser: the machine's own Chromium, without its errands to the outside."""

import shutil

import pytest
from playwright.async_api import Browser, Playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
MISSING = (
    f"the tests of the web page need a browser, and none of {', '.join(NAMES)} is on PATH: install one "
    "(Debian, Ubuntu: apt-get install chromium), or leave tests/browser out (pytest --ignore tests/browser)"
)
_QUIET = (
    "--no-sandbox",  # root has none
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def executable(path: str | None = None) -> str:
    """The browser's program, looked for on `path`, or else on PATH; the test fails where there is none."""
    found = next(filter(None, (shutil.which(name, path=path) for name in NAMES)), None)
    if found is None:
        pytest.fail(MISSING, pytrace=False)
    return found


async def launched(playwright: Playwright) -> Browser:
    """A browser with no window; the caller closes it."""
    return await playwright.chromium.launch(executable_path=executable(), args=[*_QUIET])
