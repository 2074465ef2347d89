# Generated from contracts/v1alpha by `make generate`. Do not edit: change the contract.
"""Random ids (UUID of version 4), of which the system is asked for many at once."""

import os

AT_ONCE = 64
BYTES = 16
_VARIANT = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))
_waiting: list[str] = []
# Else a child would give out what its parent does.
os.register_at_fork(after_in_child=_waiting.clear)


def random_id() -> str:
    """In its canonical form."""
    while True:
        try:
            return _waiting.pop()
        except IndexError:
            _waiting.extend(_more())


def _more() -> list[str]:
    digits = os.urandom(AT_ONCE * BYTES).hex()
    size = 2 * BYTES
    return [_id(digits[at : at + size]) for at in range(0, len(digits), size)]


def _id(x: str) -> str:
    return f"{x[:8]}-{x[8:12]}-4{x[13:16]}-{_VARIANT[x[16]]}{x[17:20]}-{x[20:]}"
