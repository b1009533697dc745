"""docs/scale.md: written by hand, but for what `plan` says, under its commands and in a table of them."""

import re
import shlex
from pathlib import Path
from typing import Any, Final

import typer

from monitor_client.cli import app
from monitor_client.plan.advice import sku_of
from monitor_client.plan.command import load_of
from monitor_client.plan.numbers import few
from monitor_client.plan.shown import plan_rows
from monitor_client.plan.sizing import Plan
from monitor_client.rows import plain

PAGE: Final = Path(__file__).parents[2] / "docs" / "scale.md"
_COMMAND: Final = re.compile(r"^```console\n\$ client\.py plan ([^\n]*)\n.*?^```$", re.MULTILINE | re.DOTALL)
_ROW: Final = re.compile(r"^\| `(--monitors [^`]*)` \|.*$", re.MULTILINE)


def scale_page(text: str | None = None) -> str:
    """The page, its plans as the command makes them now.

    Args:
        text: the page as it stands; unless given, the repository's.
    """
    page = PAGE.read_text(encoding="utf-8") if text is None else text
    return _ROW.sub(_row, _COMMAND.sub(_output, page))


def _output(found: re.Match[str]) -> str:
    said = "\n".join(plain(list(plan_rows(_plan(found[1])))))
    return f"```console\n$ client.py plan {found[1]}\n{said}\n```"


def _row(found: re.Match[str]) -> str:
    plan = _plan(found[1])
    workers = plan.replicas * plan.capacity.schedulers
    cells = [
        few(plan.checks),
        few(plan.actions),
        few(plan.actions_per_month),
        sku_of(plan.capacity),
        f"{workers:,}",
        plan.bottleneck,
    ]
    return f"| `{found[1]}` | {' | '.join(cells)} |"


def _plan(options: str) -> Plan:
    return Plan(load_of(_parameters(options)))


def _parameters(options: str) -> dict[str, Any]:
    """The options as the command line itself reads them."""
    group: Any = typer.main.get_command(app)
    context = group.commands["plan"].make_context("plan", shlex.split(options))
    parameters: dict[str, Any] = context.params
    return parameters
