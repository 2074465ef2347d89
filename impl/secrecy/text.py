"""What is written down, without what looks like one of our secrets.

Nothing of ours writes one on purpose. This is for words of libraries and for mistakes: the last
step of every log line and of every traceback.
"""

import re2

# By RE2, which never backtracks. A token keeps its kind and id, by which it is found; a URL its
# user, host and database.
_TOKEN = rb"(\bbc_[a-z]+_(?:[A-Za-z0-9-]+_)?)[A-Za-z0-9._~_-]{6,}"
_CREDENTIALS = rb"(\b[a-z][a-z0-9+.-]*://[^\s/:@\"'\\]*:)[^\s\"']+(@)"
_OPTION = rb"([?&](?:password|sslpassword|token|api_key)=)[^\s&\"'\\]+"
_HEADER = rb"((?i:bearer|basic) )[A-Za-z0-9._~+/=-]{8,}"
_KEY = rb"(\b(?:whsec_|sk-))[A-Za-z0-9+/=_-]{8,}"
_KEPT = {
    _TOKEN: rb"\1***",
    _CREDENTIALS: rb"\1***\2",
    _OPTION: rb"\1***",
    _HEADER: rb"\1***",
    _KEY: rb"\1***",
}
_PATTERNS = [(re2.compile(pattern), kept) for pattern, kept in _KEPT.items()]
# One pass for the lines, nearly all, in which there is none.
_ANY = re2.compile(b"|".join(_KEPT))


def scrubbed(line: bytes) -> bytes:
    """`line` with the secrets in it masked; JSON stays JSON."""
    if _ANY.search(line) is None:
        return line
    for pattern, kept in _PATTERNS:
        line = pattern.sub(kept, line)
    return line


def scrubbed_text(text: str) -> str:
    return scrubbed(text.encode("utf-8", "replace")).decode()
