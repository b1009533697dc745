"""The plain form beside the commands, and one help page for both.

typer's contexts and formatters have no public types: they are `Any` here.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from itertools import groupby
from typing import Any, Final

from typer.core import TyperCommand, TyperGroup

PLAIN_FORM: Final = ("start", "--watch", "--restart")
"""`client.py [JOB_ID] [POLLING_INTERVAL] [TIMEOUT]` is this command."""
_HELP: Final = frozenset({"--help", "-h"})
_OF_COMPLETION: Final = frozenset({"--install-completion", "--show-completion"})
_NEAR: Final = 0.75
_OTHER_OPTIONS = "Options"


class Command(TyperCommand):
    """A command whose options are listed by what they are for."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """List arguments and options."""
        _list(self.get_params(ctx), ctx, formatter)


EXIT_INTERRUPTED: Final = 130
EXIT_TERMINATED: Final = 143


class VersionAsked(Exception):
    """`--version`."""


class ReaderGone(Exception):
    """Whoever read our output has closed the pipe. typer would exit 1, which is a verdict here."""


class PlainFormGroup(TyperGroup):
    """Commands, and the plain form where the first argument is none of them."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Make the plain form the command that it stands for; its `--help` is this page."""
        if not all(_is_text(arg) for arg in args):
            ctx.fail("An argument is no text in this terminal's encoding.")
        if not ctx.resilient_parsing and args == ["--version"]:
            raise VersionAsked
        if not ctx.resilient_parsing and not self._is_ours(args):
            self._refuse_a_slip(ctx, args)
            options = args[: args.index("--")] if "--" in args else args
            args = ["--help"] if _HELP & set(options) else [*PLAIN_FORM, *args]
        return super().parse_args(ctx, args)

    def _is_ours(self, args: list[str]) -> bool:
        return bool(args) and (args[0] in self.commands or args[0] in _OF_COMPLETION)

    def _refuse_a_slip(self, ctx: Any, args: list[str]) -> None:
        """A word that is nearly a command is no job id, where it stands alone or before what is no interval.

        As one it would start a monitor of something simulated.
        """
        alone = len(args) < 2 or not (args[1].startswith("-") or _is_number(args[1]))  # noqa: PLR2004 # it and one more
        near = get_close_matches(args[0], self.commands, n=1, cutoff=_NEAR) if args and alone else []
        if near:
            job = f"for a job of that name: start {args[0]} --watch"
            ctx.fail(f"'{args[0]}' is no command: is {near[0]} meant? ({job})")

    def invoke(self, ctx: Any) -> Any:
        """Run the command.

        Raises:
            ReaderGone: in the middle of the output.
        """
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise ReaderGone from error

    def format_usage(self, ctx: Any, formatter: Any) -> None:
        """Both usages."""
        program = ctx.command_path
        formatter.write(f"Usage: {program} [JOB_ID] [POLLING_INTERVAL] [TIMEOUT] [OPTIONS]\n")
        formatter.write(f"       {program} COMMAND [ARGUMENTS] [OPTIONS]\n")

    def format_help_text(self, ctx: Any, formatter: Any) -> None:
        """The text as it is written, with the program's name in it."""
        formatter.write(f"\n{(self.help or '').replace('{program}', ctx.command_path)}\n")

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """The commands, then what the plain form takes."""
        self.format_commands(ctx, formatter)
        start = self.commands[PLAIN_FORM[0]]
        _list((one for one in start.get_params(ctx) if not _HELP & set(one.opts)), ctx, formatter)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """The text as it is written."""
        formatter.write(f"\n{self.epilog}")


def _is_number(argument: str) -> bool:
    try:
        float(argument)
    except ValueError:
        return False
    return True


def _is_text(argument: str) -> bool:
    """Whether there is no byte in it that could not be decoded."""
    return not any("\ud800" <= char <= "\udfff" for char in argument)


def _list(parameters: Iterable[Any], ctx: Any, formatter: Any) -> None:
    every = list(parameters)
    arguments = [(one.metavar, one.help) for one in every if one.param_type_name == "argument"]
    if arguments:
        with formatter.section("Arguments"):
            formatter.write_dl(arguments)
    options = (one for one in every if one.param_type_name == "option")
    for section, some in groupby(options, key=_section):
        with formatter.section(section):
            formatter.write_dl([one.get_help_record(ctx) for one in some])


def _section(option: Any) -> str:
    return getattr(option, "rich_help_panel", None) or _OTHER_OPTIONS
