"""What names a request, and what tells whether it is the same again."""

from hashlib import blake2b
from typing import NamedTuple

import orjson
from pydantic import BaseModel

from generated.runtime.ids import random_id


class Idempotency(NamedTuple):
    """`fingerprint` is 32 bytes; equal ones are the same request."""

    key: str
    fingerprint: bytes


def idempotency(body: BaseModel, key: str, members: set[str]) -> Idempotency:
    """Of the body's members by their canonical form: sorted, defaults left out.

    Without the defaults a field that a later version adds does not change what is stored today.
    """
    kept = body.__pydantic_serializer__.to_python(
        body, mode="json", include=members, exclude_defaults=True
    )
    digest = blake2b(orjson.dumps(kept, option=orjson.OPT_SORT_KEYS), digest_size=32).digest()
    given = getattr(body, key)
    return Idempotency(random_id() if given is None else str(given), digest)
