"""Secrets of subscriptions: derived from the core's own key and the subscription's salt."""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from impl.outgoing.signing import shown, signature_headers


@dataclass(frozen=True, slots=True)
class Secrets:
    """`key` is BOTCORE_SECRET_KEY; with another one all secrets are others."""

    key: bytes = field(repr=False)

    def of(self, subscription_id: UUID, salt: UUID) -> str:
        """The secret as it is shown, once, to whoever receives."""
        return shown(self._raw(subscription_id, salt))

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
        keys = [self._raw(subscription_id, salt) for salt in salts]
        signature = signature_headers(keys, str(webhook_id), moment, body)
        return {"Content-Type": "application/json", **signature}

    def _raw(self, subscription_id: UUID, salt: UUID) -> bytes:
        context = b"webhook:" + subscription_id.bytes + salt.bytes
        return hmac.digest(self.key, context, hashlib.sha256)
