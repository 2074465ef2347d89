"""FastAPI as a careful team writes it: typed models in and out, a dependency for the token, one
handler that brings errors into the declared shape."""

from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

from fastapi import Depends, FastAPI, Header, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from tests.load.peers.contract.answer import PATH, PLUGIN, TOKEN, TRACE

Text = Annotated[str, Field(min_length=1, max_length=4096)]


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Attachment(Closed):
    url: Annotated[str, Field(max_length=2048)]
    mime_type: Annotated[str, Field(max_length=255)]
    name: Annotated[str, Field(max_length=255)] | None = None


class TextPayload(Closed):
    type: Literal["text"]
    text: Text
    attachments: Annotated[list[Attachment], Field(max_length=10)] = []


class CommandPayload(Closed):
    type: Literal["command"]
    text: Text
    attachments: Annotated[list[Attachment], Field(max_length=10)] = []


class ImagePayload(Closed):
    type: Literal["image"]
    attachments: Annotated[list[Attachment], Field(min_length=1, max_length=10)]


class Message(Closed):
    dialog_id: UUID | None = None
    user_id: UUID
    message_id: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    trace_id: UUID | None = None
    payload: Annotated[TextPayload | CommandPayload | ImagePayload, Field(discriminator="type")]
    metadata: dict[str, Any] = {}


class Response(Closed):
    plugin_id: UUID
    content: Text
    content_type: str
    suggested_actions: list[str]


class Answer(Closed):
    dialog_id: UUID
    trace_id: UUID
    plugin_responses: Annotated[list[Response], Field(max_length=10)]
    usage: dict[str, int] | None
    status: Literal["accepted", "queued", "failed"]
    error: dict[str, Any] | None


def bot(x_bot_token: Annotated[str | None, Header()] = None) -> str:
    if x_bot_token != TOKEN:
        raise HTTPException(401, "The token is not known.")
    return x_bot_token


app = FastAPI()


@app.post(PATH)
async def add_message(
    dialog_id: UUID,
    body: Message,
    bot_token: Annotated[str, Depends(bot)],
    x_deadline_ms: Annotated[int | None, Header(ge=100, le=60000)] = None,
) -> Answer:
    text = body.payload.text if isinstance(body.payload, TextPayload) else "?"
    said = Response(
        plugin_id=UUID(PLUGIN), content=text, content_type="text/plain", suggested_actions=[]
    )
    return Answer(
        dialog_id=dialog_id,
        trace_id=UUID(TRACE),
        plugin_responses=[said],
        usage=None,
        status="accepted",
        error=None,
    )


def _problem(status: int, code: str, detail: str, errors: list[dict[str, Any]]) -> JSONResponse:
    told = {"title": code, "status": status, "detail": detail, "code": code,
            "trace_id": str(uuid4()), "errors": errors}  # fmt: skip
    return JSONResponse(told, status, media_type="application/problem+json")


@app.exception_handler(HTTPException)
async def refused(_request: Request, error: HTTPException) -> JSONResponse:
    return _problem(error.status_code, "refused", error.detail, [])


@app.exception_handler(RequestValidationError)
async def invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
    found = [{"pointer": "/".join(map(str, item["loc"])), "message": item["msg"]}
             for item in error.errors()]  # fmt: skip
    return _problem(422, "validation_failed", "Values were refused.", found)
