"""What schemathesis cannot know, told to it: which ids exist, and which values must agree.

Only cases that are meant to be accepted are touched, and only where the contract's words say more
than its schemas can. `aim` is called by the tests in process; `st run` reads FUZZ_KNOWN.
"""

import json
import os
import re
from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import schemathesis
from schemathesis import GenerationMode, HookContext, Response
from schemathesis.core.parameters import ParameterLocation
from schemathesis.resources import PoolDraw

from tests.contract import align_administration, align_plugins
from tests.contract.cases import Case, State, in_the_case_of, operation_id
from tests.contract.known import TEXTS, Known

_state: State | None = None


def aim(known: Known) -> State:
    """From here on requests are for the system that `known` describes."""
    global _state  # noqa: PLW0603  # hooks are found by name, so what they know is the module's
    _state = State(known, users=dict(known.dialogs), made=set(known.dialogs))
    _state.stored += known.messages.items()
    _state.messages |= {(dialog, text) for dialog in known.dialogs for text in TEXTS}
    return _state


def _current() -> State:
    if _state is not None:
        return _state
    return aim(Known(**json.loads(Path(os.environ["FUZZ_KNOWN"]).read_text())))


def _add_dialog_message(case: Case, state: State) -> None:
    dialog = str(case.path_parameters["dialog_id"]).lower()
    body: Any = case.body
    known = state.known.users
    user = state.users.setdefault(dialog, known[state.next() % len(known)])
    body["user_id"] = in_the_case_of(body["user_id"], user)
    if body.get("dialog_id") is not None:
        body["dialog_id"] = in_the_case_of(body["dialog_id"], dialog)
    message = body.get("message_id")
    if message is not None and (dialog, message) in state.messages:
        body["message_id"] = message = str(uuid4())
    if message is not None:
        state.messages.add((dialog, message))
    if state.next() % 3 == 0:  # of itself no text is ever this one
        case.headers["Prefer"] = "respond-async"


def _get_dialog(case: Case, state: State) -> None:
    dialog = str(case.path_parameters["dialog_id"]).lower()
    if dialog not in state.made:
        cursors = list(state.known.cursors)
        dialog = cursors[state.next() % len(cursors)]
        case.path_parameters["dialog_id"] = dialog
    _claim(case)
    if "cursor" in case.query:
        # With a cursor of its own bot another bot is refused before the dialog is looked for.
        if dialog in state.known.cursors and state.next() % 2:
            case.query["cursor"] = state.known.cursors[dialog]
        else:
            del case.query["cursor"]


def _get_dialog_message(case: Case, state: State) -> None:
    named = str(case.path_parameters["dialog_id"]).lower(), str(case.path_parameters["message_id"])
    if named not in state.stored:
        dialog, message = state.stored[state.next() % len(state.stored)]
        case.path_parameters.update(dialog_id=dialog, message_id=message)
    _claim(case)


def _reset_dialog(case: Case, state: State) -> None:
    dialog = str(case.path_parameters["dialog_id"]).lower()
    if dialog not in state.made:
        made = sorted(state.made)
        dialog = made[state.next() % len(made)]
        case.path_parameters["dialog_id"] = dialog
    body: Any = case.body
    body["user_id"] = in_the_case_of(body["user_id"], state.users[dialog])
    if body.get("dialog_id") is not None:
        body["dialog_id"] = in_the_case_of(body["dialog_id"], dialog)


def _claim(case: Case) -> None:
    """Every dialog of this run was made by the bot that reads it.

    object_level_authorization takes only ids that a response brought for objects of the caller's
    own; a dialog's id is chosen by the caller and stands in the path of the request that makes it.
    """
    meta = case.meta
    if meta is not None:
        meta.pool_draws = (
            PoolDraw(
                resource_name="Dialog",
                resource_field="id",
                source_operation="POST /api/v1/dialogs/{dialog_id}/messages",
                source_status=200,
                source_identity=case.auth_identity,
                location="path",
                parameter_name="dialog_id",
            ),
        )


ALIGN: dict[str, Callable[[Case, State], None]] = {
    "addDialogMessage": _add_dialog_message,
    "getDialog": _get_dialog,
    "getDialogMessage": _get_dialog_message,
    "listPlugins": align_administration.list_,
    "resetDialog": _reset_dialog,
    **align_administration.ALIGN,
    **align_plugins.ALIGN,
}


REGISTER = "registerPlugin"


def base_url(case: Case) -> str:
    known = _current().known
    return known.registry_url if operation_id(case) == REGISTER else known.url


@schemathesis.hook
def before_init_operation(context: HookContext, operation: Any) -> None:
    """`st run` knows one address; registration goes to the API that is there for it."""
    if "FUZZ_KNOWN" in os.environ and operation.definition.raw["operationId"] == REGISTER:
        operation.base_url = _current().known.registry_url


def _breaks_nothing(case: Case) -> bool:
    """Whether all that is wrong is a header that nobody declared, which anybody may send.

    schemathesis knows that by itself, but not beside a number: on the wire that is text.
    """
    if case.meta is None or operation_id(case) != "addDialogMessage":
        return False
    wrong = {where for where, part in case.meta.components.items() if part.mode.is_negative}
    deadline = str(case.headers.get("X-Deadline-Ms", 100))
    return (
        wrong == {ParameterLocation.HEADER}
        and re.fullmatch("[1-9][0-9]{2,4}", deadline, re.ASCII) is not None
        and int(deadline) <= 60_000
        and case.headers.get("X-Schema-Version", "v1alpha") == "v1alpha"
    )


@schemathesis.hook
def before_call(context: HookContext, case: Case, kwargs: MutableMapping[str, Any]) -> None:
    """The last moment before a request: what is sent is what the checks judge."""
    if case.meta is not None and case.meta.generation.mode.is_negative and _breaks_nothing(case):
        case.meta.generation.mode = GenerationMode.POSITIVE
        case.meta.components[ParameterLocation.HEADER].mode = GenerationMode.POSITIVE
    align = ALIGN.get(operation_id(case))
    if align is not None and case.meta is not None and case.meta.generation.mode.is_positive:
        align(case, _current())
    if case.meta is not None and not _is_called_by_bots(case):
        # Both bots' cases carry the same key and the same plugin's token: one caller owns it all.
        case.meta.pool_draws = ()


def _is_called_by_bots(case: Case) -> bool:
    needs: list[dict[str, Any]] = case.operation.definition.raw["security"]
    return any("BotToken" in need for need in needs)


@schemathesis.hook
def after_call(context: HookContext, case: Case, response: Response) -> None:
    """Keeps which dialogs, messages, bots and tokens there are."""
    sent = case.method.upper(), operation_id(case), response.status_code
    if sent[:2] == ("POST", "addDialogMessage") and response.status_code in (200, 202):
        dialog = str(case.path_parameters["dialog_id"]).lower()
        _current().made.add(dialog)
        (location,) = response.headers["location"]
        named = dialog, location.rsplit("/", 1)[1]
        _current().stored.append(named)
        _current().messages.add(named)  # also where the core chose the id
    if response.status_code == 201 and "issued" in (made := response.json()):
        _current().issued.add(made["issued"]["id"])
        _current().bots.update([made["bot"]["id"]] if "bot" in made else [])
