"""How much a catalogue may cost: time, memory and the model's size grow with its tags times its
texts, and whoever registers plugins chooses both. What is over is left out, from every tag alike.
"""

import hashlib
from collections.abc import Mapping, Sequence

# CLINC150 has 150 tags, 15,000 texts of 620,000 characters, and 12,000 grams of each kind.
MAX_TEXTS = 30_000
MAX_CHARACTERS = 2_000_000  # the training takes some 500 bytes of memory for each
MAX_WORK = 12_000_000  # tags times texts, which the solvers' time grows with
MAX_GRAMS = 100_000  # of each kind, and
MAX_CELLS = 8_000_000  # of each kind times tags: 16 MB


def fair(texts: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Of each tag as many texts as all can have; one at least, of a tag that has any."""
    tags = max(len(texts), 1)
    share = max(1, min(MAX_TEXTS // tags, MAX_WORK // tags**2))
    characters = MAX_CHARACTERS // tags
    return {tag: _within(own, share, characters) for tag, own in texts.items()}


def affordable(counts: Mapping[str, int], tags: int) -> list[str]:
    """The grams that a model of so many tags has room for, the most frequent ones, sorted."""
    room = min(MAX_GRAMS, MAX_CELLS // tags)
    return sorted(sorted(counts, key=lambda gram: (-counts[gram], gram))[:room])


def _within(texts: Sequence[str], share: int, characters: int) -> list[str]:
    """By their digests, so that those of one letter do not go first."""
    if len(texts) <= share and sum(map(len, texts)) <= characters:
        return [*texts]
    mixed = sorted(texts, key=lambda text: hashlib.sha256(text.encode()).digest())
    kept, length = mixed[:1], len(mixed[0])
    for text in mixed[1:share]:
        length += len(text)
        if length > characters:
            break
        kept.append(text)
    return kept
