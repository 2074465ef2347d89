"""A path is found where Starlette's own routing would find it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from generated.runtime.paths import Paths
from tools.bundler import bundle

TEMPLATES = sorted(bundle("openapi.yaml")["paths"])
PARTS = sorted({part for path in TEMPLATES for part in path.split("/") if "{" not in part})


class End:
    def __init__(self, path: str) -> None:
        self.path = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["found"] = self.path, scope["path_params"]


ROUTES = [Route(path, End(path)) for path in TEMPLATES]
PATHS = Paths(ROUTES, End("none"))


async def found(path: str) -> object:
    scope: Scope = {"type": "http", "method": "GET", "path": path, "root_path": ""}
    await PATHS(scope, None, None)  # type: ignore[arg-type]  # nobody reads or answers
    return scope["found"]


def expected(path: str) -> object:
    scope: Scope = {"type": "http", "method": "GET", "path": path, "root_path": ""}
    hits = ((route, route.matches(scope)[1]) for route in ROUTES if route.path_regex.match(path))
    return next(((route.path, child["path_params"]) for route, child in hits), ("none", {}))


@pytest.mark.parametrize("template", TEMPLATES)
async def test_each_of_the_contract(template: str) -> None:
    path = template.replace("{", "x-").replace("}", "")
    assert await found(path) == expected(path)
    for near in (path + "/", path[:-1], path + "/more", path.replace("/", "//", 1)):
        assert await found(near) == expected(near)


@given(st.lists(st.sampled_from([*PARTS, "", "x", " ", "é"]), max_size=9))
async def test_anything(parts: list[str]) -> None:
    path = "/" + "/".join(parts)
    assert await found(path) == expected(path)


@pytest.mark.parametrize(
    ("path", "end"),
    [
        ("/y/x/x", "/y/x/x"),
        ("/y/x/z", "/y/{b}/{c}"),
        ("/z/x/x", "/{a}/x/x"),
        ("/z/z/x", "/{a}/{b}/x"),
        ("/w/x/x", "/w/{b}/x"),  # the earlier part decides
        ("/z/z/z", "none"),
    ],
)
async def test_a_part_that_is_named_goes_before_a_parameter(path: str, end: str) -> None:
    templates = ("/{a}/{b}/x", "/{a}/x/x", "/w/{b}/x", "/y/{b}/{c}", "/y/x/x")
    paths = Paths([Route(each, End(each)) for each in templates], End("none"))
    scope: Scope = {"type": "http", "path": path}
    await paths(scope, None, None)  # type: ignore[arg-type]  # nobody reads or answers
    assert scope["found"][0] == end


async def test_what_ends_with_a_line_break_is_another_path() -> None:
    """`$` of a pattern would let it pass."""
    assert await found("/healthz\n") == ("none", {})
