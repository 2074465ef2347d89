"""`botcore up` with stand-ins for our own processes; run as a script.

Arguments: folder, port, then name=behaviour of a service or of `migrate`: see `BEHAVIOUR`.
"""

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path

from impl.local import directory, postgres, supervisor
from impl.local.development import Commands, up

READY = """
import os, signal, sys, time
print(f"{sys.argv[1]} {os.getpid()} {os.environ.get('BOTCORE_REGISTRY_KEY')}", flush=True)
os.write(int(os.environ["BOTCORE_READY_FD"]), b"ready\\n")
"""
POLITE = "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n"
DIES = "signal.signal(signal.SIGUSR1, lambda *_: (print('no more'), sys.exit(7)))\n"
DEAF = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
FAIL = "import sys\nfor n in range(30): print(f'line {n}')\nsys.exit(3)"
BEHAVIOUR = {
    "works": f"import signal, sys\n{POLITE}{READY}time.sleep(600)",
    "is_deaf": f"import signal\n{DEAF}{READY}time.sleep(600)",
    "is_deaf_for_long": f"import signal\n{DEAF}{READY}time.sleep(600)",
    "dies_when_told": f"import signal, sys\n{DIES}{READY}time.sleep(600)",
    "dies_first": FAIL,
    "is_never_ready": "import time; time.sleep(600)",
    "is_not_ready_yet": "import time; time.sleep(600)",
    "succeeds": "",
    "is_missing": "",
}


async def secrets(database_url: str, previous: Mapping[str, str]) -> Mapping[str, str]:
    kept = previous.get("BOTCORE_BOT_TOKEN", "first-token")
    return {
        "BOTCORE_BOT_TOKEN": kept,
        "BOTCORE_REGISTRY_KEY": "registry-key",
        "BOTCORE_ADMIN_KEY": "admin-key",
        "USER_ID": "user-id",
    }


def command(name: str, behaviour: str) -> tuple[str, ...]:
    if behaviour == "is_missing":
        return ()
    return (sys.executable, "-c", BEHAVIOUR[behaviour], name)


def main() -> int:
    folder, port, *choices = sys.argv[1:]
    services = ("serve", "worker", "text_reply", "calculator")
    chosen = {"migrate": "succeeds", **dict.fromkeys(services, "works")}
    chosen |= dict(choice.split("=") for choice in choices)
    if "is_never_ready" in chosen.values():
        supervisor.START_SECONDS = 10.0  # in which all the others are
    if "is_deaf_for_long" in chosen.values():
        supervisor.STOP_SECONDS = supervisor.DRAIN_SECONDS = 600.0
    # What a killed one left behind is waited for on a busy machine too.
    directory.LOCK_SECONDS = postgres.LEFTOVER_SECONDS = 60.0
    commands = Commands(**{name: command(name, does) for name, does in chosen.items()})
    return asyncio.run(
        up(port=int(port), directory=Path(folder), ensure_secrets=secrets, commands=commands)
    )


if __name__ == "__main__":
    sys.exit(main())
