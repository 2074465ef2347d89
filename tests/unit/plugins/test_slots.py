"""A plugin's share of a process."""

from uuid import uuid4

import pytest

from impl.plugins.slots import Slots


def test_each_plugin_has_as_many_as_the_limit_and_nobody_waits() -> None:
    slots, one, other = Slots(2), uuid4(), uuid4()
    held = [slots.reserve(one), slots.reserve(one)]
    assert slots.reserve(one) is None
    assert slots.free() == {one: 0}
    assert slots.reserve(other) is not None
    first = held[0]
    assert first is not None
    first.release()
    first.release()  # once
    assert slots.free() == {one: 1, other: 1}


def test_a_slot_is_given_back_whatever_happens() -> None:
    slots, plugin = Slots(1), uuid4()
    slot = slots.reserve(plugin)
    assert slot is not None
    with pytest.raises(KeyError), slot:
        raise KeyError
    assert slots.free() == {}
    assert slots.reserve(plugin) is not None
