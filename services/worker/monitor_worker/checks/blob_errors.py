"""What goes wrong between a check and the Blob service, as data: one table from answer to class and words."""

from datetime import datetime
from typing import Final

from azure.core.exceptions import AzureError, HttpResponseError
from yarl import URL

from monitor_core.contract import ErrorClass
from monitor_core.kinds.blob import BlobCheck
from monitor_worker.checks.blob_observation import Found
from monitor_worker.checks.failures import Failure, classified
from monitor_worker.checks.http_errors import FAILURES, check_failed
from monitor_worker.checks.http_request import shown
from monitor_worker.checks.sdk_answers import code_of, codes, server, statuses, with_patience

CAUGHT: Final[tuple[type[BaseException], ...]] = (AzureError, *FAILURES)
"""What `outcome` has words for."""

# The first row that fits counts. {who} is who asked, {code} the service's own word.
_TABLE: Final = (
    Failure(
        HttpResponseError,
        ErrorClass.PERMANENT,
        "{who} may not do this in {place} ({code}): {grant}",
        codes("AuthorizationPermissionMismatch"),
    ),
    Failure(
        HttpResponseError,
        ErrorClass.PERMANENT,
        "{place} refuses {who} ({code}): {renew}",
        codes("AuthenticationFailed", "InvalidAuthenticationInfo", "NoAuthenticationInformation"),
    ),
    Failure(
        HttpResponseError,
        ErrorClass.PERMANENT,
        "{place} refuses {who} ({code}): its network rules do not let the worker in, or {renew}",
        codes("AuthorizationFailure", "AuthorizationSourceIPMismatch", "IpAuthorizationError"),
    ),
    Failure(
        HttpResponseError,
        ErrorClass.PERMANENT,
        "{place} takes no anonymous requests ({code}): leave check.anonymous out, or give check.sas",
        codes("PublicAccessNotPermitted"),
    ),
    Failure(HttpResponseError, ErrorClass.PERMANENT, "{place} refuses {who} ({code})", statuses(401, 403)),
    Failure(
        HttpResponseError,
        ErrorClass.MISCONFIGURED,
        "{place} is no container of a Blob service ({code}): see check.account_url",
        statuses(301, 302, 303, 307, 308, 400, 404, 405),
    ),
    Failure(HttpResponseError, ErrorClass.TRANSIENT, "{place} is busy ({code})", statuses(408, 409, 429)),
    Failure(HttpResponseError, ErrorClass.TRANSIENT, "{place} is not available ({code})", server),
    Failure(AzureError, ErrorClass.TRANSIENT, "{place} gives no answer that can be used"),
)
_ABSENT: Final = frozenset({"BlobNotFound", "ResourceNotFound", "PathNotFound"})
_NO_CONTAINER: Final = frozenset({"ContainerNotFound", "ContainerBeingDeleted", "FilesystemNotFound"})


def outcome(error: BaseException, spec: BlobCheck, now: datetime) -> Found:
    """What an answer other than the one that was asked for shows.

    Args:
        error: one of CAUGHT.
        spec: what was asked for.
        now: UTC, to count a Retry-After that is a date from.

    Raises:
        CheckFailed: it shows nothing of the blobs.
    """
    # Nothing is chained: the exceptions show the URL whole, and in its query a signature.
    if isinstance(error, HttpResponseError):
        code = code_of(error)
        if code in _ABSENT:
            return Found(absent=_not_to_be_seen(spec) if spec.anonymous else None)
        if code in _NO_CONTAINER:
            return Found(absent=("No container", f"no container {spec.container}"))
        raise with_patience(classified(_TABLE, error, code=code, **_words(spec)), error, now) from None
    cause = getattr(error, "inner_exception", None) or error
    if isinstance(cause, FAILURES):
        raise check_failed(cause, shown(URL(spec.account_url))) from None
    raise classified(_TABLE, error, code="", **_words(spec)) from None


def _not_to_be_seen(spec: BlobCheck) -> tuple[str, str]:
    # The service tells a stranger no more than this.
    return "Absent", f"nothing to be seen in {spec.container}: it is not there, or it is not public"


def _words(spec: BlobCheck) -> dict[str, str]:
    place = f"{spec.account_url}/{spec.container}"
    if spec.anonymous:
        renew = grant = "it is not public; leave check.anonymous out, or give check.sas"
        return {"place": place, "who": "an anonymous request", "grant": grant, "renew": renew}
    if spec.sas is not None:
        permission = "read (r)" if spec.blob is not None else "list (l), for a whole container"
        return {
            "place": place,
            "who": f"the signature {spec.sas}",
            "grant": f"it lacks the permission {permission}",
            "renew": "the signature has expired, is not valid yet, or is not for this place",
        }
    return {
        "place": place,
        "who": "the worker's identity",
        "grant": "give it the role Storage Blob Data Reader there, which takes some minutes to have effect",
        "renew": "the token is not of the tenant that the storage account trusts",
    }
