"""`botcore`: what people type. Every command imports what it needs when it runs."""

import gc

# An import makes half a million objects that all stay. Looked at every 700, as Python does, they
# cost a sixth of the start.
OBJECTS_BETWEEN_COLLECTIONS = 20_000


def main() -> None:
    import sys
    import traceback

    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    from impl.cli.app import app
    from impl.secrecy.text import scrubbed_text

    try:
        app()
    except Exception:  # noqa: BLE001  # a mistake of ours, told in full but for secrets
        sys.stderr.write(scrubbed_text(traceback.format_exc()))
        sys.exit(1)
