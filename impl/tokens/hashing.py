"""argon2id, off the event loop: one hash takes 19 MiB and about 20 ms."""

import asyncio
import os
import sys
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

THREADS = 2  # what tokens may take of the machine, at most
NICENESS = 5

# OWASP's second choice for argon2id.
_hasher = PasswordHasher(
    time_cost=2, memory_cost=19 * 1024, parallelism=1, hash_len=32, salt_len=16, type=Type.ID
)


def _give_way() -> None:
    """Where the processors are all busy, requests go before hashes. Linux counts by thread."""
    if sys.platform == "linux":
        os.nice(NICENESS)


# argon2 releases the GIL. The threads start with the first hash.
_threads = ThreadPoolExecutor(THREADS, thread_name_prefix="argon2", initializer=_give_way)

# Of a token that nobody has: an unknown id costs as much time as a wrong secret.
DUMMY_HASH = (
    "$argon2id$v=19$m=19456,t=2,p=1$"
    "sn2xwa5WwcrCdCQ9RQ4zSQ$86WvXUhs+CvQCmzQq9iUzbvB8g0329vjcP5OHTZdIL8"
)


async def hash_token(plaintext: str) -> str:
    """Return the hash as a PHC string, parameters and salt included."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _hasher.hash, plaintext)


async def matches(stored: str, plaintext: str) -> bool:
    return await asyncio.get_running_loop().run_in_executor(_threads, _matches, stored, plaintext)


def _matches(stored: str, plaintext: str) -> bool:
    try:
        return _hasher.verify(stored, plaintext)
    except (VerificationError, InvalidHashError, UnicodeEncodeError):
        return False
