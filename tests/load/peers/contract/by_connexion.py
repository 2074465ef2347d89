"""Connexion, which reads a contract when it starts and holds each request against it."""

from pathlib import Path
from typing import Any

from connexion import AsyncApp
from connexion.resolver import Resolver

from tests.load.peers.contract.answer import TOKEN, answer

CONTRACT = Path(__file__).with_name("message.openapi.yaml")


async def add_message(dialog_id: str, body: dict[str, Any], **_more: Any) -> Any:
    told = answer(str(dialog_id), body["payload"]["text"])
    return told, 200, {"Content-Type": "application/json"}


def token_info(token: str, **_more: Any) -> dict[str, str] | None:
    return {"sub": "bench"} if token == TOKEN else None


def make(*, answers: bool) -> AsyncApp:
    """`answers`: whether they are held against the contract too."""
    made = AsyncApp(__name__)
    made.add_api(
        CONTRACT,
        resolver=Resolver(lambda _operation: add_message),
        strict_validation=True,
        validate_responses=answers,
    )
    return made
