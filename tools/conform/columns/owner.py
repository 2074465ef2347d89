"""To another caller the object is as absent as one that never was."""

import json
from uuid import uuid4

from tools.conform.answers import Answer
from tools.conform.client import Request
from tools.conform.codes import NOWHERE, Try
from tools.conform.good import Caller
from tools.conform.results import Results

COLUMN = "owner"


async def run(case: Try, results: Results, other: Caller) -> None:
    owner = case.operation.spec.get("x-owner")
    if owner is None:
        return
    good = await case.good()
    foreign = await case.send(_as(other, good))
    faults = [] if foreign.code == owner["code"] else [f"answered {foreign}"]
    results.add(case.operation.id, COLUMN, "another's", faults)
    absent = NOWHERE.get(owner["parameter"], str(uuid4()))
    path = {**good.path, owner["parameter"]: absent}
    # Told apart by nothing but the trace; the other caller's own object would be another matter.
    nowhere = await case.send(_as(other, good).but(path=path))
    if owner["by"] == "result" and case.operation.method != "post":
        same = _told(foreign) == _told(nowhere)
        faults = [] if same else [f"another's {_told(foreign)}, absent {_told(nowhere)}"]
        results.add(case.operation.id, COLUMN, "as absent", faults)
    mine = await case.send(await case.good())
    faults = [] if mine.status < 300 else [f"answered {mine}"]
    results.add(case.operation.id, COLUMN, "one's own", faults)


def _as(other: Caller, request: Request) -> Request:
    tokens = {"BotToken": other.bot.token, "PluginToken": other.plugin.token}
    body = request.body
    if body is not None and "user_id" in body:
        body = {**body, "user_id": other.bot.user_id}
    credentials = {scheme: tokens[scheme] for scheme in request.credentials}
    return request.but(credentials=credentials, body=body)


def _told(answer: Answer) -> str:
    body = json.loads(answer.content)
    body.pop("trace_id", None)
    return f"{answer.status} {json.dumps(body, sort_keys=True)}"
