"""As whom schemathesis calls: made before the system, since pytest collects cases before."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from impl.tokens.format import NewToken, mint

ADA, BOB = "ada", "bob"


@dataclass(frozen=True, slots=True)
class Credentials:
    ada: NewToken = field(default_factory=lambda: mint("bot"))
    bob: NewToken = field(default_factory=lambda: mint("bot"))
    registry: NewToken = field(default_factory=lambda: mint("registry"))
    plugin: NewToken = field(default_factory=lambda: mint("plugin"))
    admin: NewToken = field(default_factory=lambda: mint("admin"))

    def write(self, path: Path) -> None:
        """As the Web Fuzzing Commons write it, which is what `auth.wfc` reads."""
        # An operator manages everybody's: with the key, Bob would rightly see what is Ada's.
        headers = {
            ADA: {**self._headers(self.ada), "X-Admin-Key": self.admin.plaintext},
            BOB: self._headers(self.bob),
        }
        entries = [{"name": name, "fixedHeaders": _listed(all_)} for name, all_ in headers.items()]
        path.write_text(json.dumps({"auth": entries}))

    def _headers(self, bot: NewToken) -> dict[str, str]:
        return {
            "X-Bot-Token": bot.plaintext,
            "X-Registry-Key": self.registry.plaintext,
            "Authorization": f"Bearer {self.plugin.plaintext}",
        }


def _listed(headers: dict[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers.items()]
