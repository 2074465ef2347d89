"""How much of each row a run makes."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """`strict`: the promised milliseconds are asked for; else seconds more, for busy machines."""

    name: str
    repeats: int  # of each wrong behaviour
    storms: int  # rounds of 50 posts of one message
    kills: int  # of an instance that holds 100 calls
    plugins: int  # that the watchers watch …
    outages: int  # … and outages of each
    pairs: int  # of rounds with and without each wrong plugin
    rate: float  # messages a second where there is load
    instance_kills: int
    restarts: int
    aborts: int
    clock_seconds: float  # under each of the wrong clocks
    round_seconds: float
    row_seconds: float  # that a row may take at most
    at_once: int  # rows: much of one is waiting, but their times disturb one another
    strict: bool

    @property
    def patience(self) -> int:
        """So many times as long as it may take is waited, before something counts as lost."""
        return 1 if self.strict else 5

    @property
    def grace_ms(self) -> float:
        """Beyond a deadline, until the bot has its answer."""
        return 100.0 if self.strict else 4000.0


# Also of `make test`: on a machine that does other things too.
SHORT = Scale("short", repeats=1, storms=5, kills=1, plugins=6, outages=1, pairs=1,
              rate=20, instance_kills=1, restarts=1, aborts=200, clock_seconds=2,
              round_seconds=2, row_seconds=600, at_once=2, strict=False)  # fmt: skip
LONG = Scale("long", repeats=30, storms=1000, kills=3, plugins=20, outages=5, pairs=7,
             rate=100, instance_kills=50, restarts=20, aborts=10_000, clock_seconds=30,
             round_seconds=6, row_seconds=1800, at_once=1, strict=True)  # fmt: skip
