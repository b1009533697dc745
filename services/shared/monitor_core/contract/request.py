"""What a user asks for: which check, under which conditions, how often and for how long."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import Field, JsonValue, ValidationError, field_validator, model_validator

from monitor_core import channels
from monitor_core.contract.base import Model, Problem, RequestError
from monitor_core.contract.bounds import too_deep, too_large
from monitor_core.contract.notification import MOST_NOTIFICATIONS, Notification
from monitor_core.contract.wording import fields_of, problems_of
from monitor_core.kinds.base import CheckSpec
from monitor_core.specs import Spec

YEAR = 366 * 24 * 3600
LONGEST_TURN_SECONDS = 60.0
LONGEST_JOB_ID = 384
"""Bytes of a job id as UTF-8: it stands in the custom status, which is small."""


S = TypeVar("S", bound=Spec)
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
        {},
        max_length=32,
        json_schema_extra={"propertyNames": {"pattern": LABEL_NAME}},
        description="Names, of up to 63 letters, digits, '.', '_', '/' and '-' within, each with a text.",
    )
    on_verdict: tuple[Notification, ...] = Field(
        (), max_length=MOST_NOTIFICATIONS, description="Who is told of the verdict, and of what else."
    )
    callback: bool = Field(
        False,
        description="Give out a token, once, by which the system that does the job may tell how it ended.",
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
    """The request that `data` (decoded JSON or YAML) describes, check and channels validated by their specs.

    They keep only what differs from their kinds' defaults, so that two ways to ask the same are the same.

    Raises:
        RequestError: names every field that is wrong, and why.
    """
    problems: list[Problem] = []
    if isinstance(data, MonitorRequest):
        data = data.model_dump(mode="json")
    if deep := too_deep(data):
        raise RequestError(deep)
    try:
        request = MonitorRequest.model_validate(data)
    except ValidationError as error:
        problems += problems_of(error, fields=_known_fields(data, kinds))
        request = None
    given = data if isinstance(data, Mapping) else {}
    check = _parse_spec(given.get("check"), kinds, "check", problems)
    told = [_parse_spec(to, channels.BUILT_IN, path, problems) for path, to in _channels(given.get("on_verdict"))]
    if request is None or check is None or problems:
        raise RequestError(problems)
    notified = tuple(
        notification.model_copy(update={"to": spec.as_wire()})
        for notification, spec in zip(request.on_verdict, told, strict=True)
        if spec is not None
    )
    request = request.model_copy(update={"check": check.as_wire(), "on_verdict": notified})
    if large := too_large(_explicit(request)):
        raise RequestError(large)
    return request


def _channels(notifications: object) -> Iterator[tuple[str, object]]:
    """Each channel that is asked for, with its path."""
    for position, notification in enumerate(notifications if isinstance(notifications, list | tuple) else ()):
        if isinstance(notification, Mapping):
            yield f"on_verdict.{position}.to", notification.get("to")


def _parse_spec(given: object, kinds: Mapping[str, type[S]], path: str, problems: list[Problem]) -> S | None:
    """What `given` describes; None, and what is wrong among `problems`, where that is nothing."""
    if not isinstance(given, Mapping):
        return None  # which the model of the request says
    kind = given.get("kind")
    if not isinstance(kind, str) or kind not in kinds:
        known = ", ".join(sorted(kinds))
        reason = f"should be one of {known} (got {kind!r})" if kind else "is required"
        problems.append(Problem(f"{path}.kind", reason))
        return None
    try:
        return kinds[kind].model_validate(dict(given))
    except ValidationError as error:
        fields = dict(fields_of(MonitorRequest)) | dict(fields_of(kinds[kind], path))
        problems += problems_of(error, path, fields=fields)
        return None


def _known_fields(data: object, kinds: Mapping[str, type[CheckSpec]]) -> dict[str, str]:
    """The fields of a request, and those of its check; of a check of no kind, those of any."""
    check = data.get("check") if isinstance(data, Mapping) else None
    spec = kinds.get(str(check.get("kind"))) if isinstance(check, Mapping) else None
    found = dict(fields_of(MonitorRequest))
    for one in [spec] if spec else kinds.values():
        found.update(fields_of(one, "check"))
    return found


def fingerprint(request: MonitorRequest) -> str:
    """A hash of what is asked, equal for equal requests; a field at its default does not count."""
    canonical = json.dumps(_explicit(request), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def differences(one: MonitorRequest, other: MonitorRequest) -> dict[str, tuple[str | None, str | None]]:
    """The dotted paths of the fields that differ, and both values as JSON; None where it is the default."""
    left, right = dict(_leaves(_explicit(one))), dict(_leaves(_explicit(other)))
    paths = sorted(path for path in left.keys() | right.keys() if left.get(path) != right.get(path))
    return {path: (left.get(path), right.get(path)) for path in paths}


def differing_fields(one: MonitorRequest, other: MonitorRequest) -> list[str]:
    """The dotted paths of the fields in which two requests differ."""
    return list(differences(one, other))


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
    schema["properties"]["check"] = {
        "description": "What is looked at.",
        "oneOf": _defined("check", kinds, definitions),
    }
    definitions["Notification"]["properties"]["to"] = {
        "description": "The channel.",
        "oneOf": _defined("channel", channels.BUILT_IN, definitions),
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _defined(what: str, kinds: Mapping[str, type[Spec]], definitions: dict[str, Any]) -> list[Mapping[str, str]]:
    """References to the kinds' schemas, which are put among `definitions`."""
    for kind, spec in sorted(kinds.items()):
        # Below the kind's name: two kinds may call a part of theirs the same.
        parts = f"{kind}-" if what == "check" else f"{what}-{kind}-"
        schema = spec.model_json_schema(ref_template=f"#/$defs/{parts}{{model}}")
        definitions.update({f"{parts}{name}": part for name, part in schema.pop("$defs", {}).items()})
        definitions[f"{what}-{kind}"] = {**schema, "required": sorted({"kind", *schema.get("required", [])})}
    return [{"$ref": f"#/$defs/{what}-{kind}"} for kind in sorted(kinds)]
