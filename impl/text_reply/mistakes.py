"""A mistake of ours as the log may hold it."""

import traceback


def described(error: BaseException) -> dict[str, str]:
    """What and where; not the error's own words, which may repeat a message or a key."""
    where = "".join(traceback.format_tb(error.__traceback__))
    return {"error": type(error).__name__, "traceback": where}
