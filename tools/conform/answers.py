"""Every answer against the contract: its status, headers and body must be declared."""

from impl.kit import promise
from tools.contract import Operation

Answer = promise.Answer


class Promise(promise.Promise):
    """What one operation may answer."""

    def __init__(self, operation: Operation) -> None:
        super().__init__(operation.document, operation.spec)
