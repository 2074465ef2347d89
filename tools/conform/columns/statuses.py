"""Each declared success and each declared error code is reached."""

from collections.abc import Mapping

from tools.conform.codes import ELSEWHERE, FAULTS, UNREACHED, Try, recipe_for
from tools.conform.results import Results

COLUMN = "statuses"
# Successes that a request asks for by a header.
ASKED_FOR: Mapping[tuple[str, int], dict[str, str]] = {
    ("addDialogMessage", 202): {"Prefer": "wait=10, respond-async"},
}


async def run(case: Try, results: Results) -> None:
    instead = await _successes(case, results)
    for code in case.operation.codes:
        if code in ELSEWHERE:
            continue
        if code in FAULTS:
            reason = f"{', '.join(sorted(FAULTS))}: no request brings them about"
            results.add(case.operation.id, COLUMN, code, untried=reason)
            continue
        if code == instead:
            results.add(case.operation.id, COLUMN, code)
            continue
        if why := UNREACHED.get((case.operation.id, code)):
            results.add(case.operation.id, COLUMN, code, untried=f"{case.operation.id}: {why}")
            continue
        recipe = recipe_for(case.operation, code)
        if recipe is None:
            reason = f"{code}: no recipe in tools/conform/codes.py"
            results.add(case.operation.id, COLUMN, code, [reason])
            continue
        answer = await recipe(case)
        faults = [] if answer.code == code else [f"answered {answer}"]
        results.add(case.operation.id, COLUMN, code, faults)


async def _successes(case: Try, results: Results) -> str | None:
    """Where there are two, the first request makes something and the second finds it made.

    The code where this deployment answers with what others cannot be brought to, and so with no
    success: metrics that have a port of their own.
    """
    declared = sorted(status for status in case.operation.responses() if status < 300)
    good = await case.good()
    answers = [await case.send(good)]
    asked = [item for item in declared if (case.operation.id, item) in ASKED_FOR]
    for status in asked:
        headers = ASKED_FOR[case.operation.id, status]
        answers.append(await case.send((await case.good()).but(headers=headers)))
    if len(declared) - len(asked) > 1:
        answers.append(await case.send(good))
    instead = answers[0].code
    if instead is not None and (case.operation.id, instead) in UNREACHED:
        reason = f"{case.operation.id}: this deployment answers {instead}"
        for status in declared:
            results.add(case.operation.id, COLUMN, str(status), untried=reason)
        return instead
    reached = {answer.status for answer in answers}
    for status in declared:
        said = ", ".join(str(answer) for answer in answers)
        faults = [] if status in reached else [f"answered {said}"]
        results.add(case.operation.id, COLUMN, str(status), faults)
    return None
