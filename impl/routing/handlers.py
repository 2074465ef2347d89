"""The operations of the tag `routing`."""

from generated import models
from generated.core.routing import ExplainRouting200, ExplainRoutingResult
from generated.core.security import AdminKey
from impl.db import Pool
from impl.routing.queries import Known, read_state
from impl.routing.router import DialogState, Routable, Router


class RoutingHandlers:
    def __init__(self, pool: Pool, router: Router) -> None:
        self._pool = pool
        self._router = router

    async def explain_routing(
        self, admin_key: AdminKey, body: models.RoutingExplainRequestV1
    ) -> ExplainRoutingResult:
        known = Known(None, DialogState())
        if body.dialog_id is not None:
            known = await read_state(self._pool, body.dialog_id)
        locale = body.locale or known.locale
        message = Routable(body.payload, body.metadata, locale, known.dialog)
        decision = await self._router.route(message)
        return ExplainRouting200(body=models.RoutingDecisionV1.model_validate(decision.reasons))
