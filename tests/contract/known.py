from dataclasses import dataclass


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
