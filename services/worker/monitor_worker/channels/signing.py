"""What Standard Webhooks adds to a request: who sent it, when, and as which notice. Pure.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import string
from collections.abc import Iterable
from datetime import datetime
from typing import Final
from urllib.parse import quote

from standardwebhooks import Webhook

from monitor_core.contract import ErrorClass
from monitor_worker.channels.base import CheckFailed

_PREFIX: Final = "whsec_"
_KEY_BYTES: Final = range(24, 64 + 1)
_SAFE: Final = string.punctuation.translate(str.maketrans("", "", '"%'))


def signer(reference: str, secret: str) -> Webhook:
    """What signs with a secret.

    Args:
        reference: what messages call the secret.
        secret: `whsec_` and the base64 of its key.

    Raises:
        CheckFailed: it is no such secret.
    """
    key = _decoded(secret.removeprefix(_PREFIX))
    if not secret.startswith(_PREFIX) or len(key) not in _KEY_BYTES:
        form = f"{_PREFIX} and the base64 of {_KEY_BYTES.start} to {_KEY_BYTES.stop - 1} random bytes, no more"
        reason = f"{reference} holds no secret to sign with: it should be {form}"
        raise CheckFailed(ErrorClass.MISCONFIGURED, reason)
    return Webhook(key)


def _decoded(text: str) -> bytes:
    # As the library, padded or not; but that leaves out what is no base64, and signs with the rest.
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        return b""


def stamp(notice_id: str, sent: datetime, body: bytes, signers: Iterable[Webhook]) -> dict[str, str]:
    """The headers of one attempt.

    Args:
        notice_id: of any characters.
        sent: now, in UTC.
        body: the very bytes that are sent; UTF-8.
        signers: one signature each; without any it is unsigned.
    """
    name = _name(notice_id)
    headers = {"webhook-id": name, "webhook-timestamp": str(int(sent.timestamp()))}
    if signatures := [each.sign(name, sent, body.decode()) for each in signers]:
        headers["webhook-signature"] = " ".join(signatures)
    return headers


def _name(notice_id: str) -> str:
    # As CloudEvents has an id in a header; and without a full stop, which in what is signed would let an id that a
    # user chose run into the time.
    return quote(notice_id, safe=_SAFE).replace(".", "%2E")
