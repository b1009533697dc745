"""What an operator tells a running monitor: one external event, `control`, that carries a typed command."""

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from monitor_core.contract.base import Model, Problem, RequestError, Utc, problems_of

CommandId = Annotated[str, Field(min_length=1, max_length=64)]


class _Command(Model):
    id: CommandId = Field(description="Chosen by the sender; a command sent twice is applied once.")
    reason: str | None = Field(None, max_length=200)


class Cancel(_Command):
    """End the monitor as Cancelled."""

    name: Literal["cancel"] = "cancel"


class CheckNow(_Command):
    """Make the next check at once, and count the schedule from it."""

    name: Literal["check_now"] = "check_now"


Command = Annotated[Cancel | CheckNow, Field(discriminator="name")]
_ADAPTER: TypeAdapter[Cancel | CheckNow] = TypeAdapter(Command)


class CommandOutcome(Model):
    """What became of a command."""

    id: str
    name: str
    at: Utc
    accepted: bool
    message: str = Field(max_length=200)


def parse_command(data: Any) -> Cancel | CheckNow:
    """The command in an event's payload.

    Raises:
        RequestError: the payload is no command that this version knows.
    """
    try:
        return _ADAPTER.validate_python(data)
    except ValidationError as error:
        raise RequestError(problems_of(error, "command") or [Problem("command", "cannot be read")]) from error
