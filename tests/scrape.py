"""A scrape, read as Prometheus reads it."""

from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

Labels = frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Scrape:
    """Every sample by its name and labels."""

    samples: dict[tuple[str, Labels], float]
    families: frozenset[str]

    def value(self, name: str, **labels: str) -> float | None:
        """The sample's value; None where there is no such series."""
        return self.samples.get((name, frozenset(labels.items())))

    def series(self, prefix: str = "botcore_") -> set[tuple[str, Labels]]:
        return {key for key in self.samples if key[0].startswith(prefix)}


def read(text: bytes) -> Scrape:
    samples: dict[tuple[str, Labels], float] = {}
    families = set()
    for family in text_string_to_metric_families(text.decode()):
        families.add(f"{family.name}_total" if family.type == "counter" else family.name)
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in samples, f"{key} is there twice"
            samples[key] = sample.value
    return Scrape(samples, frozenset(families))
