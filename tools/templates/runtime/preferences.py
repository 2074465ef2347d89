"""`Prefer` (RFC 7240): what a request would like. Nothing of it is ever refused."""

import re
from collections.abc import Iterable

# A comma within quotes parts nothing; quotes that do not end reach to the end.
_ELEMENT = re.compile(r'(?:[^",]|"(?:[^"\\]|\\.)*(?:"|\\?$))+', re.DOTALL)
_PREFERENCE = re.compile(
    r"\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*(?:=\s*(?:\"\")?\s*)?(?:;.*)?", re.DOTALL
)


def preferences(lines: Iterable[bytes]) -> frozenset[str]:
    """The names of those without a value, in lower case; several lines are one list."""
    elements = _ELEMENT.findall(",".join(line.decode("latin-1") for line in lines))
    found = (_PREFERENCE.fullmatch(element) for element in elements)
    return frozenset(match[1].lower() for match in found if match is not None)
