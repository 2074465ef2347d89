"""What of a text the local classifier sees, where it is trained and where it answers.

Words and pairs of words tell languages that the token vectors do not know, too; pieces of words
forgive what is mistyped or inflected.
"""

import re
import unicodedata
from itertools import pairwise

# A person's question is far shorter; a longer text is cut, so that its time is bounded.
MAX_CHARACTERS = 1_000
PIECES = (2, 3, 4)  # the lengths of pieces of words, in characters

_WORD = re.compile(r"\w+")


def folded(text: str) -> str:
    """One form of what reads alike: compatibility forms, case, white space."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def normalized(text: str) -> str:
    """As `folded`, cut before and after: one character may be eighteen in another form."""
    return folded(text[:MAX_CHARACTERS])[:MAX_CHARACTERS].rstrip()


def word_grams(text: str) -> list[str]:
    """Words and pairs of them, of a normalized text."""
    words = _WORD.findall(text)
    return [*words, *map(" ".join, pairwise(words))]


def piece_grams(text: str) -> list[str]:
    """Pieces of its words, which show where a word begins and ends."""
    found = []
    for word in text.split(" "):
        padded = f" {word} "
        for size in PIECES:
            if len(padded) <= size:
                found.append(padded)
                break  # a short word is one piece, once
            found += [padded[at : at + size] for at in range(len(padded) - size + 1)]
    return found
