"""`botcore`: what people type. Every command imports what it needs when it runs."""


def main() -> None:
    import sys
    import traceback

    from impl.cli.app import app
    from impl.secrecy.text import scrubbed_text

    try:
        app()
    except Exception:  # noqa: BLE001  # a mistake of ours, told in full but for secrets
        sys.stderr.write(scrubbed_text(traceback.format_exc()))
        sys.exit(1)
