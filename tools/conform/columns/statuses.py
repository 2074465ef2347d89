"""Each declared success and each declared error code is reached."""

from tools.conform.answers import Answer
from tools.conform.codes import ELSEWHERE, FAULTS, UNREACHED, Try, recipe_for
from tools.conform.results import Results

COLUMN = "statuses"


async def run(case: Try, results: Results) -> None:
    await _successes(case, results)
    for code in case.operation.codes:
        if code in ELSEWHERE:
            continue
        if code in FAULTS:
            reason = f"{', '.join(sorted(FAULTS))}: no request brings them about"
            results.add(case.operation.id, COLUMN, code, untried=reason)
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


async def _successes(case: Try, results: Results) -> None:
    """Where there are two, the first request makes something and the second finds it made."""
    declared = sorted(status for status in case.operation.responses() if status < 300)
    good = await case.good()
    answers = [await case.send(good)]
    if len(declared) > 1:
        answers.append(await case.send(good))
    remember(case, answers[0])
    reached = {answer.status for answer in answers}
    for status in declared:
        said = ", ".join(str(answer) for answer in answers)
        faults = [] if status in reached else [f"answered {said}"]
        results.add(case.operation.id, COLUMN, str(status), faults)


def remember(case: Try, answer: Answer) -> None:
    """What a success made is taken away in the end."""
    if case.operation.id == "createBot" and answer.status < 300:
        case.world.bots.append(answer.json["bot"]["id"])
    if case.operation.id == "registerPlugin" and answer.status < 300:
        case.world.plugins.append(answer.json["plugin_id"])
