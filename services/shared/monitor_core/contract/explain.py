"""What one check would come to: an explanation, made without starting anything.

The orchestration `explain` takes a `MonitorInput` without progress, has one check made, and returns an
`Explanation`.
"""

from collections.abc import Mapping
from typing import Final, Literal

from pydantic import Field, JsonValue

from monitor_core.contract.base import Model, Utc
from monitor_core.contract.names import VERSION
from monitor_core.contract.turn import CheckError, ObservationSummary, TurnReport
from monitor_core.contract.verdict import Verdict

EXPLAIN: Final = f"explain-{VERSION}"
"""The orchestrator: a worker of another version does not take it, so its name needs no version beside it."""
LOOK: Final = f"look-{VERSION}"
"""The activity: one check, with everything it saw."""
EXPLAIN_PREFIX: Final = "explain-"
"""What the instance ids begin with: never those of monitors."""
LONGEST_VARIABLES: Final = 16_384
"""Characters of the variables as JSON."""


class Judgement(Model):
    """What one condition says of one observation."""

    field: Literal["success_when", "failure_when"]
    condition: str = Field(description="The CEL expression.")
    natural: bool = Field(description="Whether it is the kind's own, because the request has none.")
    holds: bool | None = Field(None, description="Null where it could not be judged.")
    problem: str | None = Field(None, max_length=1000, description="Why it could not be judged.")


class Evidence(Model):
    """The output of the activity: a turn's report, and what else the check saw."""

    report: TurnReport
    observation: ObservationSummary | None = Field(
        None, description="What was seen, also where the report says no more than its error."
    )
    variables: Mapping[str, JsonValue] | None = None
    shortened: bool = False
    judgements: tuple[Judgement, ...] = ()
    retry_after_seconds: float | None = None


class Explanation(Model):
    """What a check sees now, what the conditions say of it, and what would follow if a monitor were started."""

    job_id: str
    kind: str
    at: Utc = Field(description="When it was judged.")
    observation: ObservationSummary | None = Field(description="Null where the check saw nothing.")
    error: CheckError | None = Field(description="The check's error; null where it had none.")
    variables: Mapping[str, JsonValue] | None = Field(
        description="What the conditions see, without secrets; null where the check saw nothing."
    )
    shortened: bool = Field(description="Whether the variables are shown shortened; the conditions saw all of it.")
    conditions: tuple[Judgement, ...]
    verdict: Verdict | None = Field(description="The verdict that would follow now; null: the wait would go on.")
    reason: str = Field(description="Why there would be that verdict, or none.")
    next_check_at: Utc | None = Field(description="When the next check would be due; null after a verdict.")
    retry_after_seconds: float | None = Field(description="How long the target asks to be left alone.")
