"""The generated edge with a handler that stores nothing, served as the others are."""

from typing import Any, cast
from uuid import UUID

import orjson
from starlette.routing import Route

from generated import models
from generated.core.dialogs import AddDialogMessage200, dialogs_router
from generated.core.security import BotToken
from generated.runtime.call import Observer
from generated.runtime.edge import Credential, Edge, Idempotency, Rendered, UnknownPath
from generated.runtime.limits import Charge, Standing, Verdict
from generated.runtime.paths import Paths
from generated.runtime.problems import ProblemError
from tests.load.peers.contract.answer import BOT, PLUGIN, TOKEN, TRACE, answer

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
    """Answers as the core's own handler of messages does: with the bytes that it has stored."""

    async def add_dialog_message(  # noqa: PLR0917  # the generated Protocol's
        self,
        bot_token: BotToken,
        path: models.AddDialogMessagePath,
        header: models.AddDialogMessageHeader,
        prefer: frozenset[str],
        body: models.DialogMessageCreateV1,
        idempotency: Idempotency,
    ) -> AddDialogMessage200:
        dialog_id = str(path.dialog_id)
        where = f"/api/v1/dialogs/{dialog_id}/messages/{idempotency.key}"
        told = self._told(dialog_id, text_of(body))
        return AddDialogMessage200(body=told, owner=bot_token.bot_id, location=where)

    def _told(
        self, dialog_id: str, text: str
    ) -> models.DialogMessageResponseV1 | Rendered[models.DialogMessageResponseV1]:
        return Rendered(orjson.dumps(answer(dialog_id, text)))


class ModelHandlers(Handlers):
    """Answers with a model, as most other operations do."""

    def _told(self, dialog_id: str, text: str) -> models.DialogMessageResponseV1:
        said = models.PluginMessageV1(
            plugin_id=PLUGIN_ID, content=text, content_type="text/plain", suggested_actions=[]
        )
        return models.DialogMessageResponseV1(
            dialog_id=UUID(dialog_id),
            trace_id=TRACE_ID,
            plugin_responses=[said],
            usage=None,
            status="accepted",
            error=None,
        )


def text_of(body: models.DialogMessageCreateV1) -> str:
    return body.payload.text if isinstance(body.payload, models.TextPayloadV1) else "?"


def _mistake(error: Exception) -> ProblemError | None:
    return None


def edge(observer: Observer) -> Edge:
    return Edge(observer, _mistake, cast("Any", Unlimited()), BODY_BYTES)


def routes(of: Edge, handlers: Handlers) -> list[Route]:
    made = dialogs_router(cast("Any", handlers), cast("Any", Tokens()), of)
    return [route for route in made.routes if isinstance(route, Route)]


def application(handlers: Handlers) -> Paths:
    """As the core binds them."""
    of = edge(Nobody())
    return Paths(routes(of, handlers), UnknownPath(of))


app = application(Handlers())
