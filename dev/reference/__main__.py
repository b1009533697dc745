"""Writes the generated pages: `python -m reference`, with dev and services/shared on the path."""

from pathlib import Path

from reference import PAGES

ROOT = Path(__file__).parents[2]

for path, text in PAGES.items():
    (ROOT / path).write_text(text(), encoding="utf-8")
    print(path)
