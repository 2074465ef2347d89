"""plugin-name: what it answers. Start here; what is in serving/ is the same for every plugin."""

import re
import sys
from pathlib import Path

from serving.problems import Json
from serving.running import run
from serving.server import Call

# As the pattern of manifest.json has it.
COMMAND = re.compile(r"^/plugin-name\b", re.IGNORECASE)


async def answer(call: Call) -> Json:
    """The answer to one call, as the contract's PluginInvocationResponseV1 without `trace_id`.

    It is made once for each invocation_id. Where `call.dry_run` is true, do nothing that lasts.
    """
    said = COMMAND.sub("", call.text or "").strip()
    if not said:
        return {"text": "Write something after /plugin-name, and I say it again."}
    return {"text": f"You said: {said}"[:4096], "confidence": 1.0}


if __name__ == "__main__":
    sys.exit(run(Path(__file__).parent, answer))
