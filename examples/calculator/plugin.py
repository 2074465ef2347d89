"""calculator: arithmetic with units. It asks nobody, so it needs no network."""

import contextlib
import os
import re
import sys
from pathlib import Path

from calculation import CalculationError, calculate
from sentences import is_russian, sentence
from serving.problems import Json
from serving.running import run
from serving.server import Call

COMMAND = re.compile(r"/calc\b", re.IGNORECASE)
# `How many metres are in 2 km?`, and its Russian form: the unit of the answer comes first.
QUESTION = re.compile(
    r"(?:how many|how much is|сколько)\s+(?P<unit>[^\W\d_]+)\s+(?:is|are|in|в)\s+"
    r"(?:there\s+)?(?:in\s+)?(?P<rest>[-(\d].*)",
    re.IGNORECASE,
)
FROM_NUMBER = re.compile(r"[-(\d].*", re.DOTALL)


async def answer(call: Call) -> Json:
    """The result, or why there is none. It lasts nowhere, so a dry run is like any other."""
    asked = expression(call.text or "")
    if not asked:
        return {"text": sentence("help", "", call.locale), "confidence": 0.5}
    try:
        result = str(calculate(asked))
    except CalculationError as error:
        return {"text": sentence(error.key, error.about, call.locale), "confidence": 0.5}
    return {"text": result.replace(".", ",") if is_russian(call.locale) else result,
            "confidence": 1.0}  # fmt: skip


def expression(text: str) -> str:
    """What is to be calculated, without the command or the words of a question."""
    command = COMMAND.match(text.strip())
    rest = text.strip()[command.end() :] if command else text
    rest = rest.strip().rstrip("?=").strip()
    question = QUESTION.search(rest)
    if question is not None:
        return f"{question['rest']} to {question['unit']}"
    if command is not None:
        return rest
    number = FROM_NUMBER.search(rest)
    return number[0] if number else ""


def announce() -> None:
    """Tells `botcore up`, which may have started us, that we answer now."""
    descriptor = os.environ.pop("BOTCORE_READY_FD", None)
    if descriptor is not None:
        with contextlib.suppress(OSError):
            os.write(int(descriptor), b"ready\n")
            os.close(int(descriptor))


if __name__ == "__main__":
    sys.exit(run(Path(__file__).parent, answer, announce))
