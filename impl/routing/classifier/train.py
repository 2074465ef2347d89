"""`python -m impl.routing.classifier.train`: meanings as JSON on stdin, a model on stdout.

A process of its own: scikit-learn takes 135 MiB and all of a core, and whoever serves has neither
to spare. One linear model over words and pieces of words, one over token vectors, their scores
added; then what a score is worth is learned from examples, and tags, that the models did not see.
"""

import os
import sys
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import orjson
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import normalize
from sklearn.svm import LinearSVC

from impl.routing.classifier.background import SENTENCES
from impl.routing.classifier.budget import affordable, fair
from impl.routing.classifier.confidence import SMALL, Seen, fitted
from impl.routing.classifier.features import normalized, piece_grams, word_grams
from impl.routing.classifier.model import (
    BACKGROUND,
    VECTORS_WEIGHT,
    WORDS_WEIGHT,
    Model,
    weighed,
)
from impl.routing.classifier.port import Meaning, Meanings
from impl.routing.classifier.vectors import SIZE, Floats, token_vectors

# Chosen by what CLINC150's validation part showed (docs/decisions/0016-classifier.md).
SVC_C, SVC_TOLERANCE, LOGISTIC_C, LOGISTIC_TURNS = 0.5, 0.05, 30.0, 100
# A gram in fewer texts than this says little, where there are many texts.
RARE, MANY_TEXTS = 2, 2_000
# With fewer examples what a score is worth is the usual.
ENOUGH = 1_500

# One tag of so many is kept back wholly.
TAGS_APART = 10
NEVER = -9.0
NOTHING = np.zeros(1, np.float32)

Labels = NDArray[np.int64]
Rows = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Examples:
    """A row for each text: its tag's number, its grams, its vector."""

    tags: tuple[str, ...]
    labels: Labels
    words: dict[str, int]
    pieces: dict[str, int]
    rarity: Floats
    grams: csr_matrix
    vectors: Floats


@dataclass(frozen=True, slots=True)
class Linear:
    """A column for each tag; one without an example never wins."""

    weights: Floats
    bias: Floats


@dataclass(frozen=True, slots=True)
class Round:
    """`taught` are the examples that its models see; the others are `asked`, and judged."""

    taught: Rows
    asked: Rows


def train(meanings: Meanings) -> Model:
    """The same meanings give the same model."""
    examples = read(meanings)
    kept_back = _round(examples)
    asked = [np.ones(len(examples.labels), bool), *([kept_back.taught] if kept_back else [])]
    # The solvers let go of the interpreter. A thread for each kind: two SVMs at once would share
    # the one random generator of liblinear, and take what is the other's.
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(_each, kind, examples, asked) for kind in (_words, _vectors)]
        (words, *some_words), (vectors, *some_vectors) = (one.result() for one in both)
    confidence = SMALL
    if kept_back:
        confidence = fitted(_seen(examples, kept_back, some_words[0], some_vectors[0]))
    order = np.argsort(examples.labels, kind="stable")
    return Model(
        tags=examples.tags,
        words=examples.words,
        pieces=examples.pieces,
        rarity=examples.rarity,
        weights=words.weights.astype(np.float16),
        bias=words.bias,
        vector_weights=vectors.weights,
        vector_bias=vectors.bias,
        examples=examples.vectors[order].astype(np.float16),
        starts=np.searchsorted(examples.labels[order], np.arange(len(examples.tags) + 1)),
        confidence=confidence,
        catalogue_version=meanings.version,
    )


def _each(
    kind: Callable[[Examples, Rows], Linear], examples: Examples, asked: Sequence[Rows]
) -> list[Linear]:
    return [kind(examples, rows) for rows in asked]


def read(meanings: Meanings) -> Examples:
    tags = (BACKGROUND, *sorted(meanings.tags))
    known = fair({tag: _texts(tag, meanings.tags[tag]) for tag in tags[1:]})
    texts, labels = [*map(normalized, SENTENCES)], [0] * len(SENTENCES)
    for label, own in enumerate(known.values(), 1):
        texts += own
        labels += [label] * len(own)
    word_rows, piece_rows = [*map(word_grams, texts)], [*map(piece_grams, texts)]
    words = _known(word_rows, len(tags), 0)
    pieces = _known(piece_rows, len(tags), len(words))
    blocks = [_counted(word_rows, words, 0), _counted(piece_rows, pieces, len(words))]
    rarity = np.concatenate([_rarity(block) for block in blocks])
    parts = [_scaled(blocks[0], rarity[: len(words)]), _scaled(blocks[1], rarity[len(words) :])]
    vectors = token_vectors().of_all(texts)
    return Examples(tags, np.array(labels), words, pieces, rarity, hstack(parts).tocsr(), vectors)


def _texts(tag: str, meaning: Meaning) -> list[str]:
    """What a tag is called says what it means, where nothing else does."""
    found = {normalized(text): None for text in (*meaning.examples, *meaning.descriptions)}
    found.pop("", None)
    return [*found] or [normalized(tag.replace("_", " ").replace("-", " ").replace(".", " "))]


def _known(rows: Sequence[Sequence[str]], tags: int, first: int) -> dict[str, int]:
    counts = Counter(gram for row in rows for gram in set(row))
    least = RARE if len(rows) > MANY_TEXTS else 1
    found = affordable({gram: count for gram, count in counts.items() if count >= least}, tags)
    return {gram: row for row, gram in enumerate(found, first)}


def _counted(rows: Sequence[Sequence[str]], known: dict[str, int], first: int) -> csr_matrix:
    """Each gram's weight by how often it comes in its text."""
    values, columns, ends = [], [], [0]
    for row in rows:
        found, amounts = weighed(row, known)
        columns += [column - first for column in found]
        values.append(amounts)
        ends.append(len(columns))
    shape = (len(rows), max(len(known), 1))
    return csr_matrix((np.concatenate(values), columns, ends), shape=shape, dtype=np.float32)


def _rarity(block: csr_matrix) -> Floats:
    texts = np.bincount(block.indices, minlength=block.shape[1])
    rarity: Floats = (np.log((1 + block.shape[0]) / (1 + texts)) + 1).astype(np.float32)
    return rarity


def _scaled(block: csr_matrix, rarity: Floats) -> csr_matrix:
    """Rarer grams count for more; every text is as long as every other."""
    return normalize(block.multiply(rarity).tocsr())


def _round(examples: Examples) -> Round | None:
    """A third of the examples is kept back, and a tenth of the tags wholly: what nobody answers.

    None where there are too few to spare any.
    """
    if len(examples.labels) < ENOUGH or len(examples.tags) < TAGS_APART:
        return None
    thirds = np.random.default_rng(0).permutation(len(examples.labels)) % 3
    strangers = np.random.default_rng(1).permutation(len(examples.tags)) % TAGS_APART
    apart = (strangers[examples.labels] == 0) & (examples.labels > 0)
    return Round(taught=(thirds > 0) & ~apart, asked=(thirds == 0) | apart)


def _words(examples: Examples, rows: Rows) -> Linear:
    labels = examples.labels[rows]
    if len(np.unique(labels)) < 2:
        return _spread(
            examples, labels, np.zeros((1, examples.grams.shape[1]), np.float32), NOTHING
        )
    solver = LinearSVC(C=SVC_C, class_weight="balanced", tol=SVC_TOLERANCE, random_state=0).fit(
        examples.grams[rows], labels
    )
    return _spread(examples, labels, solver.coef_, solver.intercept_)


def _vectors(examples: Examples, rows: Rows) -> Linear:
    labels = examples.labels[rows]
    if len(np.unique(labels)) < 2:
        return _spread(examples, labels, np.zeros((1, SIZE), np.float32), NOTHING)
    solver = LogisticRegression(C=LOGISTIC_C, class_weight="balanced", max_iter=LOGISTIC_TURNS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # near enough is near enough
        solver.fit(examples.vectors[rows], labels)
    return _spread(examples, labels, solver.coef_, solver.intercept_)


def _spread(examples: Examples, labels: Labels, rows: Floats, bias: Floats) -> Linear:
    """A solver knows those tags that it saw, and of two it keeps one row."""
    present = np.unique(labels)
    if len(present) == 2:
        rows, bias = np.concatenate([-rows, rows]), np.concatenate([-bias, bias])
    weights = np.zeros((rows.shape[1], len(examples.tags)), np.float32)
    weights[:, present] = rows.T
    biases = np.full(len(examples.tags), NEVER, np.float32)
    biases[present] = bias
    return Linear(weights, biases)


def _seen(examples: Examples, one: Round, words: Linear, vectors: Linear) -> Seen:
    """What was said of the texts that were kept back, and whether it was right."""
    known = np.unique(examples.labels[one.taught])
    labels, texts = examples.labels[one.asked], examples.vectors[one.asked]
    margins = examples.grams[one.asked] @ words.weights + words.bias
    values = margins * WORDS_WEIGHT + (texts @ vectors.weights + vectors.bias) * VECTORS_WEIGHT
    best = values[:, 1:].argmax(axis=1) + 1
    at = np.arange(len(best))
    scores = values[at, best]
    values[at, best] = -np.inf
    leads = scores - values.max(axis=1)
    nearness = np.zeros(len(best), np.float32)
    for tag in np.unique(best):
        own = examples.vectors[one.taught & (examples.labels == tag)]
        if len(own):
            nearness[best == tag] = (texts[best == tag] @ own.T).max(axis=1)
    inside = np.isin(labels, known) & (labels > 0)
    return Seen(np.column_stack([scores, leads, nearness]), right=best == labels, inside=inside)


def end_with_parent() -> None:
    """Whoever began this reads the result; nobody else can."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def main() -> None:
    os.nice(10)
    end_with_parent()
    given = orjson.loads(sys.stdin.buffer.read())
    tags = {tag: Meaning(tuple(one), tuple(two)) for tag, one, two in given["tags"]}
    model = train(Meanings(tags, given["version"]))
    sys.stdout.buffer.write(model.to_bytes())


if __name__ == "__main__":
    main()
