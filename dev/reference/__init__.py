"""The pages of docs/ that are generated from the code, so that they cannot say anything else: `make reference`.

Some are whole, of some only parts.
"""

from collections.abc import Callable, Mapping
from typing import Final

from reference.api import api_page
from reference.checks import checks_page
from reference.cli import cli_page
from reference.notifications import notifications_page
from reference.scale import scale_page
from reference.settings import settings_page

PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "docs/api.md": api_page,
    "docs/checks.md": checks_page,
    "docs/cli.md": cli_page,
    "docs/notifications.md": notifications_page,
    "docs/scale.md": scale_page,
    "docs/settings.md": settings_page,
}
"""Each page's path from the repository's root, and what gives its text."""
