"""What of an operation is another without Redis, beside its limit and its events."""

from tools.contract import Operation

# All others answer from PostgreSQL alone, as ever. tests/every_operation.py asks every one.
OTHERWISE = {
    "addDialogMessage": "stored and answered as ever; `dialog:state` is not kept up",
    "resetDialog": "reset as ever; `dialog:state` is cleared when Redis is back",
    "getLimit": "the same: PostgreSQL has the master copy",
    "setLimit": "stored; holds in every instance within a second, and in Redis when it is back",
    "resetLimit": "stored; holds in every instance within a second, and in Redis when it is back",
    "getReadiness": "200, with `mode: degraded`",
    "getMetrics": "`botcore_degraded` and `botcore_limits_alone` are 1, "
    '`botcore_dependency_up{dependency="redis"}` is 0',
}


def degraded(operation: Operation) -> str:
    return OTHERWISE.get(operation.id, "the same")
