"""What must hold of any input: the same for the few examples of `make test` and the many of
`make fuzz`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

LONGEST_NOTE = 4000


@dataclass(frozen=True)
class Property:
    """`holds` raises, of a value that `given` makes, where it does not."""

    name: str
    given: SearchStrategy[Any]
    holds: Callable[[Any], None]

    def try_out(self, examples: int, number: int | None = None) -> None:
        """Raises what `holds` raises for an example that was found.

        With a `number` the examples are that seed's, and the smallest is looked for, for minutes
        at most; without, they are the same each time and the first is told.
        """
        phases = (Phase.generate,) if number is None else (Phase.generate, Phase.shrink)

        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            derandomize=number is None,
            phases=phases,
            suppress_health_check=list(HealthCheck),
        )
        @given(self.given)
        def test(value: Any) -> None:
            try:
                self.holds(value)
            except Exception as error:
                error.add_note(f"of {value!r}"[:LONGEST_NOTE])
                raise

        (test if number is None else seed(number)(test))()
