"""Lines of the log leave in their order, and those of one turn of the loop together."""

import asyncio
from io import BytesIO
from select import PIPE_BUF
from threading import Thread

import pytest

from impl.lines import Lines


class Out(BytesIO):
    """Counts the writes."""

    writes = 0

    def write(self, data: object) -> int:
        self.writes += 1
        return super().write(data)  # type: ignore[arg-type]  # a stand-in takes what is written


@pytest.fixture
def out() -> Out:
    return Out()


@pytest.fixture
def lines(out: Out) -> Lines:
    return Lines(out)


async def test_those_of_a_turn_are_one_write(lines: Lines, out: Out) -> None:
    for line in (b"a", b"b", b"c"):
        lines.later(line)
    assert out.writes == 0
    await asyncio.sleep(0)
    assert (out.writes, out.getvalue()) == (1, b"a\nb\nc\n")
    lines.later(b"d")
    await asyncio.sleep(0)
    assert out.getvalue() == b"a\nb\nc\nd\n"


async def test_any_other_leaves_at_once_after_what_was_said_before(lines: Lines, out: Out) -> None:
    lines.later(b"a")
    lines.info(b"b")
    assert out.getvalue() == b"a\nb\n"
    lines.later(b"c")
    await asyncio.sleep(0)
    assert out.getvalue() == b"a\nb\nc\n"


async def test_another_thread_waits_for_no_loop(lines: Lines, out: Out) -> None:
    lines.later(b"a")
    thread = Thread(target=lines.later, args=(b"b",))
    thread.start()
    thread.join()
    assert out.getvalue() == b"a\nb\n"


def test_a_loop_that_ended_takes_nothing_with_it(lines: Lines, out: Out) -> None:
    async def say(line: bytes) -> None:
        lines.later(line)
        asyncio.get_running_loop().stop()

    for line in (b"a", b"b"):
        loop = asyncio.new_event_loop()
        task = loop.create_task(say(line))
        loop.run_forever()
        task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
    lines.info(b"c")
    assert out.getvalue() == b"a\nb\nc\n"


def test_no_write_is_longer_than_what_a_pipe_takes_whole(out: Out) -> None:
    """Several processes share one: a line must not be torn by another's."""
    written: list[bytes] = []

    class Pipe(Out):
        def write(self, data: object) -> int:
            written.append(bytes(data))  # type: ignore[call-overload]  # the same
            return super().write(data)

    lines = Lines(Pipe())
    said = [b"%d" % number * 50 for number in range(500)] + [b"long" * 2000, b"end"]
    lines._waiting += said[:-1]
    lines.info(said[-1])
    assert b"".join(written) == b"\n".join([*said, b""])
    assert all(piece.endswith(b"\n") for piece in written)
    assert [piece for piece in written if len(piece) > PIPE_BUF] == [said[-2] + b"\n"]
