"""`botcore`: what people type. Every command imports what it needs when it runs."""


def main() -> None:
    from impl.cli.app import app

    app()
