"""A trained model: plain arrays, and how they score a text."""

import io
import json
import zipfile
from collections import Counter
from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from impl.routing.classifier.features import normalized, piece_grams, word_grams
from impl.routing.classifier.vectors import SIZE, Floats, token_vectors

FORM = 1
# How many of the likeliest tags are told.
TOLD = 5
# Of the sum of both scores: the margins of the words, and the logits of the vectors.
WORDS_WEIGHT, VECTORS_WEIGHT = 3.0, 1 / 3
# The tag of texts that are nobody's; no manifest can name it.
BACKGROUND = ""

Half = NDArray[np.float16]


class BadModelError(Exception):
    """The bytes are no model of this form."""


@dataclass(frozen=True, slots=True)
class Confidence:
    """A logistic function of a tag's score, its lead, and how near its nearest example is."""

    weights: Floats  # three, none below 0
    bias: float

    def of(self, score: float, lead: float, nearness: float) -> float:
        value = float(self.weights @ np.array([score, lead, nearness], np.float32)) + self.bias
        return float(1 / (1 + np.exp(-value)))


@dataclass(frozen=True, slots=True)
class Model:
    """`tags` are the columns of both matrices; the first is BACKGROUND.

    `words` and `pieces` are the grams of the rows, each block with its own rarities. `examples`
    are vectors, in the order of the tags; `starts` says where each tag's begin.
    """

    tags: tuple[str, ...]
    words: dict[str, int]
    pieces: dict[str, int]
    rarity: Floats
    weights: Half
    bias: Floats
    vector_weights: Floats
    vector_bias: Floats
    examples: Half
    starts: NDArray[np.int64]
    confidence: Confidence
    catalogue_version: str

    def scores(self, text: str, permitted: Container[str]) -> list[tuple[str, float]]:
        """The likeliest of the permitted tags with their confidence, the best first."""
        plain = normalized(text)
        vector = token_vectors().of(plain)
        values = self.raw(plain, vector)
        allowed = [at for at, tag in enumerate(self.tags) if at == 0 or tag in permitted]
        ranked = sorted(allowed, key=lambda at: (-values[at], at))
        found = []
        for at in [at for at in ranked if at][:TOLD]:
            rival = next((other for other in ranked if other != at), None)
            lead = float(values[at] - values[rival]) if rival is not None else 0.0
            sure = self.confidence.of(float(values[at]), lead, self.nearness(at, vector))
            found.append((self.tags[at], round(sure, 4)))
        return sorted(found, key=lambda one: -one[1])

    def raw(self, plain: str, vector: Floats) -> Floats:
        """Each tag's score, of a normalized text and its vector."""
        margins = self.bias.copy()
        for grams, known in ((word_grams(plain), self.words), (piece_grams(plain), self.pieces)):
            rows, counts = weighed(grams, known)
            if rows:
                amounts = counts * self.rarity[rows]
                amounts /= np.linalg.norm(amounts)
                margins += amounts @ self.weights[rows].astype(np.float32)
        logits = vector @ self.vector_weights + self.vector_bias
        result: Floats = margins * WORDS_WEIGHT + logits * VECTORS_WEIGHT
        return result

    def nearness(self, at: int, vector: Floats) -> float:
        """The cosine to the nearest example of one tag."""
        own = self.examples[self.starts[at] : self.starts[at + 1]]
        return float((own.astype(np.float32) @ vector).max()) if len(own) else 0.0

    def to_bytes(self) -> bytes:
        """The same model is the same bytes, everywhere."""
        stream = io.BytesIO()
        facts = {
            "form": FORM,
            "tags": self.tags,
            "words": _ordered(self.words),
            "pieces": _ordered(self.pieces),
            "catalogue_version": self.catalogue_version,
            "confidence": [*map(float, self.confidence.weights), self.confidence.bias],
        }
        np.savez(
            stream,
            facts=np.frombuffer(json.dumps(facts).encode(), np.uint8),
            rarity=self.rarity,
            weights=self.weights,
            bias=self.bias,
            vector_weights=self.vector_weights,
            vector_bias=self.vector_bias,
            examples=self.examples,
            starts=self.starts,
        )
        return stream.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> "Model":
        """Raises BadModelError. Nothing in it can run: numpy loads numbers only."""
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
                return _read(cls, {name: arrays[name] for name in arrays.files})
        except (ValueError, KeyError, TypeError, OSError, EOFError, zipfile.BadZipFile) as error:
            raise BadModelError(f"{type(error).__name__}: {error}"[:200]) from None


def weighed(grams: Sequence[str], known: dict[str, int]) -> tuple[list[int], Floats]:
    """The rows of the known ones, and each one's weight by how often it comes."""
    counts = Counter(row for gram in grams if (row := known.get(gram)) is not None)
    rows = sorted(counts)
    return rows, 1 + np.log(np.array([counts[row] for row in rows], np.float32))


def _ordered(known: dict[str, int]) -> list[str]:
    return sorted(known, key=known.__getitem__)


def _read(cls: type[Model], arrays: dict[str, NDArray[Any]]) -> Model:
    """Raises ValueError where the parts do not fit each other."""
    facts = json.loads(arrays.pop("facts").tobytes())
    tags, words, pieces = tuple(facts["tags"]), facts["words"], facts["pieces"]
    rows, columns = len(words) + len(pieces), len(tags)
    shapes = {
        "rarity": (np.float32, (rows,)),
        "weights": (np.float16, (rows, columns)),
        "bias": (np.float32, (columns,)),
        "vector_weights": (np.float32, (SIZE, columns)),
        "vector_bias": (np.float32, (columns,)),
        "starts": (np.int64, (columns + 1,)),
        "examples": (np.float16, (int(arrays["starts"][-1]), SIZE)),
    }
    if facts["form"] != FORM or not tags or tags[0] != BACKGROUND:
        raise ValueError("another form")
    for name, (kind, shape) in shapes.items():
        if arrays[name].dtype != kind or arrays[name].shape != shape:
            raise ValueError(f"{name} is of another shape")
    *weights, bias = facts["confidence"]
    return cls(
        tags=tags,
        words={gram: row for row, gram in enumerate(words)},
        pieces={gram: len(words) + row for row, gram in enumerate(pieces)},
        confidence=Confidence(np.array(weights, np.float32), float(bias)),
        catalogue_version=facts["catalogue_version"],
        **{name: arrays[name] for name in shapes},
    )
