"""What text_reply does not start with, unless an operator names the risk."""

from urllib.parse import urlsplit

from impl.safety import model_risks
from impl.secrecy.risks import Risk, is_local
from impl.text_reply.settings import TextReplySettings


def settings_risks(settings: TextReplySettings) -> list[Risk]:
    core = urlsplit(settings.url)
    found = list(model_risks(settings))
    if core.scheme == "http" and not is_local(core.hostname or ""):
        found.append(
            Risk(
                "core_plaintext",
                "BOTCORE_URL is http:// on another machine: BOTCORE_REGISTRY_KEY and the token that"
                " it brings cross the network readable",
                "use https://",
            )
        )
    return found
