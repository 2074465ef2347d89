"""All single changes, by what they change."""

from tests.unit.tools.compat import breaking_http, breaking_rest, harmless

BREAKING = {
    "request": breaking_http.REQUESTS,
    "answer": breaking_http.ANSWERS,
    "operation": breaking_http.OPERATIONS,
    "extension": breaking_rest.EXTENSIONS,
    "event": breaking_rest.STREAMS,
    "plugin": breaking_rest.PLUGINS,
}
COMPATIBLE = {"http": harmless.HTTP, "rest": harmless.REST, "plugin": harmless.PLUGINS}
