"""Requests and answers of a model in the log, where an operator asked for them."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import structlog

from impl.llm.masking import cut, masked

log = structlog.get_logger()


class ExchangeLog:
    """Cut to 2 KB each, secrets masked, `secrets` among them. Silent unless it is `on`: users'
    words are in them, and who reads a log is not who may read messages."""

    def __init__(self, *, on: bool, secrets: Sequence[str] = ()) -> None:
        self._on = on
        self._secrets = secrets

    def request(self, body: Mapping[str, Any]) -> None:
        """The newest turn first: what is cut off is what every request has in common."""
        if self._on:
            newest_first = {**body, "messages": list(reversed(body.get("messages", ())))}
            newest_first.pop("response_format", None)
            log.info("llm_request", body=self._shown(orjson.dumps(newest_first)))

    def response(self, status: int, content: bytes) -> None:
        if self._on:
            log.info("llm_response", status=status, body=self._shown(content))

    def _shown(self, content: bytes) -> str:
        return cut(masked(content.decode("utf-8", "replace"), self._secrets))
