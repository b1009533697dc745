"""The base of every model, and how a request that cannot be accepted says so."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict


class Model(BaseModel):
    """Frozen data with no fields but its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _to_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("should be in the years 1 to 9999 as UTC") from None


Utc = Annotated[AwareDatetime, AfterValidator(_to_utc)]
"""A point in time: timezone-aware, kept as UTC, written as ISO 8601."""


class Problem(NamedTuple):
    """One thing that is wrong with a request: the field's dotted path, and the reason."""

    field: str
    reason: str

    def __str__(self) -> str:
        return f"{self.field}: {self.reason}"


class RequestError(ValueError):
    """A request that cannot be accepted; `problems` names each field and its reason."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(str(problem) for problem in self.problems))
