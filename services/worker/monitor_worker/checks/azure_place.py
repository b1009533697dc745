"""Where an operation is to be asked about at the next check, as it stands in the monitor's checkpoint. Pure."""

import hashlib
import json
from collections.abc import Mapping

from pydantic import JsonValue

from monitor_core.contract.turn import LONGEST_CHECKPOINT
from monitor_core.kinds.azure_operation import AzureOperationCheck
from monitor_core.kinds.http_fields import plain_http
from monitor_worker.checks.masking import Mask


def recalled(spec: AzureOperationCheck, checkpoint: Mapping[str, JsonValue] | None) -> str | None:
    """The URL that an earlier check of the same operation left; None for the spec's own."""
    left = checkpoint or {}
    url = left.get("url")
    # An operator may have edited the check since: what was left is of the operation before.
    if not isinstance(url, str) or left.get("of") != _operation(spec):
        return None
    try:
        return plain_http(url)
    except ValueError:
        return None


def to_recall(spec: AzureOperationCheck, url: str, mask: Mask) -> Mapping[str, JsonValue]:
    """What to leave for the next check; empty where it is to begin at the spec's own URL.

    Args:
        spec: the operation.
        url: where it asks to be looked at from now on.
        mask: a URL that repeats a secret which this worker sent is not kept.
    """
    left = {"url": url, "of": _operation(spec)}
    keep = url != spec.url and mask(url) == url and len(json.dumps(left)) <= LONGEST_CHECKPOINT
    return left if keep else {}


def _operation(spec: AzureOperationCheck) -> str:
    return hashlib.sha256(f"{spec.rule} {spec.url}".encode()).hexdigest()[:16]
