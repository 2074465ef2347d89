"""The generated edge with a handler that stores nothing, served as the others are."""

from typing import Any, cast
from uuid import UUID

from starlette.routing import Route

from generated import models
from generated.core.dialogs import AddDialogMessage200, dialogs_router
from generated.core.security import BotToken
from generated.runtime.call import Observer
from generated.runtime.edge import Credential, Edge, Idempotency, UnknownPath
from generated.runtime.limits import Charge, Standing, Verdict
from generated.runtime.paths import Paths
from generated.runtime.problems import ProblemError
from tests.load.peers.contract.answer import BOT, PLUGIN, TOKEN, TRACE

BODY_BYTES = 1024 * 1024
PERMITTED = Verdict([Standing("bot", 12000, 60, 11999, 1), Standing("user", 300, 60, 299, 1)])
SCOPES = frozenset({"dialogs:read", "dialogs:write"})
PLUGIN_ID, TRACE_ID = UUID(PLUGIN), UUID(TRACE)


class Nobody:
    """Who is told of answers, and keeps nothing."""

    def answered(self, operation: str, status: int, code: str | None, seconds: float) -> None: ...

    def failed(self, operation: str, error: Exception) -> None:
        raise error


class Tokens:
    async def bot_token(self, credential: Credential) -> BotToken | None:
        return BotToken("bench", SCOPES, BOT) if credential.text == TOKEN else None


class Unlimited:
    async def charge(self, charges: list[Charge]) -> Verdict:
        return PERMITTED


class Handlers:
    async def add_dialog_message(  # noqa: PLR0917  # the generated Protocol's
        self,
        bot_token: BotToken,
        path: models.AddDialogMessagePath,
        header: models.AddDialogMessageHeader,
        prefer: frozenset[str],
        body: models.DialogMessageCreateV1,
        idempotency: Idempotency,
    ) -> AddDialogMessage200:
        text = body.payload.text if isinstance(body.payload, models.TextPayloadV1) else "?"
        said = models.PluginMessageV1(
            plugin_id=PLUGIN_ID, content=text, content_type="text/plain", suggested_actions=[]
        )
        told = models.DialogMessageResponseV1(
            dialog_id=path.dialog_id,
            trace_id=TRACE_ID,
            plugin_responses=[said],
            usage=None,
            status="accepted",
            error=None,
        )
        where = f"/api/v1/dialogs/{path.dialog_id}/messages/{idempotency.key}"
        return AddDialogMessage200(body=told, owner=bot_token.bot_id, location=where)


def _mistake(error: Exception) -> ProblemError | None:
    return None


def edge(observer: Observer) -> Edge:
    return Edge(observer, _mistake, cast("Any", Unlimited()), BODY_BYTES)


def routes(of: Edge) -> list[Route]:
    made = dialogs_router(cast("Any", Handlers()), cast("Any", Tokens()), of)
    return [route for route in made.routes if isinstance(route, Route)]


def _app() -> Paths:
    """As the core binds them."""
    of = edge(Nobody())
    return Paths(routes(of), UnknownPath(of))


app = _app()
