"""How two requests for one job differ: what runs, and what is asked for. Bounded, and without secrets."""

from collections.abc import Iterator, Mapping
from typing import Final

from monitor_core.contract import MonitorRequest, differences

_LONGEST_SHOWN: Final = 60
_MOST_SHOWN: Final = 5
# A request holds no secret that it should not, but these may hold what their sender takes for one.
_WITHHELD: Final = ("check.headers", "check.body", "on_verdict")


def differing(runs: MonitorRequest, asked: MonitorRequest) -> dict[str, str]:
    """The dotted path of each field that differs, and how; of those that are not shown an empty text."""
    return dict(_told(differences(runs, asked)))


def _told(found: Mapping[str, tuple[str | None, str | None]]) -> Iterator[tuple[str, str]]:
    for number, (field, (runs, asked)) in enumerate(found.items()):
        if number >= _MOST_SHOWN or f"{field}.".startswith(tuple(f"{name}." for name in _WITHHELD)):
            yield field, ""
        else:
            yield field, f"{_shown(runs)} runs, {_shown(asked)} is asked for"


def _shown(value: str | None) -> str:
    if value is None:
        return "the default"
    if "://" in value and "?" in value:  # a query may hold a signature
        value = f'{value.partition("?")[0]}?..."'
    return value if len(value) <= _LONGEST_SHOWN else f"{value[:_LONGEST_SHOWN]}..."
