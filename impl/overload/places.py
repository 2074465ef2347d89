"""How many requests of one token are under way."""

from dataclasses import dataclass, field

from generated.metrics import Metrics


@dataclass
class TokenPlaces:
    """At most `most` of each token, in this process."""

    most: int
    metrics: Metrics
    _taken: dict[str, int] = field(default_factory=dict, init=False)

    def take(self, token_id: str) -> bool:
        """Whether there was one; it is then to be given back."""
        taken = self._taken.get(token_id, 0)
        if taken >= self.most:
            self.metrics.requests_refused_total.at("token").inc()
            return False
        self._taken[token_id] = taken + 1
        return True

    def give_back(self, token_id: str) -> None:
        left = self._taken[token_id] - 1
        if left:
            self._taken[token_id] = left
        else:
            del self._taken[token_id]
