"""A whole conversation through the generated Python client. Prints what came of it as JSON.

It runs beside a client that `openapi-python-client` made, and imports nothing of the project.
"""

import json
import os
from uuid import uuid4

from botcore_client import AuthenticatedClient
from botcore_client.api.dialogs import (
    add_dialog_message,
    get_dialog,
    get_dialog_message,
    reset_dialog,
)
from botcore_client.api.users import upsert_user
from botcore_client.models import (
    DialogMessageCreateV1,
    DialogMessageResponseV1,
    DialogResetRequestV1,
    DialogSnapshotResponseV1,
    Problem,
    TextPayloadV1,
    UserUpsertResponseV1,
    UserUpsertV1,
)


def main() -> None:
    with AuthenticatedClient(
        os.environ["BOTCORE_URL"],
        token=os.environ["BOTCORE_BOT_TOKEN"],
        prefix="",
        auth_header_name="X-Bot-Token",
        raise_on_unexpected_status=True,
    ) as client:
        print(json.dumps(talk(client)))


def talk(client: AuthenticatedClient) -> dict[str, object]:
    person = UserUpsertV1(telegram_id=int(os.environ["TELEGRAM_ID"]), display_name="Ada")
    users = [upsert_user.sync(client=client, body=person) for _ in range(2)]
    assert all(isinstance(user, UserUpsertResponseV1) for user in users), users
    dialog, user = uuid4(), users[0].user_id
    message = DialogMessageCreateV1(
        user_id=user,
        message_id="first",
        payload=TextPayloadV1(type_="text", text="Hello from Python!"),
    )
    first = add_dialog_message.sync_detailed(dialog, client=client, body=message)
    again = add_dialog_message.sync_detailed(dialog, client=client, body=message)
    assert isinstance(first.parsed, DialogMessageResponseV1), first
    stored = get_dialog_message.sync(dialog, "first", client=client)
    assert isinstance(stored, DialogMessageResponseV1), stored
    read = get_dialog.sync(dialog, client=client)
    assert isinstance(read, DialogSnapshotResponseV1), read
    message.payload = TextPayloadV1(type_="text", text="Something else.")
    reused = add_dialog_message.sync(dialog, client=client, body=message)
    reset = reset_dialog.sync(dialog, client=client, body=DialogResetRequestV1(user_id=user))
    emptied = get_dialog.sync(dialog, client=client)
    assert isinstance(emptied, DialogSnapshotResponseV1), emptied
    absent = get_dialog.sync_detailed(uuid4(), client=client)
    refused = upsert_user.sync(client=client, body=UserUpsertV1(telegram_id=0, display_name=""))
    assert isinstance(absent.parsed, Problem), absent
    assert isinstance(refused, Problem), refused
    assert refused.errors, refused
    unknown = Problem.from_dict({**absent.parsed.to_dict(), "code": "not_yet_known"})
    return {
        "users": [str(one.status) for one in users],
        "answer": [one.content for one in first.parsed.plugin_responses],
        "replayed": [one.headers.get("Idempotency-Replayed") for one in (first, again)],
        "same": first.content == again.content,
        "stored": stored == first.parsed,
        "history": [one.payload.text for one in read.messages],
        "reused": reused.code,
        "reset": str(reset.status),
        "emptied": [emptied.dialog.reset_version, len(emptied.messages)],
        "absent": [absent.status_code, absent.parsed.code],
        "refused": sorted(error.pointer for error in refused.errors),
        "unknown": unknown.code,
    }


main()
