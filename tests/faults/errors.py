class CannotRunError(Exception):
    """What is needed to try it at all is not there. A row that raises this is NOT RUN."""
