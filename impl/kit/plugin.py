"""The plugin that is checked: what is sent to it, and what of its answer breaks the contract."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, Never

import aiohttp

import generated
from impl.kit.promise import Answer, Promise
from impl.kit.requests import Json, Request, curl, invocation

Lack = Literal["token", "good_token", "schemathesis"]

SECONDS = 15.0  # for any answer
MOST_BYTES = 8 * 1024 * 1024
SHOWN = 300
SHORT_TOKEN = 16  # characters: a shorter one may be a word that means nothing


class UnreachableError(Exception):
    """Nothing answers there: nothing can be checked."""


class FailedError(Exception):
    """A promise is broken. `repeat` are commands that show it again."""

    def __init__(self, expected: str, came: str, repeat: str) -> None:
        super().__init__(f"expected {expected}, came {came}")
        self.expected, self.came, self.repeat = expected, came, repeat


class NotTriedError(Exception):
    """Why a check says nothing."""


class LackingError(NotTriedError):
    """It says nothing because the run was not given something: `what` that is."""

    def __init__(self, what: Lack, why: str) -> None:
        super().__init__(why)
        self.what = what


UNANSWERED = "/invoke does not answer: see invoke.answer"
REFUSED = (
    "the plugin refuses this token ({answer}): give the invocation_token of its registration, or "
    "start it with BOTCORE_INVOCATION_TOKEN"
)


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
    accepts: bool | None = None  # the token; None before a call that carries it
    refusal: str | None = None  # what to tell of a token that it does not accept
    answers: bool = True  # a good call, as the contract says; False once it did not
    serves: bool = True  # calls at all; False once one was answered neither 2xx nor 4xx

    def call(self, **changes: Any) -> Request:
        """A good call, which builds on that such are answered. Raises NotTriedError."""
        request = self.any_call(**changes)
        if not self.answers:
            raise NotTriedError(UNANSWERED)
        return request

    def any_call(self, **changes: Any) -> Request:
        """A good call, to be made a bad one. Raises NotTriedError, without a token and such."""
        if self.token is None:
            raise LackingError("token", "it needs the plugin's token")
        if self.accepts is False:
            raise LackingError("good_token", "the token is refused")
        if self.hangs:
            raise NotTriedError("an earlier call got no answer")
        if not self.serves:
            raise NotTriedError(UNANSWERED)
        return invocation(self.manifest, **changes).but(bearer=self.token)

    async def send(self, request: Request, seconds: float | None = None) -> Answer:
        """Raises FailedError where no answer comes, LackingError where the token is refused."""
        answer = await self._sent(request, seconds)
        if self.token is not None and request.bearer == self.token:
            if self.accepts is None:
                self.accepts = answer.status != 401
            if not self.accepts:
                self.refusal = REFUSED.format(answer=answer)
                raise LackingError("good_token", "the token is refused")
        return answer

    async def _sent(self, request: Request, seconds: float | None) -> Answer:
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
            self.fail(request, "an answer", plainly(error))

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
        if self.token is None:
            return text
        text = text.replace(f"Bearer {self.token}", "Bearer $TOKEN")
        return text if len(self.token) < SHORT_TOKEN else text.replace(self.token, "$TOKEN")


def shown(answer: Answer) -> str:
    """For a person: the status, and the beginning of the body."""
    text = answer.content[:SHOWN].decode(errors="replace")
    more = "…" if len(answer.content) > SHOWN else ""
    return f"{answer} {text}{more}".strip()


def plainly(error: Exception) -> str:
    """For a person: what became of a connection."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "there is no host of this name"
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientSSLError):
        return f"TLS fails: {error}"
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(cause, ConnectionRefusedError):
        return "nobody listens there"
    if isinstance(cause, aiohttp.ServerDisconnectedError):
        return "the connection was closed without an answer"
    if isinstance(cause, ConnectionResetError):
        return "the connection was reset"
    return f"{type(error).__name__}: {error}"


@asynccontextmanager
async def reached(url: str, token: str | None, seconds: float) -> AsyncIterator[Plugin]:
    """Raises UnreachableError where nobody listens at the URL, or only listens, or no plugin."""
    async with aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
    ) as session:
        await _must_be_a_plugin(session, url, seconds)
        yield Plugin(url, token, session, seconds)


async def _must_be_a_plugin(session: aiohttp.ClientSession, url: str, seconds: float) -> None:
    try:
        for path in ("/health", "/manifest"):
            async with session.get(
                url.rstrip("/") + path,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=seconds),
            ) as response:
                await response.read()
                if response.status != 404:
                    return
    except aiohttp.InvalidURL:
        raise UnreachableError(f"{url} is no URL") from None
    except aiohttp.ClientConnectorError as error:
        raise UnreachableError(f"{url} cannot be reached: {plainly(error)}") from None
    except TimeoutError:
        raise UnreachableError(f"{url}/health does not answer in {seconds:g} s") from None
    except (aiohttp.ClientError, OSError):
        return  # somebody is there; the check of /health says what is wrong
    raise UnreachableError(
        f"there is no plugin at {url}: /health and /manifest answer 404; give its base_url"
    )
