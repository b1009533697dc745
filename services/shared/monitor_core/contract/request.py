"""What a user asks for: which check, under which conditions, how often and for how long."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, JsonValue, ValidationError, field_validator, model_validator

from monitor_core.contract.base import Model, Problem, RequestError, problems_of
from monitor_core.kinds.base import CheckSpec

YEAR = 366 * 24 * 3600
LONGEST_TURN_SECONDS = 60.0
LONGEST_JOB_ID = 384
"""Bytes of a job id as UTF-8: it stands in the custom status, which is small."""


Seconds = Annotated[float, Field(strict=True, allow_inf_nan=False)]
"""A number; bounds added to it stand in the JSON Schema too, which no validator of our own may come before."""
Interval = Annotated[Seconds, Field(ge=0.1, le=YEAR)]
Expression = Annotated[str, Field(min_length=1, max_length=2000)]
LABEL_NAME = r"^[A-Za-z0-9]([A-Za-z0-9._/-]{0,61}[A-Za-z0-9])?$"
LabelName = Annotated[str, Field(pattern=LABEL_NAME)]
LabelValue = Annotated[str, Field(max_length=256)]


class Polling(Model):
    """How often the check is made. Tick k is due at `anchor + offset(k)`; see monitor_core.schedule."""

    interval_seconds: Interval = Field(5.0, description="Seconds between the starts of two checks.")
    backoff: float = Field(
        1.0,
        ge=1,
        le=10,
        allow_inf_nan=False,
        description="Factor by which the interval grows after each check.",
    )
    max_interval_seconds: Interval | None = Field(None, description="What the growing interval is capped at.")
    jitter: float = Field(
        0.0, ge=0, lt=1, description="Largest delay of a check, as a part of the interval that follows it."
    )
    turn_seconds: Literal["auto"] | Annotated[Seconds, Field(ge=0, le=LONGEST_TURN_SECONDS)] = Field(
        "auto",
        description="How long one activity may go on checking; auto: 15 if the interval is under 5, else 0.",
    )
    honor_retry_after: bool = Field(True, description="Wait at least as long as the target's Retry-After asks.")

    @model_validator(mode="after")
    def _cap_is_not_below_the_interval(self) -> Self:
        if self.max_interval_seconds is not None and self.max_interval_seconds < self.interval_seconds:
            raise ValueError("max_interval_seconds should not be below interval_seconds")
        return self


class Tolerance(Model):
    """How much bad luck a monitor bears, and how sure a success has to be."""

    consecutive_errors: int = Field(
        3, ge=0, le=1_000_000, description="Transient errors in a row that are borne; one more ends as Error."
    )
    consecutive_successes: int = Field(
        1, ge=1, le=1000, description="Checks in a row for which success_when has to hold."
    )


class MonitorRequest(Model):
    """One wait. `check` is validated by its kind's spec: build a request with `parse_request`."""

    job_id: str = Field(min_length=1, max_length=128, description="The user's own name of what is waited for.")
    check: Mapping[str, JsonValue] = Field(description="The check: its kind, and that kind's fields.")
    success_when: Expression | None = Field(None, description="CEL; Completed when it holds.")
    failure_when: Expression | None = Field(None, description="CEL; Failed when it holds. Wins where both hold.")
    polling: Polling = Polling()
    timeout_seconds: Annotated[Seconds, Field(ge=0, le=YEAR)] = Field(
        30.0, description="From the start to the deadline; one last check is made at the deadline."
    )
    check_timeout_seconds: Annotated[Seconds, Field(gt=0, le=60)] = Field(
        10.0, description="How long one check may take."
    )
    tolerance: Tolerance = Tolerance()
    labels: dict[LabelName, LabelValue] = Field(
        {}, max_length=32, json_schema_extra={"propertyNames": {"pattern": LABEL_NAME}}
    )

    @field_validator("job_id")
    @classmethod
    def _printable(cls, job_id: str) -> str:
        if not job_id.isprintable() or job_id != job_id.strip():
            raise ValueError("should be printable, with no space at either end")
        if len(job_id.encode()) > LONGEST_JOB_ID:
            raise ValueError(f"should be at most {LONGEST_JOB_ID} bytes long as UTF-8")
        return job_id


def parse_request(data: object, kinds: Mapping[str, type[CheckSpec]]) -> MonitorRequest:
    """The request that `data` (decoded JSON or YAML) describes, its check validated by the spec of its kind.

    The check keeps only what differs from its kind's defaults, so that two ways to ask the same are the same.

    Raises:
        RequestError: names every field that is wrong, and why.
    """
    problems: list[Problem] = []
    if isinstance(data, MonitorRequest):
        data = data.model_dump(mode="json")
    try:
        request = MonitorRequest.model_validate(data)
    except ValidationError as error:
        problems += problems_of(error)
        request = None
    check = data.get("check") if isinstance(data, Mapping) else None
    spec = _parse_check(check, kinds, problems) if isinstance(check, Mapping) else None
    if request is None or spec is None or problems:
        raise RequestError(problems)
    return request.model_copy(update={"check": spec.as_wire()})


def _parse_check(
    check: Mapping[str, Any], kinds: Mapping[str, type[CheckSpec]], problems: list[Problem]
) -> CheckSpec | None:
    kind = check.get("kind")
    if not isinstance(kind, str) or kind not in kinds:
        known = ", ".join(sorted(kinds))
        problems.append(
            Problem("check.kind", f"should be one of {known} (got {kind!r})" if kind else "is required")
        )
        return None
    try:
        return kinds[kind].model_validate(dict(check))
    except ValidationError as error:
        problems += problems_of(error, "check")
        return None


def fingerprint(request: MonitorRequest) -> str:
    """A hash of what is asked, equal for equal requests; a field at its default does not count."""
    canonical = json.dumps(_explicit(request), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def differing_fields(one: MonitorRequest, other: MonitorRequest) -> list[str]:
    """The dotted paths of the fields in which two requests differ."""
    left, right = dict(_leaves(_explicit(one))), dict(_leaves(_explicit(other)))
    return sorted(path for path in left.keys() | right.keys() if left.get(path) != right.get(path))


def _explicit(request: MonitorRequest) -> dict[str, Any]:
    return request.model_dump(mode="json", exclude_defaults=True)


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if not isinstance(value, dict) or not value:
        yield path, json.dumps(value)  # as text, 1 and true differ
        return
    for key, inner in value.items():
        yield from _leaves(inner, f"{path}.{key}" if path else key)


def request_schema(kinds: Mapping[str, type[CheckSpec]]) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a request whose check is of one of `kinds`."""
    schema = MonitorRequest.model_json_schema()
    definitions = schema.setdefault("$defs", {})
    for kind, spec in sorted(kinds.items()):
        # Below the kind's name: two kinds may call a part of theirs the same.
        check = spec.model_json_schema(ref_template=f"#/$defs/{kind}-{{model}}")
        definitions.update({f"{kind}-{name}": part for name, part in check.pop("$defs", {}).items()})
        definitions[f"check-{kind}"] = {**check, "required": sorted({"kind", *check.get("required", [])})}
    schema["properties"]["check"] = {
        "description": "What is looked at.",
        "oneOf": [{"$ref": f"#/$defs/check-{kind}"} for kind in sorted(kinds)],
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
