"""docs/cli.md: what `--help` says, of the whole command line and of each command."""

from collections.abc import Iterator
from typing import Any, Final

import typer

from monitor_client.cli import app

_WIDTH: Final = 96
_HEAD: Final = """\
# The command line

<!-- Generated from monitor_client/cli.py by `make reference`: change that, not this page. -->

`python client.py` in `services/client-scheduler`, or `monitor` where the package is installed. `monitor --version`
says which release it is; `monitor --install-completion` sets up completion in your shell (bash, zsh, fish,
PowerShell).

Every failure is one line on stderr and an exit code, listed below; the answer alone goes to stdout.
"""


def cli_page() -> str:
    """The page's text."""
    group = typer.main.get_command(app)
    context = _context(group, "monitor", None)
    sections = [_HEAD, "## monitor\n", _block(group.get_help(context))]
    for name, text in _commands(group, context):
        sections += [f"## monitor {name}\n", _block(text)]
    return "\n".join(sections)


def _commands(group: Any, context: Any) -> Iterator[tuple[str, str]]:
    for name, command in group.commands.items():
        yield name, command.get_help(_context(command, name, context))


def _context(command: Any, name: str, parent: Any) -> Any:
    return command.context_class(command, info_name=name, parent=parent, terminal_width=_WIDTH)


def _block(text: str) -> str:
    return f"```text\n{text.strip()}\n```\n"
