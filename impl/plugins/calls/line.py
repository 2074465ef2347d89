"""What is kept of a plugin from call to call."""

import base64
import hashlib
import hmac
import time
from dataclasses import dataclass, field
from uuid import UUID

from impl.outgoing.client import Guard
from impl.outgoing.signing import signature_headers
from impl.outgoing.urls import Target
from impl.plugins.calls.breaker import Breaker
from impl.plugins.calls.retries import RetryBudget


def invocation_token(secret: bytes, plugin_id: UUID) -> str:
    """The Bearer of our calls to this plugin: derived, so that it is stored nowhere."""
    digest = hmac.digest(secret, b"invoke:" + plugin_id.bytes, hashlib.sha256)
    return "bc_invoke_" + base64.b32encode(digest).decode().rstrip("=").lower()


def signing_key(secret: bytes, plugin_id: UUID) -> bytes:
    """What our calls to this plugin are signed with. No call carries it, unlike the Bearer: who
    has seen a call can make no other, and cannot make it again later."""
    return hmac.digest(secret, b"sign:" + plugin_id.bytes, hashlib.sha256)


def signed_now(key: bytes, call_id: UUID, body: bytes = b"") -> dict[str, str]:
    """The headers of one attempt. By this machine's clock: the receiver allows for minutes."""
    return signature_headers((key,), str(call_id), int(time.time()), body)


@dataclass(slots=True)
class Line:
    """Of one plugin; its URL is read when it changes."""

    authorization: str = field(repr=False)
    key: bytes = field(repr=False)
    breaker: Breaker
    budget: RetryBudget
    _base_url: str = field(default="", init=False)
    _target: Target | None = field(default=None, init=False)

    def target(self, guard: Guard, base_url: str) -> Target:
        """Of `/invoke`. Raises ForbiddenUrlError."""
        if self._target is None or self._base_url != base_url:
            self._target = guard.target(base_url.rstrip("/") + "/invoke")
            self._base_url = base_url
        return self._target
