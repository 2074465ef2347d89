"""Bots, tokens, plugins and limits that exist, for cases of what operators do."""

from collections.abc import Callable
from typing import Any

from tests.contract.cases import Case, State, in_the_case_of, moment_of_utc, operation_id
from tests.contract.known import spare_token


def _manage_token(case: Case, state: State) -> None:
    """But for those of this run, each case has a token of its own, whole and without an end."""
    if case.path_parameters["token_id"] not in state.issued:
        _narrow_token(case, state)


def _narrow_token(case: Case, state: State) -> None:
    """A token that was narrowed before may lack what the next case would leave it."""
    known = {"bot_id": state.known.spare_bot_id, "plugin_id": state.known.plugin_id}
    for name in known.keys() & case.path_parameters.keys():
        case.path_parameters[name] = in_the_case_of(case.path_parameters[name], known[name])
        case.path_parameters["token_id"] = spare_token(name, state.next())


def _manage_tokens(case: Case, state: State) -> None:
    if "bot_id" in case.path_parameters:
        given = case.path_parameters["bot_id"]
        if given.lower() not in state.bots:
            case.path_parameters["bot_id"] = in_the_case_of(given, state.known.spare_bot_id)
    elif "plugin_id" in case.path_parameters:
        given = case.path_parameters["plugin_id"]
        case.path_parameters["plugin_id"] = in_the_case_of(given, state.known.plugin_id)


def list_(case: Case, state: State) -> None:
    _manage_tokens(case, state)
    if case.path_parameters.get("bot_id", "").lower() in state.bots:
        case.query.pop("cursor", None)
    elif "cursor" in case.query:
        case.query["cursor"] = state.known.list_cursors[operation_id(case)]


def _list_filtered(case: Case, state: State) -> None:
    """A cursor is of one choice of filters; that of this run is of none."""
    for name in {"from", "to"} & case.query.keys():
        if moment_of_utc(case.query[name]) is None:
            del case.query[name]
    if "cursor" in case.query:
        for name in case.query.keys() - {"cursor", "limit"}:
            del case.query[name]
        case.query["cursor"] = state.known.list_cursors[operation_id(case)]
    elif {"from", "to"} <= case.query.keys():
        del case.query["to"]  # it may be earlier


def _stream(case: Case, state: State) -> None:
    """It tells what is there and ends; a place is one of this run."""
    _list_filtered(case, state)
    case.query["max_seconds"] = 0
    if "Last-Event-ID" in case.headers:
        case.headers["Last-Event-ID"] = state.known.place


def _limit(case: Case, state: State) -> None:
    known = {
        "bot": state.known.spare_bot_id,
        "user": state.known.spare_user_id,
        "plugin": state.known.spare_plugin_id,
    }
    given = case.path_parameters["subject_id"]
    named = known[case.path_parameters["subject"]]
    case.path_parameters["subject_id"] = in_the_case_of(given, named)


def _administer_plugin(case: Case, state: State) -> None:
    given = case.path_parameters["plugin_id"]
    doomed = operation_id(case) == "deletePlugin"
    known = state.known.doomed_plugin_id if doomed else state.known.spare_plugin_id
    case.path_parameters["plugin_id"] = in_the_case_of(given, known)


def _erase_user(case: Case, state: State) -> None:
    """One who has no dialogs; whoever was erased once can be erased again."""
    given = case.path_parameters["user_id"]
    case.path_parameters["user_id"] = in_the_case_of(given, state.known.doomed_user_id)


def _revoke_bot(case: Case, state: State) -> None:
    given = case.path_parameters["bot_id"]
    if given.lower() not in state.bots:
        case.path_parameters["bot_id"] = in_the_case_of(given, state.known.doomed_bot_id)


def _subscribe(case: Case, state: State) -> None:
    """Nothing may be sent to where a case likes: no worker runs, and the URL is the fixture's."""
    body: Any = case.body
    for name in ("url", "callback_url"):
        if body.get(name) is not None:
            body[name] = state.known.plugin_url


def _subscription(case: Case, state: State) -> None:
    given = case.path_parameters["subscription_id"]
    doomed = operation_id(case) == "deleteSubscription"
    known = state.known.doomed_subscription_id if doomed else state.known.subscription_id
    case.path_parameters["subscription_id"] = in_the_case_of(given, known)
    if "delivery_id" in case.path_parameters:
        given = case.path_parameters["delivery_id"]
        case.path_parameters["delivery_id"] = in_the_case_of(given, state.known.delivery_id)


def _update_subscription(case: Case, state: State) -> None:
    """One that is never disabled by it: others are tested and sent again."""
    _subscription(case, state)
    _subscribe(case, state)
    body: Any = case.body
    if body.get("status") == "disabled":
        body["status"] = "active"


def _list_deliveries(case: Case, state: State) -> None:
    _subscription(case, state)
    _list_filtered(case, state)


def _callback(case: Case, state: State) -> None:
    given = case.path_parameters["bot_id"]
    case.path_parameters["bot_id"] = in_the_case_of(given, state.known.spare_bot_id)
    if operation_id(case) == "setBotCallback":
        _subscribe(case, state)


ALIGN: dict[str, Callable[[Case, State], None]] = {
    "eraseUser": _erase_user,
    "revokeBot": _revoke_bot,
    "listBots": list_,
    "setBotCallback": _callback,
    "removeBotCallback": _callback,
    "listSubscriptions": list_,
    "createSubscription": _subscribe,
    "getSubscription": _subscription,
    "updateSubscription": _update_subscription,
    "deleteSubscription": _subscription,
    "rotateSubscriptionSecret": _subscription,
    "testSubscription": _subscription,
    "listDeliveries": _list_deliveries,
    "resendDelivery": _subscription,
    "listBotTokens": list_,
    "issueBotToken": _manage_tokens,
    "rotateBotToken": _manage_token,
    "narrowBotToken": _narrow_token,
    "revokeBotToken": _manage_token,
    "listPluginTokens": list_,
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
    "streamPluginEvents": _stream,
}
