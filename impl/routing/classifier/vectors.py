"""The mean of the pretrained vectors of a text's tokens: what it is about, whatever its words.

The vectors and the tokenizer are the data files of the package wordllama (256 numbers for each of
32,000 tokens, trained for similarity); its code is not used.
"""

from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from tokenizers import Tokenizer

Floats = NDArray[np.float32]

NAME = "l2_supercat"
SIZE = 256
MAX_TOKENS = 256


class TokenVectors:
    def __init__(self, folder: Path) -> None:
        tokenizer = folder / "tokenizers" / f"{NAME}_tokenizer_config.json"
        self._tokenizer = Tokenizer.from_file(str(tokenizer))
        with safe_open(folder / "weights" / f"{NAME}_{SIZE}.safetensors", "numpy") as weights:
            (name,) = weights.keys()
            self._vectors: NDArray[np.float16] = weights.get_tensor(name)

    def of(self, text: str) -> Floats:
        """Of a normalized text, of length 1; all zeros where it has no token."""
        ids = self._tokenizer.encode(text, add_special_tokens=False).ids[:MAX_TOKENS]
        if not ids:
            return np.zeros(SIZE, np.float32)
        mean = self._vectors[ids].astype(np.float32).mean(axis=0)
        length = float(np.linalg.norm(mean))
        unit: Floats = mean / length if length else mean
        return unit

    def of_all(self, texts: Iterable[str]) -> Floats:
        """A row for each text."""
        return np.stack([self.of(text) for text in texts])


@cache
def token_vectors() -> TokenVectors:
    """Loaded once, where the first model is."""
    spec = find_spec("wordllama")  # of a package at the top: nothing of it is imported
    if spec is None or not spec.submodule_search_locations:
        raise ImportError("the package wordllama is not installed")
    return TokenVectors(Path(spec.submodule_search_locations[0]))
