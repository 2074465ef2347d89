"""Secrets and signatures, as Standard Webhooks has them (standardwebhooks.com, 1.0.0).

A signature needs the secret itself, so a hash of it would not do. It is derived from the core's own
key and the subscription's salt: it is stored nowhere, and a leaked database signs nothing.
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

PREFIX = "whsec_"


@dataclass(frozen=True, slots=True)
class Secrets:
    """`key` is BOTCORE_SECRET_KEY; with another one all secrets are others."""

    key: bytes = field(repr=False)

    def of(self, subscription_id: UUID, salt: UUID) -> str:
        """The secret as it is shown, once, to whoever receives."""
        return PREFIX + base64.b64encode(self._raw(subscription_id, salt)).decode()

    def headers(
        self,
        subscription_id: UUID,
        salts: Sequence[UUID],
        webhook_id: UUID,
        *,
        moment: int,
        body: bytes,
    ) -> dict[str, str]:
        """Of one request at `moment`, in seconds since 1970; the first of `salts` signs first."""
        content = f"{webhook_id}.{moment}.".encode() + body
        codes = [
            hmac.digest(self._raw(subscription_id, salt), content, hashlib.sha256) for salt in salts
        ]
        return {
            "Content-Type": "application/json",
            "webhook-id": str(webhook_id),
            "webhook-timestamp": str(moment),
            "webhook-signature": " ".join(
                f"v1,{base64.b64encode(code).decode()}" for code in codes
            ),
        }

    def _raw(self, subscription_id: UUID, salt: UUID) -> bytes:
        context = b"webhook:" + subscription_id.bytes + salt.bytes
        return hmac.digest(self.key, context, hashlib.sha256)
