"""Signatures of what goes out, as Standard Webhooks has them (standardwebhooks.com, 1.0.0).

A signature needs the secret itself, so a hash of it would not do: secrets are derived where they
are needed and stored nowhere, and a leaked database signs nothing.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable

PREFIX = "whsec_"


def shown(key: bytes) -> str:
    """A key as whoever receives writes it."""
    return PREFIX + base64.b64encode(key).decode()


def signature_headers(
    keys: Iterable[bytes], webhook_id: str, moment: int, body: bytes
) -> dict[str, str]:
    """Of one request at `moment`, in seconds since 1970; the first of `keys` signs first."""
    content = f"{webhook_id}.{moment}.".encode() + body
    codes = [hmac.digest(key, content, hashlib.sha256) for key in keys]
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(moment),
        "webhook-signature": " ".join(f"v1,{base64.b64encode(code).decode()}" for code in codes),
    }
