"""Cursors of a dialog's history: opaque to the caller, bound to the dialog."""

import base64
import binascii
from uuid import UUID


def encode(dialog_id: UUID, seq: int) -> str:
    raw = dialog_id.bytes + seq.to_bytes(8, "big")
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def decode(dialog_id: UUID, cursor: str) -> int | None:
    """The position; None for a cursor that is not ours or belongs to another dialog."""
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except (binascii.Error, ValueError):
        return None
    seq = int.from_bytes(raw[16:], "big")
    return seq if len(raw) == 24 and raw[:16] == dialog_id.bytes and 0 < seq < 2**63 else None
