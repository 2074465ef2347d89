"""An operator: whoever manages the tokens of one bot or plugin over the API."""

from typing import Any
from uuid import uuid4

from tests.stack import Answer, Api

BOT_SCOPES = ["dialogs:read", "dialogs:write", "users:write"]
PLUGIN_SCOPES = ["plugins:read", "telemetry:write"]


class Operator:
    """Sends what it is told with an admin key, below one bot or plugin."""

    def __init__(self, api: Api, key: str, holder: str, scopes: list[str]) -> None:
        self.api, self.key, self.holder, self.scopes = api, key, holder, scopes

    @property
    def tokens(self) -> str:
        return f"/api/v1/admin/{self.holder}/tokens"

    async def send(self, method: str, path: str, **options: Any) -> Answer:
        return await self.api.send(method, path, headers={"X-Admin-Key": self.key}, **options)

    async def issue(self, **body: Any) -> Answer:
        return await self.send("POST", self.tokens, json={"scopes": self.scopes, **body})

    async def token(self, **body: Any) -> Any:
        answer = await self.issue(**body)
        assert answer.status == 201, answer.raw
        return answer.json

    async def rotate(self, token_id: str, **body: Any) -> Answer:
        return await self.send("POST", f"{self.tokens}/{token_id}/rotate", json=body)

    async def narrow(self, token_id: str, **body: Any) -> Answer:
        return await self.send("PATCH", f"{self.tokens}/{token_id}", json=body)

    async def revoke(self, token_id: str) -> Answer:
        return await self.send("DELETE", f"{self.tokens}/{token_id}")

    async def works(self, plaintext: str) -> bool:
        """Whether the API takes it now; what it permits is another matter."""
        if self.holder.startswith("bots"):
            headers = {"X-Bot-Token": plaintext}
            answer = await self.api.send("GET", f"/api/v1/dialogs/{uuid4()}", headers=headers)
        else:
            headers = {"Authorization": f"Bearer {plaintext}"}
            path = f"/api/v1/{self.holder}/heartbeat"
            body = {"plugin_id": self.holder.partition("/")[2], "status": "active"}
            answer = await self.api.send("POST", path, headers=headers, json=body)
        return answer.status != 401


def code(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.json["code"]


def fault(answer: Answer) -> tuple[int, str, str]:
    [found] = answer.json["errors"]
    return answer.status, found["pointer"], found["code"]
