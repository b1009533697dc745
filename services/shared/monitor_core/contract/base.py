"""The base of every model, and how a request that cannot be accepted says so."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, ValidationError

WITHHELD = "withheld"
"""The type of an error whose value must not be repeated: it holds a secret."""
_LONGEST_SHOWN = 80
_TAGS = ("[key]", "constrained-", "function-", "literal[")


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


def problems_of(error: ValidationError, prefix: str = "", whole: str = "request") -> list[Problem]:
    """Pydantic's errors as problems, one a field, their paths below `prefix`; `whole` names what has no path."""
    reasons: dict[str, list[str]] = {}
    for detail in error.errors(include_url=False):
        reason = _reason(detail["type"], detail["msg"], detail["input"])
        reasons.setdefault(_path(prefix, detail["loc"]) or whole, []).append(reason)
    return [Problem(field, ", or ".join(several)) for field, several in reasons.items()]


def _path(prefix: str, location: tuple[int | str, ...]) -> str:
    # Pydantic adds the tag of a union's member to the path: it names no field of the user's.
    parts = [str(part) for part in location if not str(part).startswith(_TAGS)]
    return ".".join([prefix, *parts] if prefix else parts)


def _reason(kind: str, message: str, value: object) -> str:
    if kind == "missing":
        return "is required"
    if kind == "extra_forbidden":
        return "is not a known field"
    reason = message.removeprefix("Value error, ").removeprefix("Input ")
    # A value that is long, or has parts of its own, would hide the reason.
    plain = kind != WITHHELD and isinstance(value, bool | int | float | str) and len(str(value)) <= _LONGEST_SHOWN
    return f"{reason} (got {value!r})" if plain else reason
