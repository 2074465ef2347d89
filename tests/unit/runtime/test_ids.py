"""Random ids, by the form and by the chance that UUIDs of version 4 have."""

import os
from collections import Counter
from uuid import RFC_4122, UUID

from generated.runtime import ids

MANY = 40 * ids.AT_ONCE


def test_each_is_a_random_uuid_in_its_canonical_form() -> None:
    found = [ids.random_id() for _ in range(MANY)]
    assert len(set(found)) == MANY
    for text in found:
        known = UUID(text)
        assert (str(known), known.version, known.variant) == (text, 4, RFC_4122)


def test_each_digit_is_any() -> None:
    columns = zip(*(ids.random_id() for _ in range(MANY)), strict=True)
    for at, column in enumerate(columns):
        counted = Counter(column)
        expected = {8: 1, 13: 1, 18: 1, 23: 1, 14: 1, 19: 4}.get(at, 16)
        assert len(counted) == expected, at
        assert max(counted.values()) < 2 * MANY / expected or expected == 1


def test_a_child_gives_out_its_own() -> None:
    ids.random_id()
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.write(writing, "".join(ids.random_id() for _ in range(ids.AT_ONCE)).encode())
        os._exit(0)
    os.waitpid(child, 0)
    text = os.read(reading, 36 * ids.AT_ONCE).decode()
    theirs = {text[at : at + 36] for at in range(0, len(text), 36)}
    assert len(theirs) == ids.AT_ONCE
    assert theirs.isdisjoint(ids.random_id() for _ in range(ids.AT_ONCE))
