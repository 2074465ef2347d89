"""What a catalogue may cost: over it, each tag keeps its fair share."""

from impl.routing.classifier import budget
from impl.routing.classifier.budget import affordable, fair


def test_an_ordinary_catalogue_loses_nothing() -> None:
    texts = {f"tag{number}": [f"text {at}" for at in range(200)] for number in range(150)}
    assert fair(texts) == texts


def test_many_texts_of_one_tag_cost_the_others_nothing() -> None:
    texts = {"greedy": [f"text {at}" for at in range(40_000)], "modest": ["one", "two"]}
    kept = fair(texts)
    assert kept["modest"] == ["one", "two"]
    assert len(kept["greedy"]) == budget.MAX_TEXTS // 2
    assert kept == fair(texts)


def test_long_texts_are_bounded_as_a_whole() -> None:
    texts = {f"tag{number}": ["x" * 1000 + str(at) for at in range(200)] for number in range(100)}
    kept = fair(texts)
    assert sum(len(text) for own in kept.values() for text in own) <= budget.MAX_CHARACTERS
    assert {len(own) for own in kept.values()} == {19}


def test_of_very_many_tags_each_keeps_one_text() -> None:
    texts = {f"tag{number}": ["one", "two"] for number in range(20_000)}
    assert {len(own) for own in fair(texts).values()} == {1}


def test_the_most_frequent_grams_are_kept() -> None:
    counts = {f"gram{number:06}": number % 1000 for number in range(200_000)}
    kept = affordable(counts, 150)
    assert len(kept) == budget.MAX_CELLS // 150
    assert kept == sorted(kept)
    assert min(counts[gram] for gram in kept) > 700
