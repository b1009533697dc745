"""What an operator tells a running monitor: one external event, `control`, that carries a typed command."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, ValidationError, model_validator

from monitor_core.contract.base import Model, Problem, RequestError, Utc
from monitor_core.contract.request import YEAR, Expression, Interval, Seconds
from monitor_core.contract.wording import fields_of, problems_of

EDITABLE: Final = ("interval_seconds", "timeout_seconds", "success_when", "failure_when")
CommandId = Annotated[str, Field(min_length=1, max_length=64)]


class _Command(Model):
    id: CommandId = Field(description="Chosen by the sender; a command sent twice is applied once.")
    reason: str | None = Field(None, max_length=200)


class Cancel(_Command):
    """End the monitor as Cancelled."""

    name: Literal["cancel"] = "cancel"


class Pause(_Command):
    """Make no check until resumed."""

    name: Literal["pause"] = "pause"
    deadline: Literal["runs", "stops"] = Field(
        "runs", description="Whether the time goes on: at the deadline a paused monitor ends as Timeout."
    )


class Resume(_Command):
    """Go on after a pause: the next check at once, the deadline moved by the pause where it had stopped."""

    name: Literal["resume"] = "resume"


class CheckNow(_Command):
    """Make the next check at once, and count the schedule from it."""

    name: Literal["check_now"] = "check_now"


class Extend(_Command):
    """Move the deadline."""

    name: Literal["extend"] = "extend"
    seconds: Annotated[Seconds, Field(gt=0, le=YEAR)] = Field(description="To add to the deadline.")


class Edit(_Command):
    """Change what is waited for, or how; the next check is made at once, by the new rules.

    A sender compiles the conditions first: one that does not compile would end the monitor as Error.
    """

    name: Literal["edit"] = "edit"
    interval_seconds: Interval | None = None
    timeout_seconds: Annotated[Seconds, Field(ge=0, le=YEAR)] | None = Field(
        None, description="From the start, as in the request; pauses that stopped the deadline count on top."
    )
    success_when: Expression | None = None
    failure_when: Expression | None = None
    if_revision: int | None = Field(None, description="Rejected unless the monitor is at this revision.")

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if not self.changes():
            raise ValueError(
                "should change at least one of interval_seconds, timeout_seconds, success_when, failure_when"
            )
        return self

    def conditions(self) -> dict[str, str]:
        """The conditions to change, by name."""
        given = {"success_when": self.success_when, "failure_when": self.failure_when}
        return {name: text for name, text in given.items() if text is not None}

    def changes(self) -> dict[str, float | str]:
        """The fields to change, by name."""
        return {name: value for name in EDITABLE if (value := getattr(self, name)) is not None}


class Complete(_Command):
    """The outside tells the outcome: end the monitor without another check."""

    name: Literal["complete"] = "complete"
    outcome: Literal["Completed", "Failed"] = "Completed"
    if_run: str | None = Field(None, max_length=64, description="Rejected unless the monitor is of this run.")


AnyCommand = Cancel | Pause | Resume | CheckNow | Extend | Edit | Complete
Command = Annotated[AnyCommand, Field(discriminator="name")]
COMMANDS: Final[Mapping[str, type[AnyCommand]]] = {
    "cancel": Cancel,
    "check_now": CheckNow,
    "complete": Complete,
    "edit": Edit,
    "extend": Extend,
    "pause": Pause,
    "resume": Resume,
}


class CommandOutcome(Model):
    """What became of a command."""

    id: str
    name: str
    at: Utc
    accepted: bool
    message: str = Field(max_length=200)


def parse_command(data: Any) -> AnyCommand:
    """The command in an event's payload.

    Raises:
        RequestError: the payload is no command that this version knows.
    """
    if not isinstance(data, Mapping):
        raise RequestError([Problem("command", "should be an object")])
    name = data.get("name")
    if not isinstance(name, str) or name not in COMMANDS:
        raise RequestError([Problem("command.name", f"should be one of {', '.join(COMMANDS)} (got {name!r})")])
    try:
        return COMMANDS[name].model_validate(data)
    except ValidationError as error:
        known = dict(fields_of(COMMANDS[name]))
        raise RequestError(problems_of(error, whole="command", fields=known)) from error
