"""From an answer of Azure Resource Manager about a resource to an observation. Pure."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from pydantic import JsonValue

from monitor_core.contract import ErrorClass
from monitor_core.kinds.azure_adopt import provisioning_state
from monitor_core.kinds.azure_resource import AzureResourceCheck
from monitor_worker.checks.azure_answer import in_one_case
from monitor_worker.checks.azure_errors import MEANINGS_OF_CODES, misconfigured, told
from monitor_worker.checks.base import CheckFailed, Observation
from monitor_worker.checks.http_answer import Answer, observation, origin_of, printable

_NOT_FOUND: Final = 404
_THERE: Final = ("200", "201", "202")
_ABSENT: Final = "absent"
_CODE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,63}")
_LONGEST_SUMMARY: Final = 300

Checkpoint = Mapping[str, JsonValue] | None


def pinned(spec: AzureResourceCheck, checkpoint: Checkpoint) -> str | None:
    """The api-version of the first check: in a newer one the same resource might look changed."""
    version = _left(spec, checkpoint).get("version")
    return version if isinstance(version, str) else None


def observed(
    spec: AzureResourceCheck, answer: Answer, version: str, checkpoint: Checkpoint, now: datetime
) -> Observation:
    """What an answer says of the resource.

    Args:
        spec: what was asked for.
        answer: any, whatever its code.
        version: the api-version it is in.
        checkpoint: what the check before left.
        now: UTC, to count a Retry-After that is a date from.

    Raises:
        CheckFailed: it says nothing of the resource.
    """
    seen = observation(answer, (*_THERE, str(_NOT_FOUND)), now, MEANINGS_OF_CODES)
    if (never := misconfigured(answer, told(seen.variables.get("body")))) is not None:
        raise never
    if seen.error is not None:
        raise CheckFailed(seen.error.error_class, _with_code(str(seen.error), seen), seen.retry_after_seconds)
    resource = None if answer.code == _NOT_FOUND else seen.variables.get("body")
    if answer.code != _NOT_FOUND and not isinstance(resource, dict):
        raise CheckFailed(ErrorClass.TRANSIENT, f"{origin_of(answer)} holds no resource as a JSON object")
    looks, first = _fingerprint(resource, seen.variables["headers"]), _left(spec, checkpoint).get("first")
    seen = _shown(spec, seen, resource, changed=first is not None and first != looks)
    left = {"of": _which(spec), "first": looks, "version": version}
    return replace(seen, checkpoint=left) if first is None else seen


def _shown(
    spec: AzureResourceCheck, seen: Observation, resource: dict[str, Any] | None, *, changed: bool
) -> Observation:
    found = _variables(resource) if resource is not None else {}
    state = found.get("provisioning_state", "Present") if resource is not None else "Absent"
    return replace(
        seen,
        status=printable(state),
        summary=printable(f"{state}: {seen.summary}", _LONGEST_SUMMARY),
        variables={
            "code": seen.variables["code"],
            "exists": resource is not None,
            "absent": spec.absent,
            "has_provisioning_state": "provisioning_state" in found,
            "changed": changed,
            "tags": {},
            **found,
        },
    )


def _variables(resource: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"resource": resource}
    if (properties := resource.get("properties")) is not None:
        found["properties"] = properties
    if isinstance(location := resource.get("location"), str):
        found["location"] = location
    if isinstance(tags := resource.get("tags"), dict):
        found["tags"] = {name: value for name, value in tags.items() if isinstance(value, str)}
    if isinstance(state := provisioning_state(resource), str) and state:
        found["provisioning_state"] = in_one_case(state)
    return found


def _fingerprint(resource: dict[str, Any] | None, headers: Mapping[str, str]) -> str:
    if resource is None:
        return _ABSENT
    etag = resource.get("etag") or headers.get("etag")
    return _digest(etag if isinstance(etag, str) else json.dumps(resource, sort_keys=True))


def _left(spec: AzureResourceCheck, checkpoint: Checkpoint) -> Mapping[str, JsonValue]:
    # An operator may have edited the check since: what was left is of the resource before.
    return checkpoint if checkpoint and checkpoint.get("of") == _which(spec) else {}


def _which(spec: AzureResourceCheck) -> str:
    return _digest(f"{spec.endpoint}{spec.resource_id} {spec.api_version}".lower())


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _with_code(message: str, seen: Observation) -> str:
    error = told(seen.variables.get("body"))
    # A stranger's text: only what looks like a code is shown.
    return f"{message} ({error.code})" if _CODE.fullmatch(error.code) else message
