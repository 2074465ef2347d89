"""The composition root: the only place that wires things."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from generated.core.audit import audit_router
from generated.core.bots import bots_router
from generated.core.dialogs import dialogs_router
from generated.core.events import events_router
from generated.core.limits import limits_router
from generated.core.notifications import notifications_router
from generated.core.plugin_admin import plugin_admin_router
from generated.core.plugin_tokens import plugin_tokens_router
from generated.core.plugins import plugins_router
from generated.core.routing import routing_router
from generated.core.service import service_router
from generated.core.users import users_router
from generated.metrics import Metrics, make_metrics
from generated.runtime.edge import Edge, UnknownPath
from generated.runtime.limits import NoLimits
from impl.api import Api
from impl.audit.handlers import AuditHandlers
from impl.auth import TokenAuthenticator
from impl.bots.handlers import BotHandlers
from impl.clients import Clients
from impl.connections import warn_if_few
from impl.cursor import Cursors
from impl.db import Pool, open_pool
from impl.degraded.gate import Gate
from impl.degraded.mode import Mode
from impl.degraded.queries import Rules
from impl.dialogs.delivery import make_delivery
from impl.dialogs.handlers import DialogHandlers
from impl.dialogs.service import MessageService
from impl.errors import LogObserver, translate
from impl.events.wire import FEED, TOKENS, Wire
from impl.feed.feed import Feed
from impl.feed.places import Places
from impl.llm.classifying import open_classifier
from impl.metrics.exposition import Exposition, watch_pool
from impl.metrics.listener import listening
from impl.metrics.requests import instrument
from impl.metrics.sampler import Sampler
from impl.metrics.siblings import Siblings
from impl.notifications.desk import SubscriptionDesk
from impl.notifications.handlers import NotificationHandlers
from impl.notifications.signing import Secrets
from impl.outgoing.client import Guard, OutgoingClient
from impl.overload.admission import Admission
from impl.overload.places import TokenPlaces
from impl.plugins.administration.handlers import PluginAdminHandlers
from impl.plugins.caller import PluginCaller
from impl.plugins.catalogue import Catalogue
from impl.plugins.handlers import PluginHandlers
from impl.plugins.registration import Registrar
from impl.plugins.token_handlers import PluginTokenHandlers
from impl.process import end
from impl.ratelimit.handlers import LimitHandlers
from impl.ratelimit.limiter import RateLimiter
from impl.redis import request_client
from impl.routing.classifier.local import LocalClassifier
from impl.routing.classifier.port import Classifier
from impl.routing.handlers import RoutingHandlers
from impl.routing.router import Router
from impl.service import ServiceHandlers
from impl.settings import Settings
from impl.telemetry.handlers import EventHandlers, TakenOutHere
from impl.tokens.administration.desk import TokenDesk
from impl.tokens.changes import TokenChanges
from impl.tokens.throttle import Throttle
from impl.tokens.verifier import TokenVerifier
from impl.users.handlers import UserHandlers


@dataclass(frozen=True, slots=True)
class Resources:
    """What a process opens once and closes when it stops."""

    pool: Pool
    gate: Gate
    caller: PluginCaller
    webhooks: OutgoingClient
    metrics: Metrics
    exposition: Exposition
    wire: Wire


@dataclass(frozen=True, slots=True)
class Kept:
    """What the API keeps up to date beside its requests, each by a loop of its own."""

    catalogue: Catalogue
    limiter: RateLimiter
    feed: Feed
    mode: Mode
    verifier: TokenVerifier
    classifier: Classifier | None
    admission: Admission


@asynccontextmanager
async def open_resources(
    settings: Settings, metrics: Metrics, siblings: Siblings | None = None
) -> AsyncIterator[Resources]:
    async with AsyncExitStack() as stack:
        pool = await open_pool(settings)
        stack.push_async_callback(_close_pool, pool)
        redis = request_client(settings)
        stack.push_async_callback(redis.aclose)
        gate = Gate(redis, settings.redis_timeout_seconds)
        caller = PluginCaller(settings, metrics)
        stack.push_async_callback(caller.close)
        webhooks = OutgoingClient(settings, guard=Guard.of_webhooks(settings))
        stack.push_async_callback(webhooks.close)
        exposition = Exposition.of(metrics, Sampler(pool, gate, metrics), siblings)
        stack.push_async_callback(exposition.sampler.close)
        watch_pool(metrics, pool)
        wire = Wire(settings.listen_url)
        pool.when_published = wire.tell_of_events
        yield Resources(pool, gate, caller, webhooks, metrics, exposition, wire)


async def _close_pool(pool: Pool) -> None:
    """Waits for running statements, but not for a database that is gone."""
    try:
        async with asyncio.timeout(2):
            await pool.close()
    except TimeoutError:
        pool.terminate()


def create_app(
    settings: Settings, classifier: Classifier | None = None, siblings: Siblings | None = None
) -> Api:
    """The API. Its resources open with its lifespan, and its routes are bound to them then.

    `siblings`: where several processes serve it.
    """
    metrics = make_metrics()

    @asynccontextmanager
    async def lifespan(app: Api) -> AsyncIterator[None]:
        async with (
            open_resources(settings, metrics, siblings) as resources,
            metrics_listener(settings, resources.exposition, shared=siblings is not None),
            AsyncExitStack() as stack,
        ):
            catalogue = Catalogue(resources.pool, settings.fallback_plugin)
            share = settings.limits_alone_share / settings.serve_workers
            limiter = RateLimiter(resources.pool, resources.gate, share)
            metrics.limits_alone.set_function(lambda: limiter.alone)
            local = LocalClassifier(resources.pool)
            wanted = await stack.enter_async_context(
                open_classifier(
                    settings,
                    classifier or local,
                    pool=resources.pool,
                    gate=resources.gate,
                    metrics=metrics,
                )
            )
            feed = Feed(
                resources.pool,
                Places(settings.secret_key.get_secret_value()),
                metrics,
                settings.event_streams,
                settings.event_streams_per_token,
                resources.wire.bell(FEED),
            )
            app.state.stop_streams = feed.stop
            mode = Mode(resources.pool, resources.gate, Rules.of(settings))
            metrics.degraded.set_function(lambda: mode.degraded)
            verifier = make_verifier(settings, resources.pool)
            changes = TokenChanges(
                resources.pool, verifier, resources.wire.bell(TOKENS), feed.tokens_changed
            )
            kept = Kept(catalogue, limiter, feed, mode, verifier, wanted, admission)
            _bind(app, settings, resources, kept)
            loops = {
                "catalogue": catalogue.watch(settings.catalogue_refresh_seconds),
                "limits": limiter.watch(settings.limits_refresh_seconds, mode.refresh),
                "wire": resources.wire.run(),
                "feed": feed.run(),
                "tokens": changes.watch(settings.token_refresh_seconds),
                "admission": admission.watch(lambda: resources.pool.longest_wait),
            }
            if settings.classifier != "off":
                every = settings.catalogue_refresh_seconds
                loops["classifier"] = local.watch(catalogue, every)
            if siblings is not None:
                loops["metrics"] = siblings.run(metrics)
            watches = [asyncio.create_task(loop, name=name) for name, loop in loops.items()]
            for watch in watches:
                watch.add_done_callback(_stop_loudly)
            if siblings is None or siblings.number == 0:  # once, of all processes
                looking = warn_if_few(resources.pool, settings, settings.serve_workers)
                watches.append(asyncio.create_task(looking, name="connections"))
            try:
                yield
            finally:
                await end(*watches)
                await limiter.close()

    app = Api(
        lifespan=lifespan,
        openapi_url=None,  # the contract itself is served, not what FastAPI would guess
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.metrics = metrics
    admission = Admission.of(settings, metrics, instrument(app, metrics).count_refused)
    app.state.admission = admission  # around all else, where it costs least: see serve.py
    return app


@asynccontextmanager
async def metrics_listener(
    settings: Settings, exposition: Exposition, *, shared: bool = False
) -> AsyncIterator[None]:
    """Serves the metrics on their own port meanwhile, where the settings name one."""
    if not settings.metrics_port:
        yield
        return
    edge = Edge(LogObserver(), translate, NoLimits(), settings.max_body_bytes)
    host, port = settings.metrics_host, settings.metrics_port
    async with listening(host, port, exposition, edge, shared=shared):
        yield


def make_verifier(settings: Settings, pool: Pool) -> TokenVerifier:
    throttle = Throttle(
        per_id=settings.token_failures_per_id, per_address=settings.token_failures_per_address
    )
    return TokenVerifier(pool, ttl_seconds=settings.token_cache_seconds, throttle=throttle)


def _bind(app: Api, settings: Settings, resources: Resources, kept: Kept) -> None:
    pool, catalogue, limiter = resources.pool, kept.catalogue, kept.limiter
    verifier = kept.verifier
    authenticator = TokenAuthenticator(verifier, Clients(settings.trusted_proxies))
    places = TokenPlaces(settings.requests_per_token, resources.metrics)
    edge = Edge(LogObserver(), translate, limiter, settings.max_body_bytes, places)
    delivery = make_delivery(pool, resources.caller, catalogue, settings, resources.metrics)
    router = Router(catalogue, kept.classifier, settings.classifier_threshold)
    messages = MessageService(pool, router, delivery, settings)
    registrar = Registrar(pool, resources.caller, settings)
    exposition = None if settings.metrics_port else resources.exposition
    cursors = Cursors(settings.secret_key.get_secret_value())
    desk = TokenDesk(pool, verifier, cursors)
    secrets = Secrets(settings.secret_key.get_secret_value().encode())
    subscriptions = SubscriptionDesk(pool, resources.webhooks, secrets, cursors)
    taken_out = TakenOutHere(resources.metrics, verifier, catalogue)
    service = ServiceHandlers(pool, resources.gate, kept.mode, exposition)
    routers = (
        dialogs_router(
            DialogHandlers(pool, messages, cursors, settings.call_deadline_seconds),
            authenticator,
            edge,
        ),
        users_router(UserHandlers(pool), authenticator, edge),
        plugins_router(PluginHandlers(pool, registrar, catalogue, cursors), authenticator, edge),
        bots_router(BotHandlers(desk, subscriptions), authenticator, edge),
        plugin_tokens_router(PluginTokenHandlers(desk), authenticator, edge),
        plugin_admin_router(
            PluginAdminHandlers(pool, resources.caller, catalogue, verifier, cursors),
            authenticator,
            edge,
        ),
        routing_router(RoutingHandlers(pool, router), authenticator, edge),
        limits_router(LimitHandlers(pool, limiter), authenticator, edge),
        audit_router(AuditHandlers(pool, cursors), authenticator, edge),
        events_router(EventHandlers(pool, cursors, kept.feed, taken_out), authenticator, edge),
        notifications_router(NotificationHandlers(subscriptions), authenticator, edge),
        service_router(service, authenticator, edge),
    )
    app.bind((route for router in routers for route in router.routes), UnknownPath(edge))
    kept.admission.serve(app.router.routes)


def _stop_loudly(task: "asyncio.Task[None]") -> None:
    """A loop that dies takes the process with it: a stale instance must not look well."""
    if not task.cancelled() and task.exception() is not None:
        raise SystemExit(f"the task {task.get_name()} died: {task.exception()!r}")
