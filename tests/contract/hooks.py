"""What schemathesis cannot know, told to it: which ids exist, and which values must agree.

Only cases that are meant to be accepted are touched, and only where the contract's words say more
than its schemas can. `aim` is called by the tests in process; `st run` reads FUZZ_KNOWN.
"""

import json
import os
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import re2
import schemathesis
from schemathesis import HookContext, Response
from schemathesis.resources import PoolDraw

from impl.routing.patterns import PatternSet, TooCostlyError, check_pattern
from tests.contract.known import Known, spare_token

Case = schemathesis.Case[Any]
ROOM = 48 * 1024  # of the 64 KB that a row takes, in the form in which the request is sent


@dataclass
class State:
    """What this run has learned so far."""

    known: Known
    users: dict[str, str] = field(default_factory=dict)  # of each dialog
    made: set[str] = field(default_factory=set)  # dialogs that exist
    messages: set[tuple[str, str]] = field(default_factory=set)
    stored: list[tuple[str, str]] = field(default_factory=list)  # messages that can be read
    bots: set[str] = field(default_factory=set)  # and their tokens, as far as this run made them
    issued: set[str] = field(default_factory=set)
    events: set[str] = field(default_factory=set)
    manifests: dict[tuple[str, str], str] = field(default_factory=dict)
    turn: int = 0

    def next(self) -> int:
        self.turn += 1
        return self.turn


_state: State | None = None


def aim(known: Known) -> State:
    """From here on requests are for the system that `known` describes."""
    global _state  # noqa: PLW0603  # hooks are found by name, so what they know is the module's
    _state = State(known, users=dict(known.dialogs), made=set(known.dialogs))
    _state.stored += known.messages.items()
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
    body["user_id"] = _in_the_case_of(body["user_id"], user)
    if body.get("dialog_id") is not None:
        body["dialog_id"] = _in_the_case_of(body["dialog_id"], dialog)
    message = body.get("message_id")
    if message is not None and (dialog, message) in state.messages:
        body["message_id"] = message = str(uuid4())
    if message is not None:
        state.messages.add((dialog, message))


def _in_the_case_of(given: str, wanted: str) -> str:
    return wanted.upper() if given != given.lower() else wanted


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
    body["user_id"] = _in_the_case_of(body["user_id"], state.users[dialog])
    if body.get("dialog_id") is not None:
        body["dialog_id"] = _in_the_case_of(body["dialog_id"], dialog)


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


def _send_plugin_heartbeat(case: Case, state: State) -> None:
    plugin = state.known.plugin_id
    case.path_parameters["plugin_id"] = _in_the_case_of(case.path_parameters["plugin_id"], plugin)
    body: Any = case.body
    body["plugin_id"] = _in_the_case_of(body["plugin_id"], plugin)


def _report_plugin_event(case: Case, state: State) -> None:
    _send_plugin_heartbeat(case, state)
    body: Any = case.body
    if body["event_id"].lower() in state.events:
        body["event_id"] = str(uuid4())
    state.events.add(body["event_id"].lower())
    if not _is_past(body["occurred_at"]):
        body["occurred_at"] = "2024-02-29T10:15:30.123456Z"
    if "payload" in body:
        body["payload"] = _storable(body["payload"])
        if len(json.dumps(body["payload"])) > ROOM:
            body["payload"] = {}


def _is_past(moment: str) -> bool:
    try:
        return datetime.fromisoformat(moment.upper()) < datetime.now(UTC)
    except (ValueError, OverflowError):  # a second 60, an hour that UTC's calendar does not have
        return False


def _register_plugin(case: Case, state: State) -> None:
    body: Any = case.body
    manifest = body["manifest"]
    body["base_url"] = state.known.plugin_url
    manifest["name"], manifest["version"] = body["name"], body["version"]
    for name in ("input_schema", "output_schema"):
        if name in manifest:
            manifest[name] = _storable(manifest[name])
    patterns: list[str] = []
    for intent in manifest["intents"]:
        condition = intent["activation_condition"]
        if condition["type"] == "regex":
            if not _fits([*patterns, condition["value"]]):
                condition["value"] = "(?i)^/weather"
            patterns.append(condition["value"])
    tags = {intent["tag"]: intent for intent in manifest["intents"]}
    manifest["intents"] = list(tags.values())
    while len(json.dumps(manifest)) > ROOM and manifest["intents"]:
        manifest["intents"].pop()
    _make_new(body, manifest, state)


def _make_new(body: dict[str, Any], manifest: dict[str, Any], state: State) -> None:
    """Another manifest under a version that exists is a conflict: three of four times a new one."""
    version = body["name"], body["version"]
    content = json.dumps({**manifest, "version": ""}, sort_keys=True)
    if state.manifests.setdefault(version, content) != content and state.next() % 4:
        body["version"] = manifest["version"] = f"0.{state.turn}.0"
        state.manifests[body["name"], body["version"]] = content


def _storable(value: Any, depth: int = 3) -> Any:
    """Of free JSON, what jsonb keeps: no NUL, no integer beyond 64 bits, at most 32 levels."""
    if isinstance(value, dict) and depth < 32:
        return {_storable(key): _storable(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list) and depth < 32:
        return [_storable(item, depth + 1) for item in value]
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return 0
    return None if isinstance(value, dict | list) else value


def _fits(patterns: list[str]) -> bool:
    """Whether RE2 takes the last of them, and the plugin's budget all of them."""
    try:
        check_pattern(patterns[-1])
        PatternSet(patterns)
    except (TooCostlyError, re2.error):
        return False
    return True


def _manage_token(case: Case, state: State) -> None:
    """But for those of this run, each case has a token of its own, whole and without an end."""
    if case.path_parameters["token_id"] not in state.issued:
        _narrow_token(case, state)


def _narrow_token(case: Case, state: State) -> None:
    """A token that was narrowed before may lack what the next case would leave it."""
    known = {"bot_id": state.known.spare_bot_id, "plugin_id": state.known.plugin_id}
    for name in known.keys() & case.path_parameters.keys():
        case.path_parameters[name] = _in_the_case_of(case.path_parameters[name], known[name])
        case.path_parameters["token_id"] = spare_token(name, state.next())


def _manage_tokens(case: Case, state: State) -> None:
    if "bot_id" in case.path_parameters:
        given = case.path_parameters["bot_id"]
        if given.lower() not in state.bots:
            case.path_parameters["bot_id"] = _in_the_case_of(given, state.known.spare_bot_id)
    elif "plugin_id" in case.path_parameters:
        given = case.path_parameters["plugin_id"]
        case.path_parameters["plugin_id"] = _in_the_case_of(given, state.known.plugin_id)


def _list(case: Case, state: State) -> None:
    _manage_tokens(case, state)
    if case.path_parameters.get("bot_id", "").lower() in state.bots:
        case.query.pop("cursor", None)
    elif "cursor" in case.query:
        case.query["cursor"] = state.known.list_cursors[operation_id(case)]


def _list_filtered(case: Case, state: State) -> None:
    """A cursor is of one choice of filters; that of this run is of none."""
    if "cursor" in case.query:
        for name in case.query.keys() - {"cursor", "limit"}:
            del case.query[name]
        case.query["cursor"] = state.known.list_cursors[operation_id(case)]
    elif {"from", "to"} <= case.query.keys():
        del case.query["to"]  # it may be earlier


def _limit(case: Case, state: State) -> None:
    known = {
        "bot": state.known.spare_bot_id,
        "user": state.known.spare_user_id,
        "plugin": state.known.spare_plugin_id,
    }
    given = case.path_parameters["subject_id"]
    named = known[case.path_parameters["subject"]]
    case.path_parameters["subject_id"] = _in_the_case_of(given, named)


def _administer_plugin(case: Case, state: State) -> None:
    given = case.path_parameters["plugin_id"]
    doomed = operation_id(case) == "deletePlugin"
    known = state.known.doomed_plugin_id if doomed else state.known.spare_plugin_id
    case.path_parameters["plugin_id"] = _in_the_case_of(given, known)


def _revoke_bot(case: Case, state: State) -> None:
    given = case.path_parameters["bot_id"]
    if given.lower() not in state.bots:
        case.path_parameters["bot_id"] = _in_the_case_of(given, state.known.doomed_bot_id)


ALIGN: dict[str, Callable[[Case, State], None]] = {
    "addDialogMessage": _add_dialog_message,
    "getDialog": _get_dialog,
    "getDialogMessage": _get_dialog_message,
    "listPlugins": _list,
    "resetDialog": _reset_dialog,
    "sendPluginHeartbeat": _send_plugin_heartbeat,
    "reportPluginEvent": _report_plugin_event,
    "registerPlugin": _register_plugin,
    "revokeBot": _revoke_bot,
    "listBots": _list,
    "listBotTokens": _list,
    "issueBotToken": _manage_tokens,
    "rotateBotToken": _manage_token,
    "narrowBotToken": _narrow_token,
    "revokeBotToken": _manage_token,
    "listPluginTokens": _list,
    "issuePluginToken": _manage_tokens,
    "rotatePluginToken": _manage_token,
    "narrowPluginToken": _narrow_token,
    "revokePluginToken": _manage_token,
    "listAllPlugins": _list_filtered,
    "enablePlugin": _administer_plugin,
    "disablePlugin": _administer_plugin,
    "deletePlugin": _administer_plugin,
    "getLimit": _limit,
    "setLimit": _limit,
    "resetLimit": _limit,
    "listAuditEntries": _list_filtered,
    "listPluginEvents": _list_filtered,
}


REGISTER = "registerPlugin"


def operation_id(case: Case) -> str:
    return str(case.operation.definition.raw["operationId"])


def base_url(case: Case) -> str:
    known = _current().known
    return known.registry_url if operation_id(case) == REGISTER else known.url


@schemathesis.hook
def before_init_operation(context: HookContext, operation: Any) -> None:
    """`st run` knows one address; registration goes to the API that is there for it."""
    if "FUZZ_KNOWN" in os.environ and operation.definition.raw["operationId"] == REGISTER:
        operation.base_url = _current().known.registry_url


@schemathesis.hook
def before_call(context: HookContext, case: Case, kwargs: MutableMapping[str, Any]) -> None:
    """The last moment before a request: what is sent is what the checks judge."""
    align = ALIGN.get(operation_id(case))
    if align is not None and case.meta is not None and case.meta.generation.mode.is_positive:
        align(case, _current())


@schemathesis.hook
def after_call(context: HookContext, case: Case, response: Response) -> None:
    """Keeps which dialogs, messages, bots and tokens there are."""
    sent = case.method.upper(), operation_id(case), response.status_code
    if sent == ("POST", "addDialogMessage", 200):
        dialog = str(case.path_parameters["dialog_id"]).lower()
        _current().made.add(dialog)
        (location,) = response.headers["location"]
        _current().stored.append((dialog, location.rsplit("/", 1)[1]))
    if response.status_code == 201 and "issued" in (made := response.json()):
        _current().issued.add(made["issued"]["id"])
        _current().bots.update([made["bot"]["id"]] if "bot" in made else [])
