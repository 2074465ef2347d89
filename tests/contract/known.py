from dataclasses import dataclass

# What every known dialog holds; each text is the id of its message too.
TEXTS = ("one", "two")


@dataclass(frozen=True, slots=True)
class Known:
    """What exists before the first request, for cases that shall get past a 404."""

    url: str
    registry_url: str
    plugin_url: str
    plugin_id: str
    users: list[str]
    dialogs: dict[str, str]  # the user of each
    cursors: dict[str, str]  # a page of each
    messages: dict[str, str]  # the id of one in each
    doomed_bot_id: str  # may be revoked
    spare_bot_id: str
    spare_user_id: str  # sends no messages
    doomed_user_id: str  # may be erased
    spare_plugin_id: str  # is called by nobody
    doomed_plugin_id: str  # may be deleted
    place: str  # in the feed
    subscription_id: str
    delivery_id: str  # to that subscription
    doomed_subscription_id: str  # may be deleted
    list_cursors: dict[str, str]  # a page of each list, by its operation


# Rows that only differ by their ids: what is fuzzed to death must come fresh to each case.
SPARE_TOKENS = 20_000


def spare_token(kind: str, number: int) -> str:
    """The id of a valid token of the spare bot, or of the plugin."""
    return f"{kind[0]}{number % SPARE_TOKENS:015d}"
