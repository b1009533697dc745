"""What Azure Resource Manager answers instead of a resource, as data: from its codes to what to do. Pure."""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from monitor_core.contract import ErrorClass
from monitor_worker.checks.base import CheckFailed
from monitor_worker.checks.http_answer import MEANINGS, Answer, Meaning, origin_of, printable

MEANINGS_OF_CODES: Final = {
    **MEANINGS,
    "401": Meaning(
        ErrorClass.PERMANENT,
        "it does not accept who is asking: the identity should be of the subscription's tenant, and "
        "check.endpoint of its cloud",
    ),
    "403": Meaning(
        ErrorClass.PERMANENT,
        "who is asking may not read it: give the worker's identity the role Reader on it, or on its group",
    ),
    "405": Meaning(ErrorClass.PERMANENT, "it cannot be read by GET: change check.resource_id"),
    "3xx": Meaning(ErrorClass.PERMANENT, "it is elsewhere: change check.endpoint"),
    "any": Meaning(ErrorClass.PERMANENT, "that is no answer about a resource: change check.resource_id"),
}
"""By status code, as in http_answer."""
_LONGEST_MESSAGE: Final = 300
_MOST_VERSIONS: Final = 20
_SUPPORTED: Final = re.compile(
    r"supported (?:api-)?versions are\W+((?:[0-9]{4}-[0-9]{2}-[0-9]{2}[a-z-]*\W*)+)", re.I
)
_VERSION: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:-[a-z]+)?")


class Told(NamedTuple):
    """`error` in an answer's body; empty texts where there is none."""

    code: str
    message: str


# Some of them come with 404, and are no absence of the resource: waiting would change nothing.
_MISCONFIGURED: Final[Mapping[str, str]] = {
    "invalidapiversionparameter": "change check.api_version",
    "missingapiversionparameter": "give check.api_version",
    "noregisteredproviderfound": "change check.api_version, or the type in check.resource_id",
    "unsupportedapiversion": "change check.api_version",
    "invalidresourcetype": "change the type in check.resource_id, or check.api_version",
    "invalidresourcenamespace": "change the provider in check.resource_id",
    "missingsubscriptionregistration": "register the provider in the subscription",
    "invalidsubscriptionid": "change the subscription in check.resource_id",
    "subscriptionnotfound": "change the subscription in check.resource_id, or check.endpoint to its cloud",
}


def told(body: object) -> Told:
    """What the body of an answer, decoded JSON, says is wrong."""
    error = body.get("error") if isinstance(body, dict) else None
    parts = (error.get(name) if isinstance(error, dict) else None for name in ("code", "message"))
    return Told(*(part if isinstance(part, str) else "" for part in parts))


def misconfigured(answer: Answer, error: Told) -> CheckFailed | None:
    """What can never work, whatever the status code; None where it is nothing of that kind."""
    advice = _MISCONFIGURED.get(error.code.lower())
    if advice is None:
        return None
    reason = f"{origin_of(answer)}, {error.code}: {advice}"
    return CheckFailed(ErrorClass.MISCONFIGURED, f"{reason}; {_details(error.message)}")


def is_about_the_version(error: Told) -> bool:
    """Whether another api-version may help."""
    return "check.api_version" in _MISCONFIGURED.get(error.code.lower(), "")


def _details(message: str) -> str:
    found = _SUPPORTED.search(message)
    if found is None:
        return printable(message, _LONGEST_MESSAGE)
    versions = sorted(set(_VERSION.findall(found[1])), reverse=True)
    more = ", ..." if len(versions) > _MOST_VERSIONS else ""
    return f"supported are {', '.join(versions[:_MOST_VERSIONS])}{more}"
