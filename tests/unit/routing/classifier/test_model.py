"""What the local classifier learns, and what it makes of odd texts."""

import hashlib
import io
import subprocess
import sys

import numpy as np
import orjson
import pytest

from impl.routing.classifier.model import BadModelError, Model
from impl.routing.classifier.port import Meaning, Meanings
from impl.routing.classifier.train import train

WEATHER = (
    "what is the weather in berlin",
    "will it rain tomorrow",
    "forecast for paris",
    "is it cold outside",
    "do i need an umbrella today",
)
PIZZA = (
    "order a pizza",
    "i want a margherita",
    "bring me two pizzas please",
    "pizza delivery to my home",
    "can i get a pepperoni pizza",
)
BOTH = Meanings({"pizza": Meaning(PIZZA), "weather": Meaning(WEATHER)}, "v1")
ALL = frozenset({"pizza", "weather"})
THRESHOLD = 0.4  # the setting's default


@pytest.fixture(scope="module")
def model() -> Model:
    return train(BOTH)


def by_child(meanings: Meanings, seed: str) -> bytes:
    tags = [[tag, one.examples, one.descriptions] for tag, one in meanings.tags.items()]
    return subprocess.run(
        [sys.executable, "-m", "impl.routing.classifier.train"],
        input=orjson.dumps({"tags": tags, "version": meanings.version}),
        env={"PYTHONHASHSEED": seed},
        stdout=subprocess.PIPE,
        check=True,
    ).stdout


def test_what_was_never_said_goes_to_its_tag(model: Model) -> None:
    for text, tag in (
        ("is it going to snow", "weather"),
        ("will it be sunny in rome", "weather"),
        ("order me a big pizza", "pizza"),
    ):
        best, confidence = model.scores(text, ALL)[0]
        assert (best, confidence > THRESHOLD) == (tag, True), text


@pytest.mark.parametrize(
    "text",
    [
        "tell me a joke",
        "what is the capital of france",
        "",
        " \t\n",
        "a" * 4096,
        "😀😀😀",
        "مرحبا كيف حالك اليوم",
        "שלום hello привет 你好",
        "\u202eevil\u202c",
        "!?…",
    ],
    ids=["joke", "capital", "empty", "blank", "long", "emoji", "rtl", "mixed", "bidi", "marks"],
)
def test_what_fits_nothing_is_refused(model: Model, text: str) -> None:
    assert all(0 <= score < THRESHOLD for _, score in model.scores(text, ALL))


def test_a_removed_tag_is_never_named(model: Model) -> None:
    assert [tag for tag, _ in model.scores("order a pizza", {"weather"})] == ["weather"]
    assert model.scores("order a pizza", {"weather"})[0][1] < THRESHOLD
    assert model.scores("order a pizza", set()) == []


def test_case_width_and_space_make_no_difference(model: Model) -> None:
    assert model.scores("\uff2frder  A\tPIZZA", ALL) == model.scores("order a pizza", ALL)


def test_russian_is_learned_by_its_own_words() -> None:
    meanings = Meanings(
        {
            "пицца": Meaning(("закажи пиццу", "хочу маргариту", "доставка пиццы домой")),
            "погода": Meaning(("какая погода в москве", "будет ли дождь завтра", "нужен ли зонт")),
        },
        "ru",
    )
    model = train(meanings)
    assert model.scores("закажи мне большую пиццу", meanings.tags)[0][0] == "пицца"
    assert model.scores("будет ли завтра дождь", meanings.tags)[0][0] == "погода"
    assert model.scores("какая сегодня погода", meanings.tags)[0][1] > THRESHOLD


def test_a_tag_alone_does_not_take_everything() -> None:
    model = train(Meanings({"weather": Meaning(WEATHER)}, "one"))
    assert model.scores("will it rain on sunday", {"weather"})[0][1] > THRESHOLD
    assert model.scores("my brother painted the fence", {"weather"})[0][1] < THRESHOLD


def test_a_tag_without_examples_is_known_by_its_description_or_its_name() -> None:
    meanings = Meanings(
        {"book_flight": Meaning(), "t2": Meaning(descriptions=("the price of a share",))}, "bare"
    )
    model = train(meanings)
    assert model.scores("book a flight", meanings.tags)[0][0] == "book_flight"
    assert model.scores("price of a share", meanings.tags)[0][0] == "t2"


def test_examples_that_contradict_each_other_are_worth_the_same() -> None:
    model = train(Meanings({"a": Meaning(("same text",)), "b": Meaning(("same text",))}, "c"))
    (_, one), (_, two) = model.scores("same text", {"a", "b"})
    assert one == pytest.approx(two, abs=0.01)


def large_catalogue() -> Meanings:
    """Enough to keep some back: then several solvers run."""
    words = [f"word{number}" for number in range(15)]
    texts = {
        f"tag{number:02}": tuple(
            f"{words[(number + at) % 15]} {words[(number * at) % 15]} thing{number} part{at}"
            for at in range(130)
        )
        for number in range(12)
    }
    return Meanings({tag: Meaning(own) for tag, own in texts.items()}, "large")


@pytest.mark.parametrize("meanings", [BOTH, large_catalogue()], ids=["small", "large"])
def test_the_same_catalogue_gives_the_same_bytes(meanings: Meanings) -> None:
    assert hashlib.sha256(by_child(meanings, "1")).digest() == (
        hashlib.sha256(by_child(meanings, "2")).digest()
    )


def test_a_model_survives_its_way_through_the_database(model: Model) -> None:
    again = Model.from_bytes(model.to_bytes())
    assert again.catalogue_version == "v1"
    for text in ("is it going to snow", "order me a big pizza", "hello"):
        assert again.scores(text, ALL) == model.scores(text, ALL)
    assert again.to_bytes() == model.to_bytes()


class Trap:
    def __reduce__(self) -> tuple[object, ...]:
        raise AssertionError("pickled")


def damaged(model: Model, **changed: object) -> bytes:
    with np.load(io.BytesIO(model.to_bytes())) as arrays:
        parts = {name: arrays[name] for name in arrays.files} | changed
    stream = io.BytesIO()
    np.savez(stream, **{name: value for name, value in parts.items() if value is not None})
    return stream.getvalue()


def test_what_is_no_model_is_refused(model: Model) -> None:
    good = model.to_bytes()
    objects = np.array([{"a": 1}], dtype=object)
    for bad in (
        b"",
        b"PK\x03\x04",
        good[:-40],
        damaged(model, bias=None),
        damaged(model, bias=np.zeros(2, np.float32)),
        damaged(model, bias=objects),
        damaged(model, facts=np.frombuffer(b"{}", np.uint8)),
    ):
        with pytest.raises(BadModelError):
            Model.from_bytes(bad)
