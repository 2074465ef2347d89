"""Who may: no credential, a bad one, a dead one, another kind's, a narrow one, the exact one."""

from tools.conform.codes import Try
from tools.conform.results import Results
from tools.conform.world import SCOPES
from tools.contract import Operation

COLUMN = "scopes"
MALFORMED = "bc_bot_not-a-token"


async def run(case: Try, results: Results) -> None:
    needs = case.operation.spec["security"]
    if not needs:
        return
    alternatives = {scheme for need in needs for scheme in need}
    common = set.intersection(*({*need} for need in needs))
    for scheme in sorted(common or alternatives):
        await _Matrix(case, results, scheme).run()


class _Matrix:
    def __init__(self, case: Try, results: Results, scheme: str) -> None:
        self._case, self._results, self._scheme = case, results, scheme
        self._scopes = scopes_of(case.operation, scheme)

    async def run(self) -> None:
        await self._expect("none", None, "missing_credentials")
        await self._expect("malformed", MALFORMED, "invalid_credentials")
        for state in ("expired", "revoked"):
            dead = await self._case.world.dead_token(self._scheme, state)
            await self._expect(state, dead, "invalid_credentials", given=dead is not None)
        await self._expect("wrong kind", self._other_kind(), "invalid_credentials")
        if self._scopes:
            narrow = await self._narrow()
            await self._expect(
                "wrong scope", narrow, "insufficient_scope", given=narrow is not None
            )
        await self._exact()

    async def _expect(self, name: str, token: str | None, code: str, *, given: bool = True) -> None:
        name = f"{self._scheme}: {name}"
        if not given:
            reason = f"a spare {self._scheme} was not given (see docs/conformance.md)"
            self._results.add(self._case.operation.id, COLUMN, name, untried=reason)
            return
        good = await self._case.good()
        credentials = {} if token is None else {self._scheme: token}
        answer = await self._case.send(good.but(credentials=credentials))
        faults = [] if answer.code == code else [f"answered {answer}, not {code}"]
        self._results.add(self._case.operation.id, COLUMN, name, faults)

    async def _exact(self) -> None:
        """With no scope more than the operation needs; a key is the one that was given."""
        good = await self._case.good()
        keys = {
            "AdminKey": self._case.world.keys.admin,
            "RegistryKey": self._case.world.keys.registry,
        }
        exact = keys.get(self._scheme) or await self._token(self._scopes)
        answer = await self._case.send(good.but(credentials={self._scheme: exact}))
        faults = [] if answer.status < 300 else [f"answered {answer}"]
        self._results.add(self._case.operation.id, COLUMN, f"{self._scheme}: exact", faults)

    def _other_kind(self) -> str:
        who = self._case.who
        return who.plugin.token if self._scheme != "PluginToken" else who.bot.token

    async def _narrow(self) -> str | None:
        """Without any scope that the operation needs. Keys are the operators' to give."""
        if self._scheme not in SCOPES:
            return self._case.world.keys.spare.get((self._scheme, "narrow"))
        return await self._token(set(SCOPES[self._scheme]) - self._scopes)

    async def _token(self, scopes: set[str]) -> str:
        """One of the caller's own; where none is needed, with any."""
        bot = self._scheme == "BotToken"
        subject = self._case.who.bot.id if bot else self._case.who.plugin.id
        all_scopes = SCOPES[self._scheme]
        chosen = tuple(scope for scope in all_scopes if scope in scopes) or all_scopes
        token: str = (await self._case.world.token(self._scheme, subject, chosen))["token"]
        return token


def scopes_of(operation: Operation, scheme: str) -> set[str]:
    return {scope for need in operation.spec["security"] for scope in need.get(scheme, [])}
