"""Addresses of servers that carry a password: which are usable, and how one is shown."""

from urllib.parse import SplitResult, urlsplit, urlunsplit

MASK = "***"
POSTGRESQL, REDIS = ("postgres", "postgresql"), ("redis", "rediss", "unix")
POSTGRESQL_FORM = "postgresql://user:password@host:port/database"
REDIS_FORM = "redis://:password@host:port/0"


def masked_url(url: str) -> str:
    """The address without its password, or any option that might be one."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return MASK
    if "@" in f"{parts.path}{parts.query}{parts.fragment}":
        # A sign of the password's own, unescaped: its beginning passes for the host.
        return f"{parts.scheme}://{MASK}"
    who, at, where = parts.netloc.rpartition("@")
    name = who.split(":")[0]
    netloc = f"{name}:{MASK}{at}{where}" if ":" in who else parts.netloc
    return urlunsplit(parts._replace(netloc=netloc, query=MASK if parts.query else ""))


def place(url: str) -> str:
    """Host, port and database in the form " host:port/database"; never who, and no password."""
    address = url.partition("?")[0]
    if "@" in address:
        return f" {address.rpartition('@')[2]}"
    # A "?" of the password itself: what is before it is the password's beginning.
    return f" {address.partition('://')[2]}" if "@" not in url else ""


def is_postgresql(url: str) -> bool:
    return _is_of(url, POSTGRESQL)


def is_redis(url: str) -> bool:
    """Its options too, whose values the library would quote."""
    return _is_of(url, REDIS) and _is_read_by_redis(url)


def hosts(parts: SplitResult) -> list[str]:
    """The hosts that a URL names, more than one where PostgreSQL has replicas."""
    named = parts.netloc.rpartition("@")[2].split(",")
    return [_divided(host)[0] for host in named if host]


def _is_of(url: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    places = parts.netloc.rpartition("@")[2].split(",")
    return parts.scheme in schemes and all(_is_port(_divided(place)[1]) for place in places)


def _divided(place: str) -> tuple[str, str]:
    """Host and port; an IPv6 address stands in brackets."""
    if place.startswith("["):
        host, _, rest = place[1:].partition("]")
        return host, rest.removeprefix(":")
    host, _, port = place.partition(":")
    return host, port


def _is_port(text: str) -> bool:
    return not text or (text.isascii() and text.isdigit() and int(text) < 65536)


def _is_read_by_redis(url: str) -> bool:
    from redis.asyncio.connection import parse_url  # noqa: PLC0415 - slow, and few commands ask

    try:
        parse_url(url)
    except ValueError:
        return False
    return True
