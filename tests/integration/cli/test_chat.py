import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer

from impl.cli.chat import printable
from impl.cli.chat_client import Client, Problem, Unreachable
from tests.integration.cli.commands import Ended, botcore, end, start
from tests.patience import PATIENT_SECONDS

Json = dict[str, Any]
TOKEN = "bc_bot_fake"
TRACE = str(uuid4())


class Api:
    """An API that does what the test says, and remembers what it was sent."""

    def __init__(self) -> None:
        self.users: list[Json] = []
        self.messages: list[Json] = []
        self.dialogs: set[str] = set()
        self.answers: list[Json | int | None] = []  # None: the connection breaks
        self.later: list[Json] = []

    def app(self) -> web.Application:
        app = web.Application()
        messages = "/api/v1/dialogs/{dialog_id}/messages"
        app.router.add_post("/api/v1/users", self._user)
        app.router.add_post(messages, self._message)
        app.router.add_get(f"{messages}/{{message_id}}", self._read)
        return app

    async def _user(self, request: web.Request) -> web.Response:
        self.users.append(await request.json())
        if request.headers.get("X-Bot-Token") != TOKEN:
            return problem(401, "unauthorized")
        return web.json_response({"status": "updated", "user_id": str(uuid4())})

    async def _message(self, request: web.Request) -> web.Response:
        self.dialogs.add(request.match_info["dialog_id"])
        message = await request.json()
        self.messages.append(message)
        answer = self.answers.pop(0) if self.answers else said(f"echo {message['payload']['text']}")
        if answer is None:
            assert request.transport
            request.transport.abort()
            return web.Response()
        if isinstance(answer, int):
            return problem(answer, "message_in_flight" if answer == 409 else "some_code")
        return web.json_response(answer)

    async def _read(self, request: web.Request) -> web.Response:
        assert request.match_info["message_id"] == self.messages[-1]["message_id"]
        return web.json_response(self.later.pop(0))


def said(*contents: str, status: str = "accepted", error: Json | None = None) -> Json:
    responses = [{"plugin_id": str(uuid4()), "content": content} for content in contents]
    return {
        "plugin_responses": responses,
        "status": status,
        "error": error,
        "trace_id": TRACE,
        "usage": None,
    }


def problem(status: int, code: str) -> web.Response:
    body = {"title": "Refused", "detail": "for a reason", "code": code, "trace_id": TRACE}
    return web.json_response(body, status=status, content_type="application/problem+json")


@pytest.fixture
def api() -> Api:
    return Api()


@pytest_asyncio.fixture
async def url(api: Api) -> AsyncIterator[str]:
    async with TestServer(api.app()) as server:
        yield str(server.make_url("/"))


async def talk(url: str, tmp_path: Path, typed: str, *options: str, token: str = TOKEN) -> Ended:
    env = {"BOTCORE_URL": url, "BOTCORE_BOT_TOKEN": token}
    return await botcore("chat", *options, env=env, directory=tmp_path, typed=typed)


async def test_each_line_is_a_message_of_one_dialog(api: Api, url: str, tmp_path: Path) -> None:
    ended = await talk(url, tmp_path, "hello\n\n  привет  \n", "--locale", "ru")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == "echo hello\necho привет\n"
    (user,) = api.users
    assert (user["telegram_id"], user["display_name"], user["locale"]) == (1, "Developer", "ru")
    assert [message["payload"]["text"] for message in api.messages] == ["hello", "привет"]
    assert len({message["message_id"] for message in api.messages}) == 2
    (dialog,) = api.dialogs
    assert str(UUID(dialog)) == dialog


async def test_every_chat_has_a_dialog_of_its_own(api: Api, url: str, tmp_path: Path) -> None:
    for _ in range(2):
        await talk(url, tmp_path, "hello\n")
    assert len(api.dialogs) == 2


async def test_quit_ends_it(api: Api, url: str, tmp_path: Path) -> None:
    ended = await talk(url, tmp_path, "one\n/quit\ntwo\n")
    assert (ended.code, ended.out) == (0, "echo one\n")


async def reads(process: asyncio.subprocess.Process) -> None:
    """Once it waits for what is typed."""

    def waits() -> bool:
        """Its system call is a read, whose first argument is standard input."""
        call = Path(f"/proc/{process.pid}/syscall")
        return not call.exists() or call.read_text().split()[1:2] == ["0x0"]

    async with asyncio.timeout(PATIENT_SECONDS):
        while not waits():  # noqa: ASYNC110  # another process, which says nothing of it
            await asyncio.sleep(0.01)


async def test_ctrl_c_ends_it_cleanly(api: Api, url: str, tmp_path: Path) -> None:
    env = {"BOTCORE_URL": url, "BOTCORE_BOT_TOKEN": TOKEN}
    process = await start("chat", env=env, directory=tmp_path)
    assert process.stdin
    assert process.stdout
    process.stdin.write(b"hello\n")
    assert await asyncio.wait_for(process.stdout.readline(), PATIENT_SECONDS) == b"echo hello\n"
    await reads(process)  # a signal just before that would be seen only after the next line
    process.send_signal(signal.SIGINT)
    ended = await end(process)
    assert (ended.code, ended.err) == (0, "")


async def test_address_and_token_come_from_the_development_folder(url: str, tmp_path: Path) -> None:
    (tmp_path / ".botcore").mkdir()
    file = tmp_path / ".botcore" / "dev.env"
    file.write_text(f"BOTCORE_URL='{url}'\nBOTCORE_BOT_TOKEN={TOKEN}\nUSER_ID=1\n")
    ended = await botcore("chat", env={}, directory=tmp_path, typed="hello\n")
    assert ended.out == "echo hello\n"


async def test_without_address_and_token_it_says_what_to_do(tmp_path: Path) -> None:
    ended = await botcore("chat", env={}, directory=tmp_path)
    assert (ended.code, ended.out) == (2, "")
    assert "BOTCORE_URL and BOTCORE_BOT_TOKEN not set" in ended.err
    assert "make run" in ended.err


async def test_a_problem_is_shown_and_the_chat_goes_on(api: Api, url: str, tmp_path: Path) -> None:
    api.answers = [422]
    ended = await talk(url, tmp_path, "bad\ngood\n")
    assert (ended.code, ended.out) == (0, "echo good\n")
    assert ended.err == f"Refused: for a reason (trace {TRACE})\n"


async def test_a_bad_token_ends_it(url: str, tmp_path: Path) -> None:
    ended = await talk(url, tmp_path, "hello\n", token="other")
    assert (ended.code, ended.out) == (1, "")
    assert f"(trace {TRACE})" in ended.err
    assert "other" not in ended.err


async def test_a_failed_plugin_is_explained(api: Api, url: str, tmp_path: Path) -> None:
    api.answers = [said(status="failed", error={"message": "it hangs"})]
    ended = await talk(url, tmp_path, "hello\n")
    assert ended.err == f"no answer: it hangs (trace {TRACE})\n"


async def test_what_a_plugin_says_cannot_steer_the_terminal(
    api: Api, url: str, tmp_path: Path
) -> None:
    api.answers = [said("a\x1b[2J\x9b1mb\x07\x7f\r\nc\td", "\u202eright\u2066", "👩\u200d👩")]
    ended = await talk(url, tmp_path, "hello\n")
    assert ended.out == "a[2J1mb\nc\td\nright\n👩\u200d👩\n"


def test_a_lone_carriage_return_and_surrogates_are_dropped() -> None:
    assert printable("safe\rfake \ud800") == "safefake "


class TestClient:
    @pytest_asyncio.fixture
    async def client(self, url: str) -> AsyncIterator[Client]:
        async with Client(url, TOKEN, pause_seconds=0.01) as client:
            yield client

    async def test_a_broken_connection_is_tried_again_as_the_same_message(
        self, api: Api, client: Client
    ) -> None:
        api.answers = [None, None, said("at last")]
        answer = await client.say(str(uuid4()), str(uuid4()), "hello")
        assert answer["plugin_responses"][0]["content"] == "at last"
        assert len(api.messages) == 3
        assert api.messages[0] == api.messages[1] == api.messages[2]

    @pytest.mark.parametrize("status", [409, 429, 503])
    async def test_so_is_what_passes(self, api: Api, client: Client, status: int) -> None:
        api.answers = [status, said("at last")]
        await client.say(str(uuid4()), str(uuid4()), "hello")
        assert len({message["message_id"] for message in api.messages}) == 1

    @pytest.mark.parametrize("status", [401, 404, 422, 500])
    async def test_but_not_what_will_be_the_same_again(
        self, api: Api, client: Client, status: int
    ) -> None:
        api.answers = [status]
        with pytest.raises(Problem) as refusal:
            await client.say(str(uuid4()), str(uuid4()), "hello")
        assert refusal.value.status == status
        assert len(api.messages) == 1

    async def test_it_gives_up_in_the_end(self, api: Api, client: Client) -> None:
        api.answers = [None] * 5
        with pytest.raises(Unreachable):
            await client.say(str(uuid4()), str(uuid4()), "hello")
        assert len(api.messages) == 5

    async def test_an_answer_that_comes_later_is_waited_for(self, api: Api, client: Client) -> None:
        api.answers = [said(status="queued")]
        api.later = [said(status="queued"), said("late")]
        answer = await client.say(str(uuid4()), str(uuid4()), "hello")
        assert answer["plugin_responses"][0]["content"] == "late"

    @pytest.mark.parametrize(
        "response",
        [
            {"status": 502, "text": "<html>bad gateway</html>"},
            {"status": 200, "text": "not json"},
            {"status": 200, "text": "[]"},
            {"status": 307, "headers": {"Location": "http://127.0.0.1:1/"}},
        ],
    )
    async def test_who_is_no_botcore_is_a_problem_too(self, response: Json) -> None:
        async def answer(_: web.Request) -> web.Response:
            return web.Response(**response)

        app = web.Application()
        app.router.add_post("/api/v1/users", answer)
        async with (
            TestServer(app) as server,
            Client(str(server.make_url("/")), TOKEN, pause_seconds=0.01) as client,
        ):
            with pytest.raises(Problem) as refusal:
                await client.upsert_user(1, "x", "en")
        assert refusal.value.status == response["status"]
