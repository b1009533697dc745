"""What a kind says about itself, whether a kind of check or of channel: pure data, validated at the door."""

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict


class Spec(BaseModel):
    """The fields of one kind; a subclass fixes `kind` and the class variables below."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    needs: ClassVar[str | None] = None
    """The package that the driver needs beyond what every worker has, as pip knows it."""
    example: ClassVar[Mapping[str, Any]]
    """What the documentation shows; a test of the kind runs it."""

    kind: str

    def as_wire(self) -> dict[str, Any]:
        """The fields as they stand in a request: the kind, and what differs from its defaults."""
        return {"kind": self.kind, **self.model_dump(mode="json", exclude_defaults=True, exclude={"kind"})}
