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

    def write(self, path: Path) -> None:
        """As the Web Fuzzing Commons write it, which is what `auth.wfc` reads."""
        bots = {ADA: self.ada, BOB: self.bob}
        entries = [{"name": name, "fixedHeaders": self._headers(bot)} for name, bot in bots.items()]
        path.write_text(json.dumps({"auth": entries}))

    def _headers(self, bot: NewToken) -> list[dict[str, str]]:
        headers = {
            "X-Bot-Token": bot.plaintext,
            "X-Registry-Key": self.registry.plaintext,
            "Authorization": f"Bearer {self.plugin.plaintext}",
        }
        return [{"name": name, "value": value} for name, value in headers.items()]
