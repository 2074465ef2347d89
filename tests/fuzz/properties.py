"""What must hold of any input: the same for the few examples of `make test` and the many of
`make fuzz`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, given, seed, settings
from hypothesis.strategies import SearchStrategy

LONGEST_NOTE = 4000


@dataclass(frozen=True)
class Property:
    """`holds` raises, of a value that `given` makes, where it does not."""

    name: str
    given: SearchStrategy[Any]
    holds: Callable[[Any], None]

    def try_out(self, examples: int, number: int | None = None) -> None:
        """Raises what `holds` raises for the smallest example that was found.

        With a `number` the examples are that seed's; without, the same each time.
        """

        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            derandomize=number is None,
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
