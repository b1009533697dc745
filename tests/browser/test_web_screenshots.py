"""The pictures in the docs: there, small, made of the real pages; and what is said where there is no browser."""

from pathlib import Path

import pytest
from playwright.async_api import Browser

from browser.chromium import executable
from browser.screenshots import LARGEST, PICTURES, shoot
from browser.world import World

ROOT = Path(__file__).parents[2]


def sizes_in(folder: Path) -> dict[str, int]:
    return {file.name: file.stat().st_size for file in folder.iterdir()}


@pytest.mark.asyncio(loop_scope="session")
async def test_the_pictures_of_the_docs_can_be_made_anew_and_are_small(
    browser: Browser, populated: World, tmp_path: Path
) -> None:
    await shoot(browser, populated.url, tmp_path)
    sizes = sizes_in(tmp_path)
    assert sizes.keys() == {picture.file for picture in PICTURES}
    assert all(5_000 < size < LARGEST for size in sizes.values()), sizes


def test_the_docs_show_each_of_them() -> None:
    kept = {file.name for file in (ROOT / "docs" / "screenshots").iterdir()}
    assert kept == {picture.file for picture in PICTURES}
    text = (ROOT / "docs" / "web.md").read_text()
    assert all(f"screenshots/{name}" in text for name in kept)


def test_where_there_is_no_browser_it_is_said_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(pytest.fail.Exception, match="apt-get install chromium"):
        executable(str(tmp_path))
