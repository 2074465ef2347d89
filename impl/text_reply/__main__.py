"""`python -m impl.text_reply`: serve until SIGTERM."""

import sys

import uvloop
from pydantic import ValidationError

from impl import logging
from impl.process import warn_of_risks
from impl.text_reply.risks import settings_risks
from impl.text_reply.service import serve
from impl.text_reply.settings import TextReplySettings, complaints


def main() -> int:
    """Exit code: 0 after a signal, 1 where something died or was refused, 2 for bad settings."""
    try:
        settings = TextReplySettings()
    except ValidationError as error:
        for complaint in complaints(error):
            sys.stderr.write(f"text_reply cannot start: {complaint}\n")
        return 2
    risks = settings_risks(settings)
    for risk in settings.refused(risks):
        sys.stderr.write(f"text_reply does not start: {risk}\n")
    if settings.refused(risks):
        return 2
    logging.configure(settings.log_level)
    warn_of_risks(settings, risks)
    return uvloop.run(serve(settings))


if __name__ == "__main__":
    sys.exit(main())
