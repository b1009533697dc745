"""What every kind of check says about itself."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict


class Variable(NamedTuple):
    """A CEL variable that the conditions of a kind may use."""

    type: Literal["bool", "int", "double", "string", "dyn", "map(string, string)"]
    description: str


class CheckSpec(BaseModel):
    """The fields of one kind of check; a subclass fixes `kind` and the class variables below."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    variables: ClassVar[Mapping[str, Variable]]
    """What the conditions see. Reading a variable that an observation lacks is an error of the condition."""
    natural_success: ClassVar[str | None] = None
    """CEL; used where the request has neither success_when nor failure_when."""
    natural_failure: ClassVar[str | None] = None

    needs: ClassVar[str | None] = None
    """The package that the driver needs beyond what every worker has, as pip knows it."""
    example: ClassVar[Mapping[str, Any]]
    """A request of this kind for the documentation, without `job_id`; a test of the kind runs it."""

    kind: str

    def as_wire(self) -> dict[str, Any]:
        """The check as it stands in a request: its kind, and what differs from the kind's defaults."""
        return {"kind": self.kind, **self.model_dump(mode="json", exclude_defaults=True, exclude={"kind"})}


Kinds = Mapping[str, type[CheckSpec]]
"""The kinds of check that there are, by name."""
