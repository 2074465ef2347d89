"""Sends tokens that nobody has, at a steady rate: python -m tests.load.bad_tokens HOST PORT …

A process of its own, so that whoever measures beside it does not pay for it. In the end it prints
what it was answered, as JSON: how many of each status, and how many it did not get to send.
"""

import argparse
import asyncio
import json
import time
from collections import Counter
from itertools import count
from uuid import uuid4

from impl.tokens.format import mint

# Enough that those which wait for argon2 do not hold the rate up.
CONNECTIONS = 300
TOKENS = 2000


class Flood:
    def __init__(self, rate: float, seconds: float, *, many: bool) -> None:
        self.told: Counter[int] = Counter()
        self._rate = rate
        self._many = many  # each as of another client, as a trusted proxy tells it
        self._ends = time.monotonic() + seconds
        self._began = time.monotonic()
        self._numbers = count()
        self._tokens = [mint("bot").plaintext for _ in range(TOKENS)]
        self._path = f"/api/v1/dialogs/{uuid4()}"

    async def run(self, host: str, port: int) -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(CONNECTIONS):
                group.create_task(self._connection(host, port))

    async def _connection(self, host: str, port: int) -> None:
        reader, writer = await asyncio.open_connection(host, port)
        while time.monotonic() < self._ends:
            number = next(self._numbers)
            await asyncio.sleep(self._began + number / self._rate - time.monotonic())
            writer.write(self._request(number))
            self.told[await _status(reader)] += 1
        writer.close()

    def _request(self, number: int) -> bytes:
        client = f"X-Forwarded-For: 10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}\r\n"
        return (
            f"GET {self._path} HTTP/1.1\r\nHost: core\r\n{client if self._many else ''}"
            f"X-Bot-Token: {self._tokens[number % TOKENS]}\r\n\r\n"
        ).encode()


async def _status(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        int(line.partition(b":")[2])
        for line in head.lower().split(b"\r\n")
        if line.startswith(b"content-length:")
    )
    await reader.readexactly(length)
    return int(head[9:12])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("--rate", type=float, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--many", action="store_true")
    given = parser.parse_args()
    flood = Flood(given.rate, given.seconds, many=given.many)
    asyncio.run(flood.run(given.host, given.port))
    told = {str(status): times for status, times in sorted(flood.told.items())}
    print(json.dumps({"a_second": sum(told.values()) / given.seconds, "told": told}))


if __name__ == "__main__":
    main()
