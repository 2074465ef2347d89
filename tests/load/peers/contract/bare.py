"""Starlette and orjson, and nothing is checked: what all others are measured against."""

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.load.peers.contract.answer import PATH, answer


async def add_message(request: Request) -> Response:
    body = orjson.loads(await request.body())
    told = answer(request.path_params["dialog_id"], body["payload"]["text"])
    return Response(orjson.dumps(told), media_type="application/json")


app = Starlette(routes=[Route(PATH, add_message, methods=["POST"])])
