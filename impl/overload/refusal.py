"""The answer to a request that nobody looks at: as cheap as it can be, and a whole problem."""

from starlette.types import Scope, Send

from generated.errors import Overloaded
from generated.runtime import trace
from generated.runtime.edge import problem_reply, send_reply


def enter_trace(scope: Scope) -> None:
    trace.enter(trace.from_headers(dict(scope["headers"]))[0])


async def send_overloaded(send: Send, detail: str, retry_after: int = 1) -> None:
    """Under the trace at hand. `retry_after` is in seconds."""
    problem = Overloaded(detail, headers={"Retry-After": str(retry_after)})
    await send_reply(send, problem_reply(problem))
