"""Patterns as one RE2 set whose worst message is bounded.

RE2 never backtracks, but its automaton is built as it reads: where each character leads to a state
not seen before, a character costs one step for each place in the patterns that may be active. The
set then throws its states away and starts again, and never gives up. So the number of such places
is bounded, for all patterns of a plugin together, and for all of a set.
"""

import re
from collections import Counter
from collections.abc import Sequence

import re2
import structlog

log = structlog.get_logger()

# Measured on two busy cores with texts of 4,096 characters, 19 kinds of patterns by 11 texts: at a
# cap of 120 the worst took 23 ms (`(?s)\pL.{108}x`), at 400 it was 73 ms, and 2.3 s without a cap.
# 300 leaves room for ordinary manifests, whose intents cost little: `^/weather\b` nothing,
# `(?i)\b(weather|forecast)\s+in\s+(\w+)` 6, `^/order\s+\d{1,6}$` 19.
MAX_COST = 300
# A pattern of about 5,000 instructions forward, and as many a plugin as 16,000; both compile within
# milliseconds. What is larger RE2 refuses at once.
PATTERN_BYTES = 512 << 10
SET_BYTES = 1 << 20

# Matches every text, once: where not even it is among the hits, the set has failed.
ALWAYS = r"\A"
# A literal at the beginning, whole or as a prefix: it is read as far as it is long, so it costs
# nothing.
COMMAND = re.compile(r"(\(\?i\))?\^((?:[^\\.^$|?*+()\[\]{}]|\\[-/.+*?])*)(\\b|\$)?")
# One character or class of RE2's syntax. Where in doubt it takes less, so that more are counted.
TOKEN = re.compile(
    r"\\[pP](?:\{[^}]*\}|.)|\\x\{[^}]*\}|\\.|\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\]"
    r"|\(\?(?:P?<\w+>|[a-zA-Z-]*[:)])|.",
    re.DOTALL,
)
PROPERTY = re.compile(r"\\[pPx]\{[^}]*\}")
OF_NO_WIDTH = frozenset({*"^$|()*+?", r"\b", r"\B", r"\A", r"\z"})


class TooCostlyError(ValueError):
    """The patterns are too large, or could hold up the routing of a message."""


class PatternSet:
    """Raises TooCostlyError, or re2.error for what is no pattern."""

    def __init__(self, patterns: Sequence[str], max_bytes: int = SET_BYTES) -> None:
        self._patterns = patterns
        if cost(patterns) > MAX_COST:
            raise TooCostlyError
        self._set = re2.Set.SearchSet(_options(max_bytes))
        for pattern in (ALWAYS, *patterns):
            self._set.Add(pattern)
        try:
            self._set.Compile()
        except re2.error:  # of patterns that were all taken: the set has no memory
            raise TooCostlyError from None

    def hits(self, text: bytes) -> list[int]:
        """Which patterns match somewhere in `text`, which is UTF-8."""
        found = self._set.Match(text)
        if not found:
            # RE2 says nothing where a set runs out of memory. It should not after Compile, which
            # tries the memory; if it does, one by one is slow and right.
            log.error("pattern_set_failed", patterns=len(self._patterns))
            return [
                index
                for index, pattern in enumerate(self._patterns)
                if re2.compile(pattern.encode(), _options(PATTERN_BYTES)).search(text)
            ]
        return [index - 1 for index in found if index]


def command(pattern: str) -> str | None:
    """The command, as `/weather`, that begins every text which `pattern` matches; None: no such."""
    found = COMMAND.fullmatch(pattern)
    literal = found[2].replace("\\", "") if found else ""
    return literal if len(literal) > 1 and literal.startswith("/") else None


def check_pattern(pattern: str) -> None:
    """Raises re2.error for what is no pattern of RE2, TooCostlyError for one too large for us."""
    try:
        compiled = re2.compile(pattern, _options(PATTERN_BYTES))
    except re2.error as error:
        if "too large" in str(error):
            raise TooCostlyError from None
        raise
    if compiled.reverseprogramsize < 0:  # -1: out of memory
        raise TooCostlyError


def cost(patterns: Sequence[str]) -> int:
    """How many places of valid `patterns` may be active at once, at most.

    After a character only those places are active that take it: all classes, and of the literals
    those that begin with the same byte. Repetitions with a count are unrolled: RE2 counts those.
    """
    anywhere, by_byte = 0, Counter[int]()
    for pattern in patterns:
        if COMMAND.fullmatch(pattern):
            continue
        if "{" in PROPERTY.sub("", pattern) or r"\Q" in pattern:
            anywhere += _unrolled(pattern)
            continue
        for part in TOKEN.findall(pattern):
            if part in OF_NO_WIDTH or part.startswith("(?"):
                continue
            if len(part) > 1 or part == ".":
                anywhere += 1
            else:
                by_byte.update({form.encode()[0] for form in (part.lower(), part.upper())})
    return anywhere + max(by_byte.values(), default=0)


def _unrolled(pattern: str) -> int:
    """The size of the program, each character counted as one, however many bytes it takes."""
    options = _options(SET_BYTES)
    options.encoding = re2.Options.Encoding.LATIN1
    narrow = "".join(one if one.isascii() else "\xe0" for one in pattern)
    try:
        size: int = re2.compile(narrow.encode("latin-1"), options).programsize
    except re2.error:
        return MAX_COST + 1
    return size


def _options(max_mem: int) -> re2.Options:
    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    options.max_mem = max_mem
    return options
