"""What a process of ours and its supervisor say to one another."""

import os


def announce_ready() -> None:
    """Tell whoever started us that we serve: one line on the descriptor in BOTCORE_READY_FD."""
    descriptor = os.environ.pop("BOTCORE_READY_FD", None)
    if descriptor is not None:
        os.write(int(descriptor), b"ready\n")
        os.close(int(descriptor))
