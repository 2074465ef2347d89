"""The plugin that is checked: what is sent to it, and what of its answer breaks the contract."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Never

import aiohttp

import generated
from impl.kit.promise import Answer, Promise
from impl.kit.requests import Json, Request, curl, invocation

SECONDS = 15.0  # for any answer
MOST_BYTES = 8 * 1024 * 1024
SHOWN = 300


class UnreachableError(Exception):
    """Nothing answers there: nothing can be checked."""


class FailedError(Exception):
    """A promise is broken. `repeat` are commands that show it again."""

    def __init__(self, expected: str, came: str, repeat: str) -> None:
        super().__init__(f"expected {expected}, came {came}")
        self.expected, self.came, self.repeat = expected, came, repeat


class NotTriedError(Exception):
    """Why a check says nothing."""


@cache
def contract() -> Json:
    text = (Path(generated.__file__).parent / "plugin.openapi.json").read_text()
    document: Json = json.loads(text)
    return document


@cache
def operations() -> dict[tuple[str, str], Json]:
    """By method and path."""
    return {
        (method.upper(), path): spec
        for path, item in contract()["paths"].items()
        for method, spec in item.items()
    }


@cache
def _promise(path: str) -> Promise:
    spec = next(spec for (_, known), spec in operations().items() if known == path)
    return Promise(contract(), spec, whole=False)


@dataclass
class Plugin:
    """`manifest` is what it served; None before it was read, and where it breaks the contract."""

    url: str
    token: str | None
    session: aiohttp.ClientSession
    timeout: float = SECONDS  # in seconds, for any answer
    manifest: Json | None = None
    hangs: bool = False  # it left a call without an answer: others would only wait as long

    def call(self, **changes: Any) -> Request:
        """A good call. Raises NotTriedError without a token."""
        if self.token is None:
            raise NotTriedError("it needs the plugin's token: --token")
        if self.hangs:
            raise NotTriedError("an earlier call got no answer")
        return invocation(self.manifest, **changes).but(bearer=self.token)

    async def send(self, request: Request, seconds: float | None = None) -> Answer:
        """Raises FailedError where no answer comes."""
        limit = self.timeout if seconds is None else seconds
        try:
            async with (
                asyncio.timeout(limit),
                self.session.request(
                    request.method,
                    self.url.rstrip("/") + request.path,
                    headers=request.sent_headers(),
                    data=request.body,
                    allow_redirects=False,
                    skip_auto_headers=("Content-Type",),
                ) as response,
            ):
                headers = {name.lower(): value for name, value in response.headers.items()}
                content = await response.content.read(MOST_BYTES)
                while not response.content.at_eof() and len(content) < MOST_BYTES:
                    content += await response.content.read(MOST_BYTES)
                return Answer(response.status, headers, content)
        except TimeoutError:
            self.hangs |= seconds is None and request.path == "/invoke"
            self.fail(request, "an answer", f"none within {limit:g} s")
        except (aiohttp.ClientError, OSError) as error:
            self.fail(request, "an answer", f"{type(error).__name__}: {error}")

    async def expect(self, request: Request, status: int, code: str | None = None) -> Answer:
        """The answer, which is this one and keeps the contract. Raises FailedError."""
        answer = await self.send(request)
        self.must_be(request, answer, status, code)
        return answer

    def must_be(
        self, request: Request, answer: Answer, status: int, code: str | None = None
    ) -> None:
        wanted = f"{status} {code}" if code else str(status)
        if answer.status != status or (code is not None and answer.code != code):
            self.fail(request, wanted, shown(answer))
        self.must_fit(request, answer)

    def must_fit(self, request: Request, answer: Answer) -> None:
        promise = _promise(request.path)
        faults = [*promise.header_faults(answer), *promise.body_faults(answer)]
        if faults:
            self.fail(request, "what the contract says", "; ".join(dict.fromkeys(faults))[:1000])

    def fail(self, request: Request, expected: str, came: str) -> Never:
        raise FailedError(expected, self.masked(came), self.repeat(request))

    def repeat(self, request: Request) -> str:
        return curl(self.url, request, self.token)

    def masked(self, text: str) -> str:
        return text if self.token is None else text.replace(self.token, "$TOKEN")


def shown(answer: Answer) -> str:
    """For a person: the status, and the beginning of the body."""
    text = answer.content[:SHOWN].decode(errors="replace")
    more = "…" if len(answer.content) > SHOWN else ""
    return f"{answer} {text}{more}".strip()


@asynccontextmanager
async def reached(url: str, token: str | None, timeout: float) -> AsyncIterator[Plugin]:  # noqa: ASYNC109
    """Raises UnreachableError where nobody listens at the URL, or only listens."""
    async with aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
    ) as session:
        try:
            async with session.get(
                url.rstrip("/") + "/health",
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=timeout),
            ) as response:
                await response.read()
        except (aiohttp.ClientConnectorError, aiohttp.InvalidURL) as error:
            raise UnreachableError(f"{url} cannot be reached: {error}") from None
        except TimeoutError:
            raise UnreachableError(f"{url}/health does not answer in {timeout:g} s") from None
        except (aiohttp.ClientError, OSError):
            pass  # somebody is there; the check of /health says what is wrong
        yield Plugin(url, token, session, timeout)
