"""What a job shows at an elapsed time, and what its n-th GET is answered: pure rules, no clock, no I/O."""

from datetime import datetime, timedelta
from typing import Annotated, Final, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic.alias_generators import to_camel

YEAR: Final = 366 * 24 * 3600
FINAL: Final = ("Succeeded", "Failed", "Canceled")

Seconds = Annotated[float, Field(ge=0, le=YEAR, allow_inf_nan=False)]
WholeSeconds = Annotated[int, Field(ge=0, le=YEAR)]
Count = Annotated[int, Field(ge=0, le=1_000_000)]
ErrorCode = Annotated[int, Field(ge=400, le=599)]
Step = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9 _.-]{0,63}$")]
JobId = Annotated[str, Field(min_length=1, max_length=256)]


class Behaviour(BaseModel):
    """How long a job takes, how it ends, and how badly its GETs are answered meanwhile. All in one set of fields.

    Flapping is `fail_first` or `fail_every`, or both; always an error is `status_code`; slow is
    `delay_seconds`, which goes with any of them; `hang` goes with none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    duration_seconds: Seconds = Field(5.0, description="From the creation to the outcome.")
    outcome: Literal["Succeeded", "Failed", "Canceled"] = "Succeeded"
    steps: tuple[Step, ...] = Field(
        ("NotStarted", "Running"),
        max_length=100,
        description="The states before the outcome, each for an equal part of the duration.",
    )
    retry_after_seconds: WholeSeconds | None = Field(
        1, description="Retry-After while the job is in progress; null: no such header."
    )
    fail_first: Count = Field(0, description="The first so many GETs are answered with fail_status_code.")
    fail_every: Annotated[Count, Field(ge=1)] | None = Field(
        None, description="Every so many GETs, one is answered with fail_status_code."
    )
    fail_status_code: ErrorCode = Field(503, description="What a failing GET of a flapping job is answered.")
    status_code: ErrorCode | None = Field(None, description="What every GET is answered, instead of the job.")
    error_retry_after_seconds: WholeSeconds | None = Field(
        None, description="Retry-After of those errors; null: no such header."
    )
    delay_seconds: Annotated[Seconds, Field(le=3600)] = Field(
        0.0, description="Between the arrival of a GET and its answer."
    )
    hang: bool = Field(False, description="GETs are never answered.")

    @field_validator("steps")
    @classmethod
    def _before_the_outcome(cls, steps: tuple[str, ...]) -> tuple[str, ...]:
        if not steps:
            raise ValueError("should name at least one state")
        if final := [step for step in steps if step in FINAL]:
            raise ValueError(f"should name states before the outcome; {final[0]} is one")
        return steps

    @model_validator(mode="after")
    def _one_kind_of_error(self) -> Self:
        flapping = self.fail_first > 0 or self.fail_every is not None
        if self.status_code is not None and flapping:
            raise ValueError("status_code answers every GET: take fail_first and fail_every away, or it")
        if self.hang and (flapping or self.status_code is not None or self.delay_seconds > 0):
            raise ValueError(
                "hang answers no GET: take status_code, fail_first, fail_every and delay_seconds away, or it"
            )
        return self


class NewJob(Behaviour):
    """The body of POST /jobs."""

    id: JobId | None = Field(None, description="Made by the simulator where it is absent.")

    @field_validator("id")
    @classmethod
    def _addressable(cls, job_id: str | None) -> str | None:
        return None if job_id is None else addressable(job_id)


def addressable(job_id: str) -> str:
    """`job_id` itself, if a URL can carry it.

    Raises:
        ValueError: clients would change or drop it on the way.
    """
    if not job_id.isprintable() or job_id != job_id.strip() or {".", ".."} & set(job_id.split("/")):
        raise ValueError('should be printable, with no space at either end and no part "." or ".."')
    return job_id


class OperationError(BaseModel):
    """Why a job failed."""

    code: str
    message: str


class Result(BaseModel):
    """What a job that succeeded leaves behind."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True)

    duration_seconds: float
    steps: tuple[str, ...]


class Operation(BaseModel):
    """The Azure operation form. What is None is absent on the wire; times are UTC."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True)

    id: str
    name: str
    status: str
    percent_complete: int = Field(ge=0, le=100, description="100 only where the job succeeded.")
    start_time: datetime
    end_time: datetime | None = None
    error: OperationError | None = None
    properties: Result | None = None


class Answer(NamedTuple):
    """How a GET is answered: the status code, and Retry-After in seconds (None: no such header)."""

    code: int
    retry_after: int | None


def is_over(behaviour: Behaviour, elapsed: float) -> bool:
    """Whether the outcome stands `elapsed` seconds after the job's creation."""
    return elapsed >= behaviour.duration_seconds


def answer(behaviour: Behaviour, nth: int, elapsed: float) -> Answer:
    """How the `nth` GET (counted from 1) is answered, `elapsed` seconds after the job's creation."""
    if behaviour.status_code is not None:
        return Answer(behaviour.status_code, behaviour.error_retry_after_seconds)
    if nth <= behaviour.fail_first or (behaviour.fail_every is not None and nth % behaviour.fail_every == 0):
        return Answer(behaviour.fail_status_code, behaviour.error_retry_after_seconds)
    return Answer(200, None if is_over(behaviour, elapsed) else behaviour.retry_after_seconds)


def operation(job_id: str, behaviour: Behaviour, started: datetime, elapsed: float) -> Operation:
    """The job as it stands `elapsed` seconds after its creation at `started`."""
    seconds, outcome = behaviour.duration_seconds, behaviour.outcome
    shown = Operation(
        id=job_id, name=job_id, status=outcome, percent_complete=_percent(behaviour, elapsed), start_time=started
    )
    if not is_over(behaviour, elapsed):
        return shown.model_copy(update={"status": _step(behaviour, elapsed)})
    ended: dict[str, object] = {"end_time": started + timedelta(seconds=seconds)}
    if outcome == "Failed":
        message = f"Job {job_id} failed after {seconds:g} s, as it was asked to."
        ended["error"] = OperationError(code="JobFailed", message=message)
    if outcome == "Succeeded":
        ended["properties"] = Result(duration_seconds=seconds, steps=behaviour.steps)
    return shown.model_copy(update=ended)


def _step(behaviour: Behaviour, elapsed: float) -> str:
    # Rounding can bring the quotient of an elapsed time just below the duration up to 1.
    index = int(max(elapsed, 0.0) / behaviour.duration_seconds * len(behaviour.steps))
    return behaviour.steps[min(index, len(behaviour.steps) - 1)]


def _percent(behaviour: Behaviour, elapsed: float) -> int:
    if is_over(behaviour, elapsed):
        return 100 if behaviour.outcome == "Succeeded" else 99
    return min(int(max(elapsed, 0.0) / behaviour.duration_seconds * 100), 99)
