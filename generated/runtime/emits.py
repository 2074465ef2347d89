# Generated from contracts/v1alpha by `make generate`. Do not edit: change the contract.
"""Which events the operation at hand may publish."""

from contextvars import ContextVar

# None outside of any operation: the worker ends calls that an operation began.
_declared: ContextVar[frozenset[str] | None] = ContextVar("emits", default=None)


class UndeclaredEventError(Exception):
    """An operation published what its `x-emits` does not name: our mistake, and so a 500."""


def enter(declared: frozenset[str]) -> None:
    _declared.set(declared)


def require(event: str) -> None:
    """Raises UndeclaredEventError, before anything is stored."""
    declared = _declared.get()
    if declared is not None and event not in declared:
        raise UndeclaredEventError(f"{event} is not among {sorted(declared)}")
