"""What `make bench` measured of messages, as a picture."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("agg")
from matplotlib import pyplot as plt

SYSTEMS = ("floor", "core", "idiomatic")
PROCESSES = {"api": "API", "postgres": "PostgreSQL", "valkey": "Valkey", "plugin": "plugin"}
COSTS_AT = "16"


def draw(figures: Mapping[str, Any], path: Path) -> None:
    """`figures` of the part `messages`, into a PNG."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    _speeds(left, figures["systems"])
    _costs(right, figures["systems"])
    figure.savefig(path, dpi=110, metadata={"Software": None})
    plt.close(figure)


def _speeds(axes: Any, systems: Mapping[str, Any]) -> None:
    levels = list(systems["core"])
    width = 0.8 / len(SYSTEMS)
    for index, name in enumerate(SYSTEMS):
        heights = [systems[name][level]["a_second"] for level in levels]
        places = [place + index * width for place in range(len(levels))]
        bars = axes.bar(places, heights, width, label=name)
        axes.bar_label(bars, fmt="%.0f", fontsize=8)
    axes.set_xticks([place + width for place in range(len(levels))], levels)
    axes.set(xlabel="connections", ylabel="messages/s", title="Messages a second")
    axes.legend()


def _costs(axes: Any, systems: Mapping[str, Any]) -> None:
    below = [0.0] * len(SYSTEMS)
    for process, title in PROCESSES.items():
        heights = [systems[name][COSTS_AT]["processor_ms"][process] for name in SYSTEMS]
        axes.bar(SYSTEMS, heights, 0.6, bottom=below, label=title)
        below = [low + height for low, height in zip(below, heights, strict=True)]
    axes.set(ylabel="ms", title=f"Processor time a message, {COSTS_AT} connections")
    axes.legend()
