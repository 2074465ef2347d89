"""The composition root: the only place that wires things."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from fastapi import FastAPI
from redis.asyncio import Redis

from generated.core.bots import bots_router
from generated.core.dialogs import dialogs_router
from generated.core.plugin_tokens import plugin_tokens_router
from generated.core.plugins import plugins_router
from generated.core.service import service_router
from generated.core.users import users_router
from generated.runtime.edge import Edge, UnknownPath
from impl.auth import TokenAuthenticator
from impl.bots.handlers import BotHandlers
from impl.cursor import Cursors
from impl.db import Pool, open_pool
from impl.dialogs.delivery import Delivery
from impl.dialogs.handlers import DialogHandlers
from impl.dialogs.service import MessageService
from impl.errors import LogObserver, translate
from impl.plugins.caller import PluginCaller
from impl.plugins.catalogue import Catalogue
from impl.plugins.handlers import PluginHandlers
from impl.plugins.registration import Registrar
from impl.plugins.token_handlers import PluginTokenHandlers
from impl.ratelimit.limiter import RateLimiter
from impl.redis import request_client
from impl.service import ServiceHandlers
from impl.settings import Settings
from impl.tokens.administration.desk import TokenDesk
from impl.tokens.verifier import TokenVerifier
from impl.users.handlers import UserHandlers


@dataclass(frozen=True, slots=True)
class Resources:
    """What a process opens once and closes when it stops."""

    pool: Pool
    redis: Redis
    caller: PluginCaller


@asynccontextmanager
async def open_resources(settings: Settings) -> AsyncIterator[Resources]:
    async with AsyncExitStack() as stack:
        pool = await open_pool(settings)
        stack.push_async_callback(_close_pool, pool)
        redis = request_client(settings)
        stack.push_async_callback(redis.aclose)
        caller = PluginCaller(settings)
        stack.push_async_callback(caller.close)
        yield Resources(pool, redis, caller)


async def _close_pool(pool: Pool) -> None:
    """Waits for running statements, but not for a database that is gone."""
    try:
        async with asyncio.timeout(2):
            await pool.close()
    except TimeoutError:
        pool.terminate()


def create_app(settings: Settings) -> FastAPI:
    """The API. Its resources open with its lifespan, and its routes are bound to them then."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_resources(settings) as resources:
            catalogue = Catalogue(resources.pool, settings.fallback_plugin)
            limiter = RateLimiter(resources.pool, resources.redis, settings.redis_timeout_seconds)
            _bind(app, settings, resources, catalogue, limiter)
            loops = {
                "catalogue": catalogue.watch(settings.catalogue_refresh_seconds),
                "limits": limiter.watch(settings.limits_refresh_seconds),
            }
            watches = [asyncio.create_task(loop, name=name) for name, loop in loops.items()]
            for watch in watches:
                watch.add_done_callback(_stop_loudly)
            try:
                yield
            finally:
                for watch in watches:
                    watch.cancel()
                await limiter.close()

    return FastAPI(
        lifespan=lifespan,
        openapi_url=None,  # the contract itself is served, not what FastAPI would guess
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )


def _bind(
    app: FastAPI,
    settings: Settings,
    resources: Resources,
    catalogue: Catalogue,
    limiter: RateLimiter,
) -> None:
    pool = resources.pool
    verifier = TokenVerifier(pool, ttl_seconds=settings.token_cache_seconds)
    authenticator = TokenAuthenticator(verifier)
    edge = Edge(LogObserver(), translate, limiter, settings.max_body_bytes)
    delivery = Delivery(pool, resources.caller)
    messages = MessageService(pool, catalogue, delivery, settings)
    registrar = Registrar(pool, resources.caller, settings)
    cursors = Cursors(settings.secret_key.get_secret_value())
    desk = TokenDesk(pool, verifier, cursors)
    routers = (
        dialogs_router(DialogHandlers(pool, messages, cursors), authenticator, edge),
        users_router(UserHandlers(pool), authenticator, edge),
        plugins_router(PluginHandlers(pool, registrar, catalogue, cursors), authenticator, edge),
        bots_router(BotHandlers(desk), authenticator, edge),
        plugin_tokens_router(PluginTokenHandlers(desk), authenticator, edge),
        service_router(ServiceHandlers(pool, resources.redis), authenticator, edge),
    )
    app.router.routes = [route for router in routers for route in router.routes]
    app.router.default = UnknownPath(edge)


def _stop_loudly(task: "asyncio.Task[None]") -> None:
    """A loop that dies takes the process with it: a stale instance must not look well."""
    if not task.cancelled() and task.exception() is not None:
        raise SystemExit(f"the task {task.get_name()} died: {task.exception()!r}")
