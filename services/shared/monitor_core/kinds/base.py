"""What every kind of check says about itself."""

from collections.abc import Mapping
from typing import ClassVar, Literal, NamedTuple

from monitor_core.specs import Spec


class Variable(NamedTuple):
    """A CEL variable that the conditions of a kind may use."""

    type: Literal["bool", "int", "double", "string", "dyn", "map(string, string)"]
    description: str


class CheckSpec(Spec):
    """The fields of one kind of check; `example` is a request of this kind, without `job_id`."""

    variables: ClassVar[Mapping[str, Variable]]
    """What the conditions see. Reading a variable that an observation lacks is an error of the condition."""
    natural_success: ClassVar[str | None] = None
    """CEL; used where the request has neither success_when nor failure_when."""
    natural_failure: ClassVar[str | None] = None

    @property
    def server_address(self) -> str | None:
        """The host that is looked at, for traces: no path, no query. None where there is none, or it is secret."""
        return None


Kinds = Mapping[str, type[CheckSpec]]
"""The kinds of check that there are, by name."""
