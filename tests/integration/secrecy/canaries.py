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
    return {match[1] for form in (TOKEN, WEBHOOK, INVOCATION) for match in form.finditer(text)}


@dataclass
class Hearing(Client):
    """A client that notes each secret when it is shown first, and every answer that repeats one."""

    shown: dict[str, str] = field(default_factory=dict)
    repeated: list[str] = field(default_factory=list)

    async def _send(self, request: Request) -> Answer:
        answer = await super()._send(request)
        for credential in request.credentials.values():
            for secret in secrets_in(credential):
                self.shown.setdefault(secret, "an operator's")
        text = answer.content.decode("utf-8", "replace")
        told = f"{text}\n{dict(answer.headers)}"
        name = f"{request.operation.id} ({answer.status})"
        self.repeated += [name for secret in self.shown if secret in told]
        if answer.status < 300:
            self.shown.update(dict.fromkeys(secrets_in(text), name))
        elif secrets_in(told):
            self.repeated.append(name)
        return answer
