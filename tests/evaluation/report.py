"""The figures for people: a table in docs/routing.md and a chart beside it."""

import json
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("agg")
from matplotlib import pyplot as plt

from tests.evaluation.figures import Judged, by_threshold, reliability
from tools.contract import ROOT

PAGE, CHART = ROOT / "docs" / "routing.md", ROOT / "docs" / "routing.png"
BEGIN, END = "<!-- eval-routing -->", "<!-- /eval-routing -->"
# In scope, as published with the data (Larson et al., 2019), of the test part.
PUBLISHED = {"SVM": 0.910, "MLP": 0.935, "BERT": 0.962}

ROWS = (
    ("accuracy_in_scope", "Accuracy in scope, the likeliest tag", "93 % (94.5 %)", "share"),
    ("accuracy_in_scope_at_threshold", "Right and above the threshold", "90 % (92 %)", "share"),
    ("recall_out_of_scope", "Out of scope, and refused", "60 % (70 %)", "share"),
    ("macro_f1", "Macro F1 of the decisions", "", "plain"),
    ("calibration_error", "Calibration error (15 bins)", "", "plain"),
    ("median_ms", "One message, median", "1.5 ms (1.0)", "ms"),
    ("p95_ms", "One message, p95", "", "ms"),
    ("rules_only_us", "By rules alone, 200 patterns, median", "50 µs", "µs"),
    ("training_s", "Training, in its own process", "20 s", "s"),
    ("rss_mib", "Memory of a serving process with the model", "250 MiB", "MiB"),
    ("rss_without_mib", "and of one without", "130 MiB", "MiB"),
    ("model_mib", "The model as it is stored", "", "MiB"),
)


def table(found: dict[str, float]) -> str:
    lines = ["| Figure | Measured | Must reach (goal) |", "| --- | --- | --- |"]
    for name, title, goal, unit in ROWS:
        value = f"{found[name]:.1%}" if unit == "share" else f"{found[name]:g}"
        told = value if unit in ("share", "plain") else f"{value} {unit}"
        lines.append(f"| {title} | {told} | {goal} |")
    lines += [
        f"| Published, {name}, in scope | {value:.1%} | |" for name, value in PUBLISHED.items()
    ]
    return "\n".join(lines)


def write(folder: Path, found: dict[str, float], judged: list[Judged]) -> list[Path]:
    folder.mkdir(exist_ok=True)
    figures = folder / "eval-routing.json"
    figures.write_text(json.dumps(found, indent=2) + "\n")
    draw(judged, found["threshold"])
    page = PAGE.read_text()
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{table(found)}\n{END}{after}")
    return [figures, CHART, PAGE]


def draw(judged: list[Judged], threshold: float) -> None:
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    steps = [step / 50 for step in range(51)]
    pairs = [by_threshold(judged, step) for step in steps]
    _lines(left, steps, pairs, threshold)
    points = reliability([one for one in judged if one.wanted is not None])
    right.plot([0, 1], [0, 1], color="grey", linewidth=0.8)
    right.scatter(
        [sure for sure, _, _ in points],
        [was for _, was, _ in points],
        s=[max(8, 600 * weight) for _, _, weight in points],
    )
    right.set(xlabel="confidence", ylabel="share that was right", title="Confidence, in scope")
    figure.savefig(CHART, dpi=110, metadata={"Software": None})
    plt.close(figure)


def _lines(axes: Any, steps: list[float], pairs: list[tuple[float, float]], mark: float) -> None:
    axes.plot(steps, [inside for inside, _ in pairs], label="in scope: right and above it")
    axes.plot(steps, [outside for _, outside in pairs], label="out of scope: below it")
    axes.axvline(mark, color="grey", linewidth=0.8, linestyle="--", label="default")
    axes.set(xlabel="threshold", ylabel="share", ylim=(0, 1), title="Threshold")
    axes.legend(loc="lower center")
