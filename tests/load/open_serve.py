"""`botcore serve` that asks nobody who he is and counts nothing: what the rest of it costs.

BENCH_BOT_ID names the bot that every request is taken for.
"""

import os
from collections.abc import Sequence
from uuid import UUID

from generated.core.security import BotToken
from generated.runtime.edge import Credential
from generated.runtime.limits import Charge, Verdict
from impl.auth import TokenAuthenticator
from impl.cli import main
from impl.ratelimit.limiter import RateLimiter
from tests.stack import BOT_SCOPES

BOT = BotToken("open", frozenset(BOT_SCOPES), UUID(os.environ.get("BENCH_BOT_ID", UUID(int=0).hex)))
FREE = Verdict([])


async def _anybody(self: TokenAuthenticator, credential: Credential) -> BotToken | None:
    return BOT


async def _nothing(self: RateLimiter, charges: Sequence[Charge]) -> Verdict:
    return FREE


if __name__ == "__main__":
    TokenAuthenticator.bot_token = _anybody  # type: ignore[method-assign]  # it is what is left out
    RateLimiter.charge = _nothing  # type: ignore[method-assign]  # the same
    main()  # as the command does: it decides when garbage is searched for
