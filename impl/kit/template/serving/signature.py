"""The core's signature (Standard Webhooks): who has seen a call can neither change nor repeat it.

`pip install standardwebhooks` does the same; it is short enough to stand here.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping

TOLERANCE_SECONDS = 300
MOMENT = re.compile(r"[0-9]{1,12}", re.ASCII)


def is_signed(secret: str, headers: Mapping[str, str], content: bytes, now: float) -> bool:
    """`secret` is the signing_secret of the registration, `now` in seconds since 1970."""
    moment = headers.get("webhook-timestamp", "")
    if not MOMENT.fullmatch(moment) or abs(now - int(moment)) > TOLERANCE_SECONDS:
        return False
    head = f"{headers.get('webhook-id', '')}.{moment}."
    signed = head.encode("utf-8", "surrogateescape") + content
    key = base64.b64decode(secret.removeprefix("whsec_"))
    wanted = b"v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256))
    given = headers.get("webhook-signature", "").encode("utf-8", "surrogateescape")
    return any(hmac.compare_digest(each, wanted) for each in given.split())
