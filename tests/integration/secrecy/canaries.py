"""Every secret that crosses the edge, noted as it does: what a test then searches for."""

import re
from dataclasses import dataclass, field

from tools.conform.answers import Answer
from tools.conform.client import Client, Request

TOKEN = re.compile(r"bc_[a-z]+_[0-9A-Za-z]+_([0-9A-Za-z]{20,})_[0-9A-Za-z]+")
WEBHOOK = re.compile(r"whsec_([0-9A-Za-z+/=]{20,})")
INVOCATION = re.compile(r'"invocation_token": ?"([^"]{20,})"')


def secrets_in(text: str) -> set[str]:
    """The secret part of each: a part that leaks is a leak."""
    found = {match[1] for form in (TOKEN, WEBHOOK, INVOCATION) for match in form.finditer(text)}
    return {secret for secret in found if "EXAMPLE" not in secret}  # the contract's own


def promised(request: Request, answer: Answer, place: str) -> bool:
    again = request.operation.id == "registerPlugin" and place.startswith("registerPlugin ")
    return again and answer.status < 300


@dataclass
class Hearing(Client):
    """A client that notes each secret when it is shown first, and every answer that repeats one."""

    shown: dict[str, str] = field(default_factory=dict)
    repeated: list[str] = field(default_factory=list)

    async def try_out(self, request: Request) -> None:
        """Send what need not be answered as the contract says of a good request."""
        await self._send(request)

    async def _send(self, request: Request) -> Answer:
        answer = await super()._send(request)
        for credential in request.credentials.values():
            for secret in secrets_in(credential):
                self.shown.setdefault(secret, "an operator's")
        text = answer.content.decode("utf-8", "replace")
        told = f"{text}\n{dict(answer.headers)}"
        name = f"{request.operation.id} ({answer.status})"
        # A plugin that registers again gets the same invocation_token, as is promised.
        repeated = (place for secret, place in self.shown.items() if secret in told)
        self.repeated += [name for place in repeated if not promised(request, answer, place)]
        if answer.status < 300:
            self.shown.update(dict.fromkeys(secrets_in(text), name))
        elif secrets_in(told):
            self.repeated.append(name)
        return answer
