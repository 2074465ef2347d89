"""What every peer is asked, and what every handler answers: the same bytes on the wire."""

from uuid import UUID

TOKEN = "bench-token"
PATH = "/api/v1/dialogs/{dialog_id}/messages"
DIALOG = "9d6f0c1e-8a55-4a0e-9a44-6c1a3f1b2c3d"
USER = "0b9f6a52-7f6f-4f3e-8f3c-5d1f7f5f2a11"
TRACE = "7f1d2c3e-5b6a-4c8d-9e0f-112233445566"
PLUGIN = "5a4b3c2d-1e0f-4a9b-8c7d-6e5f4a3b2c1d"
BOT = UUID(DIALOG)
MESSAGE = {"user_id": USER, "payload": {"type": "text", "text": "hello"}}


def answer(dialog_id: str, text: str) -> dict[str, object]:
    return {
        "dialog_id": dialog_id,
        "trace_id": TRACE,
        "plugin_responses": [
            {
                "plugin_id": PLUGIN,
                "content": text,
                "content_type": "text/plain",
                "suggested_actions": [],
            }
        ],
        "usage": None,
        "status": "accepted",
        "error": None,
    }
