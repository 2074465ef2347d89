"""What of a request or an answer may be written down: no secret, and no more than 2 KB."""

from collections.abc import Collection

import re2

MAX_BYTES = 2048
MASK = "***"
ELLIPSIS = "…"

# By RE2, which never backtracks: the text is anybody's. Each in its own group, all in one pattern.
_SECRETS = re2.compile(
    r"-----BEGIN [A-Z ]+-----[\s\S]*?(-----END [A-Z ]+-----|\z)"
    r"|(?i:bearer|authorization\W+basic)\s+[A-Za-z0-9._~+/=-]{6,}"
    r"|\bbc_[a-z]+_[A-Za-z0-9._~-]+"  # ours
    r"|\b(sk|pk|rk)[-_][A-Za-z0-9_-]{8,}"
    r"|\b(gh[pousr]_|github_pat_|glpat-|xox[abeoprs]-|hf_|AIza)[A-Za-z0-9_-]{8,}"
    r"|\b(AKIA|ASIA)[A-Z0-9]{12,}"
    r"|\beyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_.-]+"  # a JSON web token
    r"|(?i:api[_-]?key|access[_-]?token|secret|passw(or)?d|token|пароль)[\"']?\s*[:=]\s*[\"']?[^\s\"',;&]{3,}"
    r"|\b[a-z][a-z0-9+.-]*://[^\s/@:]+:[^\s/@]+@"  # credentials in a URL
    r"|[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+"
    r"|\b\d([ -]?\d){12,18}\b"  # the numbers of cards
)


def masked(text: str, secrets: Collection[str] = ()) -> str:
    """`text` without what looks like a secret, and without each of `secrets`."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, MASK)
    found: str = _SECRETS.sub(MASK, text)
    return found


def cut(text: str, most: int = MAX_BYTES) -> str:
    """At most `most` bytes of UTF-8, whole characters."""
    raw = text.encode("utf-8", "replace")
    if len(raw) <= most:
        return raw.decode()
    return raw[: most - len(ELLIPSIS.encode())].decode("utf-8", "ignore") + ELLIPSIS
