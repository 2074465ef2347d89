"""What the core is told in these rows."""

DEADLINE_SECONDS, LEASE_SECONDS = 2.0, 12.0
# A call whose outcome could not be stored is open until its lease ends, and then a worker makes it.
ENDS_SECONDS = LEASE_SECONDS + 10.0
SETTINGS = {
    "call_deadline_seconds": f"{DEADLINE_SECONDS:g}",
    "call_lease_seconds": f"{LEASE_SECONDS:g}",
    # Never opens: on a busy machine a good plugin is late too, and that is not what is looked at.
    "breaker_calls": "10000",
}
