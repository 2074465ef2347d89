"""How to be answered with each error code of the contract."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import uuid4

from tools.conform.answers import Answer
from tools.conform.client import Request
from tools.conform.good import Caller, good_request
from tools.conform.plugin import HANG
from tools.conform.world import World
from tools.contract import METHODS, Operation

# No request brings these about: the tests reach them by breaking what is below the service.
FAULTS = {"internal_error", "database_unavailable", "overloaded"}
# Nor can a request bring these about, on a deployment as it is found.
UNREACHED = {
    ("getMetrics", "not_found"): "only where the metrics have a port of their own",
    ("resetDialog", "plugin_failed"): "only where a call of the dialog waits in the queue",
    ("streamPluginEvents", "last_event_id_expired"): "only for a place that retention has passed",
    ("addDialogMessage", "queue_full"): "only where the queue is full",
    ("addDialogMessage", "plugin_timeout"): "only when a worker gives a queued call up",
}
MANY_STREAMS = 64  # more than a token has by default
TOO_LARGE = b" " * 300_000
NOWHERE = {"token_id": "0" * 16, "message_id": "conform-no-such-message"}


@dataclass(frozen=True)
class Try:
    """One operation, and whose requests to make of it."""

    world: World
    operation: Operation
    who: Caller

    async def good(self) -> Request:
        return await good_request(self.world, self.operation, self.who)

    async def send(self, request: Request) -> Answer:
        return await self.world.client.send(request)


Recipe = Callable[[Try], Awaitable[Answer]]


def recipe_for(operation: Operation, code: str) -> Recipe | None:
    """None for a code that nothing below can bring about: it is not tried, and that is told."""
    if code in RECIPES:
        return RECIPES[code]
    if code.endswith("_not_found"):
        return _nowhere(operation, f"{code.removesuffix('_not_found')}_id")
    return None


def _nowhere(operation: Operation, name: str) -> Recipe:
    """The same request for an id that names nothing."""

    async def send(case: Try) -> Answer:
        good = await case.good()
        value = NOWHERE.get(name, str(uuid4()))
        if name == "dialog_id":  # an absent one is made: what is not found is another's
            value, _ = await case.world.message(await case.world.bot())
        if name in good.path:
            return await case.send(good.but(path={**good.path, name: value}))
        if "subject_id" in good.path:
            path = {"subject": name.removesuffix("_id"), "subject_id": value}
            return await case.send(good.but(path={**good.path, **path}))
        return await case.send(good.with_body(**{name: value}))

    return send


async def _unserved_version(case: Try) -> Answer:
    return await case.send((await case.good()).but(headers={"X-Schema-Version": "v0"}))


async def _invalid_json(case: Try) -> Answer:
    return await case.send((await case.good()).but(raw=b'{"a": NaN}'))


async def _invalid_utf8(case: Try) -> Answer:
    return await case.send((await case.good()).but(raw=b'{"a": "\xff"}'))


async def _duplicate_key(case: Try) -> Answer:
    return await case.send((await case.good()).but(raw=b'{"a": 1, "a": 1}'))


async def _too_large(case: Try) -> Answer:
    return await case.send((await case.good()).but(raw=TOO_LARGE))


async def _media_type(case: Try) -> Answer:
    return await case.send((await case.good()).but(headers={"Content-Type": "text/plain"}))


async def _without_credentials(case: Try) -> Answer:
    return await case.send((await case.good()).but(credentials={}))


async def _with_bad_credentials(case: Try) -> Answer:
    good = await case.good()
    return await case.send(good.but(credentials=dict.fromkeys(good.credentials, "bc_no_token")))


async def _other_method(case: Try) -> Answer:
    served = case.operation.document["paths"][case.operation.path]
    other = next(method for method in METHODS if method not in served)
    return await case.send((await case.good()).but(method=other.upper()))


async def _not_acceptable(case: Try) -> Answer:
    return await case.send((await case.good()).but(headers={"Accept": "application/x-nothing"}))


async def _refused_values(case: Try) -> Answer:
    """An unknown member of the body or, without one, an unknown parameter."""
    good = await case.good()
    if good.body is None:
        return await case.send(good.but(query={"conform_unknown": "1"}))
    return await case.send(good.with_body(conform_unknown=1))


async def _reused_message_id(case: Try) -> Answer:
    good = await case.good()
    await case.send(good)
    return await case.send(good.with_body(payload=case.world.text("answer")))


async def _message_in_flight(case: Try) -> Answer:
    """While the plugin still works on it the same message is sent again."""
    plugin = case.world.plugin
    plugin.called.clear()
    plugin.released.clear()
    hanging = (await case.good()).with_body(payload=case.world.text(HANG))
    first = asyncio.create_task(case.send(hanging))
    try:
        await asyncio.wait_for(plugin.called.wait(), 10)
        return await case.send(hanging)
    finally:
        plugin.released.set()
        await first


async def _reused_event_id(case: Try) -> Answer:
    good = await case.good()
    await case.send(good)
    return await case.send(good.with_body(severity="critical"))


async def _other_manifest(case: Try) -> Answer:
    good = await case.good()
    await case.send(good)
    manifest = {**good.body["manifest"], "description": "Another."}
    return await case.send(good.with_body(manifest=manifest))


async def _taken_name(case: Try) -> Answer:
    good = await case.good()
    await case.send(good)
    return await case.send(good)


async def _revoked_token(case: Try) -> Answer:
    good = await case.good()
    kind = "Bot" if "bot_id" in good.path else "Plugin"
    await case.world.administer(f"revoke{kind}Token", path=good.path)
    return await case.send(good)


async def _too_many_streams(case: Try) -> Answer:
    """All at once, for as long as the last of them needs to be asked for."""
    good = (await case.good()).but(query={"max_seconds": "3"})
    answers = await asyncio.gather(*(case.send(good) for _ in range(MANY_STREAMS)))
    return max(answers, key=lambda answer: answer.status)


async def _disabled_subscription(case: Try) -> Answer:
    good = await case.good()
    path = {"subscription_id": good.path["subscription_id"]}
    await case.world.administer("updateSubscription", path=path, body={"status": "disabled"})
    return await case.send(good)


RECIPES: dict[str, Recipe] = {
    "unsupported_schema_version": _unserved_version,
    "invalid_json": _invalid_json,
    "invalid_utf8": _invalid_utf8,
    "duplicate_key": _duplicate_key,
    "body_too_large": _too_large,
    "unsupported_media_type": _media_type,
    "missing_credentials": _without_credentials,
    "invalid_credentials": _with_bad_credentials,
    "method_not_allowed": _other_method,
    "not_acceptable": _not_acceptable,
    "validation_failed": _refused_values,
    "message_id_reused": _reused_message_id,
    "message_in_flight": _message_in_flight,
    "event_id_reused": _reused_event_id,
    "plugin_conflict": _other_manifest,
    "bot_name_taken": _taken_name,
    "token_revoked": _revoked_token,
    "too_many_streams": _too_many_streams,
    "subscription_disabled": _disabled_subscription,
}
# These have columns of their own.
ELSEWHERE = {"insufficient_scope": "scopes", "rate_limited": "limit"}
