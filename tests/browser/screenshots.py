"""The pictures in docs/screenshots, made anew of the real pages: `make screenshots`."""

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from playwright.async_api import Browser, async_playwright

from browser.chromium import launched
from browser.scenes import SCENES, populate
from browser.world import world

LARGEST: Final = 100_000
"""Bytes: they are kept in the repository."""
_WIDE: Final = {"width": 960, "height": 680}
_SMALL: Final = {"width": 380, "height": 720}


@dataclass(frozen=True)
class Picture:
    """A scene as one picture."""

    scene: str
    small_and_dark: bool = False

    @property
    def file(self) -> str:
        """Its name."""
        return f"{self.scene}{'-small-dark' if self.small_and_dark else ''}.png"


PICTURES: Final = (
    Picture("list"),
    Picture("monitor"),
    Picture("monitor-failed", small_and_dark=True),
    Picture("start-explained"),
)


async def shoot(browser: Browser, url: str, folder: Path) -> None:
    """Make every picture of a populated world."""
    scenes = {scene.name: scene for scene in SCENES}
    for picture in PICTURES:
        small = picture.small_and_dark
        look: dict[str, Any] = {
            "color_scheme": "dark" if small else "light",
            "viewport": _SMALL if small else _WIDE,
        }
        context = await browser.new_context(**look, timezone_id="UTC", locale="en-GB", reduced_motion="reduce")
        page = await context.new_page()
        await scenes[picture.scene].enter(page, url)
        await page.screenshot(path=folder / picture.file, animations="disabled")
        await context.close()


async def _main(folder: Path) -> None:
    with world() as parts:
        populate(parts)
        async with async_playwright() as playwright:
            browser = await launched(playwright)
            await shoot(browser, parts.url, folder)
            await browser.close()


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1])))
