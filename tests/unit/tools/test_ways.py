"""What may be done in few places only is found wherever it is done, whatever it is called there."""

from pathlib import Path

import pytest

from tools import bodies, outgoing, ways
from tools.ways import Rule, Way

OUT = [
    "import requests",
    "import urllib.request as web",
    "from urllib import request",
    "from urllib.request import urlopen",
    "import http.client",
    "from http import client",
    "def f():\n    import smtplib",
    "import unheard_of_client",
    "from unheard_of.client import Session",
    "import aiohttp\naiohttp.ClientSession()",
    "import aiohttp as http\nhttp.ClientSession()",
    "from aiohttp import ClientSession as Session\nSession()",
    "import aiohttp.client\naiohttp.client.ClientSession()",
    "from aiohttp.client import ClientSession\nmake = ClientSession",
    "from aiohttp import *",
    "from aiohttp.connector import TCPConnector\nclass Own(TCPConnector): pass",
    "import socket\nsocket.create_connection(('a', 1))",
    "from socket import socket\nsocket()",
    "import socket as s\ns.socket().connect(('a', 1))",
    "import asyncio\nasync def f():\n    await asyncio.open_connection('a', 1)",
    "from asyncio.streams import open_connection\nopen_connection('a', 1)",
    "async def f(loop):\n    await loop.create_connection(object, 'a', 1)",
    "async def f(loop, one):\n    await loop.sock_connect(one, ('a', 1))",
    "async def f(loop):\n    await loop.create_datagram_endpoint(object, remote_addr=('a', 1))",
    "from redis.asyncio import Redis\nRedis(host='a')",
    "from redis.asyncio import Redis\nRedis.from_url('redis://a')",
    "import asyncpg\nasync def f():\n    await asyncpg.connect('a')",
    "import os\nos.system('curl a')",
    "import subprocess",
    "import asyncio\nf = asyncio.create_subprocess_exec",
    "import importlib\nimportlib.import_module('requests')",
    "import importlib\nimportlib.import_module(name)",
    "__import__('http.client')",
    "__import__(name)",
    "eval('1')",
    "import ctypes",
    "def f(session=__import__('requests').Session()): pass",
    "import aiohttp\n@aiohttp.request\ndef f(): pass",
]
NOT_OUT = [
    "import aiohttp\ndef f(session: aiohttp.ClientSession) -> aiohttp.ClientSession: ...",
    "import aiohttp\nsession: aiohttp.ClientSession | None = None",
    "import aiohttp\ntry: ...\nexcept aiohttp.ClientError: ...",
    "from redis.asyncio import Redis\ndef f(redis: Redis) -> None: ...",
    "from urllib.parse import urlsplit",
    "requests = 1\nrequests.get = 2",
    "import socket\nsocket.create_server(('', 1))",
    "from .requests import one",
    "importlib = 1",
]


@pytest.mark.parametrize("source", OUT)
def test_a_way_out_is_found(source: str) -> None:
    assert ways.uses(outgoing.RULE, source) != []


@pytest.mark.parametrize("source", NOT_OUT)
def test_what_opens_nothing_is_none(source: str) -> None:
    assert ways.uses(outgoing.RULE, source) == []


READ = [
    "async def f(request):\n    return await request.body()",
    "async def f(request):\n    return await request.json()",
    "async def f(request):\n    async for chunk in request.stream(): ...",
    "async def f(scope, receive, send):\n    message = await receive()",
    "class A:\n    async def f(self):\n        return await self.receive()",
    "import json\njson.loads(b'{}')",
    "from json import loads as read\nread(b'{}')",
    "import orjson\nparse = orjson.loads",
    "def f(model, body):\n    return model.model_validate_json(body)",
    "from fastapi import Body\ndef f(x=Body()): ...",
    "from starlette.requests import Request\nRequest(scope)",
    "import pickle",
    "import yaml",
]


@pytest.mark.parametrize("source", READ)
def test_another_reader_is_found(source: str) -> None:
    assert ways.uses(bodies.RULE, source) != []


@pytest.mark.parametrize(
    "source",
    [
        "import json\njson.dumps({})",
        "async def f(scope, receive, send):\n    await app(scope, receive, send)",
        "from starlette.requests import Request\ndef f(request: Request) -> None: ...",
    ],
)
def test_who_passes_on_reads_nothing(source: str) -> None:
    assert ways.uses(bodies.RULE, source) == []


def test_an_exception_holds_where_it_stands_and_while_it_is_needed(tmp_path: Path) -> None:
    rule = Rule(
        told="is told",
        ways=(
            Way("impl/a.py", ("socket.socket",), "one file"),
            Way("impl/b/", ("socket.socket", "socket.getaddrinfo"), "a folder"),
        ),
        elsewhere=("impl/guard/",),
        names={"socket": frozenset({"socket", "getaddrinfo"})},
    )
    for place in ("impl/a.py", "impl/ab.py", "impl/b/c.py", "impl/guard/d.py"):
        file = tmp_path / place
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("import socket\n\nsocket.socket()\n")
    assert ways.findings(rule, tmp_path) == [
        "impl/ab.py:3: socket.socket is told",
        "impl/b/: the exception for socket.getaddrinfo is needed no more",
    ]


@pytest.mark.parametrize("rule", [outgoing.RULE, bodies.RULE], ids=["outgoing", "bodies"])
def test_the_code_keeps_the_rules_and_each_exception_says_why(rule: Rule) -> None:
    assert ways.findings(rule) == []
    assert all(way.reason for way in rule.ways)
