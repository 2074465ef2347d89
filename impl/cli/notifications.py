"""`botcore notifications`: webhooks. A new secret is printed once, alone on standard output."""

from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from impl.cli import tokens

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from uuid import UUID

    import asyncpg

    from generated import models
    from impl.audit.log import Actor
    from impl.notifications.queries import Subscription, Wanted

T = TypeVar("T")

COLUMNS = (
    "id", "status", "disabled_reason", "failing_since", "min_severity", "event_types", "url"
)  # fmt: skip
DELIVERY_COLUMNS = (
    "id", "event_type", "status", "attempts", "next_attempt_at", "last_error", "created_at"
)  # fmt: skip

notifications = typer.Typer(
    name="notifications",
    help="Subscribe webhooks to what happens.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Which = Annotated[str, typer.Argument(metavar="SUBSCRIPTION", help="Its id.")]


@notifications.command("list")
def list_(as_json: tokens.AsJson = False) -> None:
    """List the subscriptions, those that were made last first."""
    from impl.cli.database import connected
    from impl.cli.printing import show
    from impl.notifications.queries import list_subscriptions

    show(connected(list_subscriptions), COLUMNS, as_json=as_json)


@notifications.command()
def create(
    url: Annotated[str, typer.Argument(help="Where it is sent to.")],
    event: Annotated[
        list[str] | None, typer.Option(help="Only of this type; repeat for several.")
    ] = None,
    severity: Annotated[str, typer.Option(help="info, warning or critical, at least.")] = "warning",
    owner: Annotated[str | None, typer.Option(help="Only about this owner's plugins.")] = None,
    description: Annotated[str | None, typer.Option(help="What it is for.")] = None,
) -> None:
    """Subscribe a webhook, and print its secret, this once."""
    from impl.audit.log import on_this_machine
    from impl.cli.database import opened
    from impl.notifications import administration

    wanted = _wanted(url, event, severity, owner, description)

    async def work(connection: "asyncpg.Connection") -> "Subscription":
        await checked_url(url)
        async with connection.transaction():
            return await administration.create(connection, on_this_machine(), wanted)

    made = opened(work)
    typer.echo(f"subscription {made.id} created", err=True)
    reveal(made)


@notifications.command()
def enable(subscription: Which) -> None:
    """Send it something again, also what waited when it was disabled."""
    _set_status(subscription, "active")


@notifications.command()
def disable(subscription: Which) -> None:
    """Send it nothing more, until it is enabled again."""
    _set_status(subscription, "disabled")


@notifications.command()
def delete(subscription: Which) -> None:
    """Delete it, and what waits to be sent to it."""
    from impl.notifications.administration import delete as work

    _administer(work, subscription)
    typer.echo(f"subscription {subscription} deleted")


@notifications.command("rotate-secret")
def rotate_secret(
    subscription: Which,
    overlap: Annotated[
        str | None, typer.Option(help="How long the old one signs along; without: 1d.")
    ] = None,
) -> None:
    """Replace its secret, and print the new one, this once."""
    from generated import models
    from impl.cli.environment import secret_key
    from impl.cli.values import check, seconds_of
    from impl.notifications import administration

    secret_key()  # where it is missing nothing is changed
    given: Any = {} if overlap is None else {"overlap_seconds": seconds_of(overlap, "--overlap")}
    seconds = check(models.SecretRotateV1, given, "--overlap").overlap_seconds

    async def work(
        connection: "asyncpg.Connection", actor: "Actor", subscription_id: "UUID"
    ) -> "Subscription":
        return await administration.rotate(connection, actor, subscription_id, seconds)

    reveal(_administer(work, subscription))


@notifications.command()
def deliveries(
    subscription: Which,
    status: Annotated[str | None, typer.Option(help="pending, delivered or failed.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 50,
    as_json: tokens.AsJson = False,
) -> None:
    """List what was sent to it, the newest first."""
    from types import SimpleNamespace
    from typing import cast

    from generated import models
    from impl.cli.database import connected
    from impl.cli.printing import show
    from impl.cli.values import check
    from impl.notifications.queries import list_deliveries

    chosen = cast(
        "models.DeliveryStatus | None", check(models.DeliveryStatus | None, status, "--status")
    )

    async def work(connection: "asyncpg.Connection") -> list[SimpleNamespace]:
        found = await list_deliveries(connection, _id(subscription), status=chosen, limit=limit)
        return [SimpleNamespace(**row) for row in found]

    show(connected(work), DELIVERY_COLUMNS, as_json=as_json)


@notifications.command()
def resend(
    subscription: Which,
    delivery: Annotated[str, typer.Argument(help="Its id, which is its webhook-id.")],
) -> None:
    """Send a notification again, with the same webhook-id."""
    from impl.notifications import administration

    async def work(
        connection: "asyncpg.Connection", actor: "Actor", subscription_id: "UUID"
    ) -> object:
        return await administration.resend(connection, actor, subscription_id, _id(delivery))

    _administer(work, subscription)
    typer.echo(f"delivery {delivery} waits to be sent")


@notifications.command()
def test(subscription: Which) -> None:
    """Send a notification of the type notification_test to it alone."""
    from impl.notifications.administration import test as work

    typer.echo(f"delivery {_administer(work, subscription)['id']} waits to be sent")


async def checked_url(url: str) -> None:
    """Raises ValidationFailed, as the API refuses it."""
    from generated import models
    from impl.cli.environment import outgoing_settings, secret_key
    from impl.cli.values import check
    from impl.notifications.administration import check_url
    from impl.outgoing.client import Guard, OutgoingClient

    check(models.HttpUrl, url, "the URL")
    secret_key()  # where it is missing nothing is changed
    settings = outgoing_settings()
    client = OutgoingClient(settings, guard=Guard.of_webhooks(settings))
    try:
        await check_url(client, url)
    finally:
        await client.close()


def reveal(subscription: "Subscription") -> None:
    """The secret alone on standard output."""
    from impl.cli.environment import secret_key
    from impl.notifications.signing import Secrets

    typer.echo("its secret is shown this once:", err=True)
    typer.echo(Secrets(secret_key().encode()).of(subscription.id, subscription.salt))


def _wanted(
    url: str, event: list[str] | None, severity: str, owner: str | None, description: str | None
) -> "Wanted":
    from dataclasses import fields

    from generated import models
    from impl.cli.values import check
    from impl.notifications.queries import Wanted

    body = check(
        models.SubscriptionCreateV1,
        {"url": url, "event_types": event or [], "min_severity": severity, "owner": owner,
         "description": description},
        "the subscription",
    )  # fmt: skip
    members = {each.name for each in fields(Wanted)} - {"bot_id"}
    return Wanted(**{name: getattr(body, name) for name in members})


def _set_status(subscription: str, status: "models.SubscriptionStatus") -> None:
    from impl.notifications import administration
    from impl.notifications.queries import Changes

    async def work(
        connection: "asyncpg.Connection", actor: "Actor", subscription_id: "UUID"
    ) -> "Subscription":
        changes = Changes(status=status)
        return await administration.change(connection, actor, subscription_id, changes)

    _administer(work, subscription)
    typer.echo(f"subscription {subscription} is {status}")


def _administer(
    work: "Callable[[asyncpg.Connection, Actor, UUID], Awaitable[T]]", subscription: str
) -> "T":
    from impl.audit.log import on_this_machine
    from impl.cli.database import connected

    return connected(lambda connection: work(connection, on_this_machine(), _id(subscription)))


def _id(text: str) -> "UUID":
    from uuid import UUID

    from impl.cli.environment import refuse

    try:
        return UUID(text)
    except ValueError:
        refuse(f"{text} is no id; `botcore notifications list` shows them")
