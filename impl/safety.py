"""Settings that neither API nor worker starts with, unless an operator names the risk.

Each can be told from the settings alone. What cannot (who reaches a port, whether a key is used
elsewhere) is in docs/SECURITY.md.
"""

import math
import os
from collections import Counter
from collections.abc import Iterator
from urllib.parse import parse_qs, unquote, urlsplit

from impl.llm.settings import LLMSettings
from impl.secrecy.risks import Risk, is_local
from impl.secrecy.urls import hosts
from impl.settings import Settings

ENCRYPTED = {"require", "verify-ca", "verify-full"}
# Of a key. 32 random hexadecimal digits count some 110 bits here, a repeated word half of that.
LEAST_BITS = 90
LEAST_CHARACTERS = 8
# What a secret holds that was copied from an example.
EXAMPLES = (
    "changeme",
    "change-me",
    "change_me",
    "example",
    "placeholder",
    "secret_key",
    "12345678",
)


def settings_risks(settings: Settings) -> list[Risk]:
    return [
        *_exposed(settings),
        *_guessed(settings),
        *_database(settings),
        *_redis(settings),
        *model_risks(settings),
        *_wildcards(settings),
        *_proxies(settings),
    ]


def _exposed(settings: Settings) -> Iterator[Risk]:
    if is_local(settings.host):
        return
    if settings.development:
        yield Risk(
            "development_exposed",
            "BOTCORE_DEVELOPMENT is true and BOTCORE_HOST is not this machine alone: whoever"
            " registers a plugin has the core call what listens on loopback",
            "leave BOTCORE_DEVELOPMENT out, or set BOTCORE_HOST=127.0.0.1",
        )
    if not settings.metrics_port:
        yield Risk(
            "metrics_exposed",
            "BOTCORE_METRICS_PORT is 0 and BOTCORE_HOST is not this machine alone: whoever reaches"
            " the API reads the metrics, which ask for no credentials",
            "set BOTCORE_METRICS_PORT to a port that only Prometheus reaches",
        )


def _guessed(settings: Settings) -> Iterator[Risk]:
    if is_guessable(settings.secret_key.get_secret_value()):
        yield Risk(
            "secret_key_weak",
            "BOTCORE_SECRET_KEY is easily guessed: with it everyone signs as this core",
            "make it of random characters: python3 -c 'import secrets;"
            " print(secrets.token_urlsafe(48))'",
        )


def is_guessable(key: str) -> bool:
    """A floor, not a proof: few characters, a repetition, an example's words, too little in it."""
    counted = Counter(key)
    shares = [count / len(key) for count in counted.values()]
    bits = -sum(share * math.log2(share) for share in shares) * len(key)
    return (
        len(counted) < LEAST_CHARACTERS
        or bits < LEAST_BITS
        or key in (key + key)[1:-1]
        or any(word in key.lower() for word in EXAMPLES)
    )


def _database(settings: Settings) -> Iterator[Risk]:
    """On a developer's machine the servers are what they are, and nobody else is served."""
    urls = {
        "DATABASE_URL": settings.database_url,
        "DATABASE_LISTEN_URL": settings.database_listen_url,
    }
    for name, secret in urls.items():
        if secret and not settings.development and _is_plain(secret.get_secret_value()):
            yield Risk(
                "database_plaintext",
                f"BOTCORE_{name} leads to another machine and does not demand TLS: passwords and"
                " conversations may cross the network readable",
                "add ?sslmode=verify-full (or require, which checks no certificate)",
            )


def _is_plain(url: str) -> bool:
    """As asyncpg reads it: it prefers TLS, and goes on without where the server has none."""
    parts = urlsplit(url)
    options = parse_qs(parts.query)
    places = options.get("host", [""])[-1].split(",") if "host" in options else hosts(parts)
    places = places or os.environ.get("PGHOST", "").split(",")
    mode = options.get("sslmode", [os.environ.get("PGSSLMODE", "prefer")])[-1]
    return mode not in ENCRYPTED and not all(_is_here(unquote(place)) for place in places)


def _is_here(host: str) -> bool:
    """Or a socket's path, or nothing, which means one of both."""
    return not host or host.startswith(("/", "@")) or is_local(host)


def _redis(settings: Settings) -> Iterator[Risk]:
    parts = urlsplit(settings.redis_url.get_secret_value())
    if settings.development or parts.scheme == "unix" or _is_here(parts.hostname or ""):
        return
    if not (parts.password or "password" in parse_qs(parts.query)):
        yield Risk(
            "redis_without_password",
            "BOTCORE_REDIS_URL leads to another machine and has no password: whoever reaches it"
            " sets rate limits and writes events",
            "set requirepass or an ACL user there, and the password in the URL",
        )
    if parts.scheme != "rediss":
        yield Risk(
            "redis_plaintext",
            "BOTCORE_REDIS_URL leads to another machine without TLS: the password crosses the"
            " network readable",
            "use rediss://",
        )


def model_risks(settings: LLMSettings) -> Iterator[Risk]:
    url = urlsplit(settings.llm_base_url or "")
    if settings.llm_api_key and url.scheme == "http" and not is_local(url.hostname or ""):
        yield Risk(
            "llm_plaintext",
            "BOTCORE_LLM_BASE_URL is http:// on another machine: BOTCORE_LLM_API_KEY and what"
            " users say cross the network readable",
            "use https://",
        )


def _wildcards(settings: Settings) -> Iterator[Risk]:
    for name in ("plugin_hosts", "notification_hosts"):
        if any(_names_everyone(host) for host in getattr(settings, name)):
            yield Risk(
                "wildcard_hosts",
                f"BOTCORE_{name.upper()} has a wildcard over everyone's hosts",
                "name hosts of yours, as *.plugins.example.com, or leave it out",
            )


def _proxies(settings: Settings) -> Iterator[Risk]:
    if any(network.prefixlen == 0 for network in settings.trusted_proxies):
        yield Risk(
            "everyone_a_proxy",
            "BOTCORE_TRUSTED_PROXIES holds every address: whoever sends bad tokens says himself"
            " from where, and is never refused for them",
            "name the networks of your proxies, as 10.0.0.0/8",
        )


def _names_everyone(host: str) -> bool:
    """`*` and `*.com`: below a single label nobody owns all."""
    return "*" in host and host.removeprefix("*").strip(".").count(".") == 0
