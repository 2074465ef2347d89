"""`botcore explain`: where a message would go, or went, and why."""

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

if TYPE_CHECKING:
    import asyncpg

NAMES = ("BOTCORE_URL", "BOTCORE_ADMIN_KEY")
SECONDS = 15
COLUMNS = (
    "stage", "plugin", "version", "intent", "score", "bonus", "threshold", "priority", "status",
    "fired",
)  # fmt: skip
STORED = """
SELECT routing FROM plugin_calls WHERE dialog_id = $1 AND message_id = $2 ORDER BY created_at
"""

Text = Annotated[str | None, typer.Argument(help="What the user would say.")]
Locale = Annotated[str | None, typer.Option(help="The user's language.")]
Dialog = Annotated[str | None, typer.Option(metavar="ID", help="The dialog; else a new one.")]
Metadata = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME=VALUE", help="A member of metadata; may be repeated."),
]
Type = Annotated[str, typer.Option("--type", help="text or command.")]
Message = Annotated[
    str | None,
    typer.Option(metavar="ID", help="Instead of a text: a message that was sent, with --dialog."),
]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON, for programs.")]


def explain(
    text: Text = None,
    *,
    locale: Locale = None,
    dialog: Dialog = None,
    metadata: Metadata = None,
    type_: Type = "text",
    message: Message = None,
    as_json: AsJson = False,
) -> None:
    """Say which plugin would answer a text, and why; nothing is sent.

    With --dialog and --message, why a message went where it went.
    """
    from impl.cli.environment import refuse

    if (text is None) == (message is None):
        refuse("give a text, or --dialog and --message")
    if text is None:
        decisions = _stored(dialog, message or "")
    else:
        body = {"payload": {"type": type_, "text": text}, "metadata": _members(metadata or [])}
        decisions = [asyncio.run(_asked({**body, "locale": locale, "dialog_id": dialog}))]
    for decision in decisions:
        _show(decision, as_json=as_json)


def _members(pairs: list[str]) -> dict[str, Any]:
    """Each value as JSON where it is one of its scalars, else as a text."""
    import json

    from impl.cli.environment import refuse

    found: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            refuse("--metadata: give NAME=VALUE")
        try:
            read = json.loads(value)
        except ValueError:
            read = value
        found[name] = value if isinstance(read, dict | list) else read
    return found


async def _asked(body: dict[str, Any]) -> dict[str, Any]:
    import aiohttp

    from impl.cli.environment import refuse
    from impl.secrecy.urls import masked_url

    url, key = _environment()
    timeout = aiohttp.ClientTimeout(total=SECONDS)
    headers = {"X-Admin-Key": key}
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, headers=headers) as session,
            # Nobody but this URL is given the key.
            session.post(
                f"{url.rstrip('/')}/api/v1/routing/explain", json=body, allow_redirects=False
            ) as response,
        ):
            answer = await response.json(content_type=None)
            if response.status == 200:
                found: dict[str, Any] = answer
                return found
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        refuse(f"no answer at {masked_url(url)}: {str(error) or type(error).__name__}", code=1)
    return refuse(_refusal(answer), code=1)


def _environment() -> tuple[str, str]:
    from impl.cli.environment import DIRECTORY, given, refuse
    from impl.local.directory import Directory

    here = {name: value for name in NAMES if (value := given(name))}
    found = {**Directory(DIRECTORY).read_environment(), **here}
    missing = [name for name in NAMES if not found.get(name)]
    if missing:
        refuse(
            f"{' and '.join(missing)} not set, nor in {DIRECTORY}/dev.env: start botcore with"
            " `make run` in this folder, or set them to the API's address and an admin key"
        )
    return found[NAMES[0]], found[NAMES[1]]


def _refusal(answer: object) -> str:
    given = answer if isinstance(answer, dict) else {}
    places = [f"{each['pointer']}: {each['message']}" for each in given.get("errors", [])]
    return "; ".join(places) or str(given.get("detail", "the answer is none of botcore's"))


def _stored(dialog: str | None, message: str) -> list[dict[str, Any]]:
    """Of each call of the message: more than one where another plugin answered for the first."""
    from impl.cli.database import connected
    from impl.cli.environment import refuse

    try:
        dialog_id = UUID(dialog or "")
    except ValueError:
        refuse("--message needs the id of its dialog: --dialog")

    async def read(connection: "asyncpg.Connection") -> list[dict[str, Any]]:
        return [row["routing"] for row in await connection.fetch(STORED, dialog_id, message)]

    found = [routing for routing in connected(read) if routing]
    if not found:
        refuse("no call of this message is stored", code=1)
    return found


def _show(decision: dict[str, Any], *, as_json: bool) -> None:
    from impl.cli.printing import json_text, show

    if as_json:
        typer.echo(json_text(decision))
        return
    typer.echo(decision.get("reason", f"stage {decision['stage']}"))
    candidates = [SimpleNamespace(**one) for one in decision.get("candidates", [])]
    if candidates and all(hasattr(one, name) for one in candidates for name in COLUMNS):
        show(candidates, COLUMNS, as_json=False)
    classifier = decision.get("classifier")
    if classifier:
        told = " ".join(str(classifier[name]) for name in ("name", "version") if classifier[name])
        because = f" ({classifier['fallback']})" if classifier["fallback"] else ""
        typer.echo(f"classifier: {told or 'none'}{because}")
    typer.echo(f"{decision.get('microseconds', 0)} µs, stage {decision['stage']}")
