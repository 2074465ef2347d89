"""The figures for people: tables, and docs/PERFORMANCE.md with its chart."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.load.bench.part import Part
from tools.contract import ROOT

PAGE = ROOT / "docs" / "PERFORMANCE.md"
CHART = ROOT / "docs" / "performance.png"
NOT_MEASURED = "not_measured"
DRAWN = "messages"
PROCESSES = ("api", "postgres", "valkey", "plugin")


def table(part: str, figures: Mapping[str, Any]) -> str:
    """Of a part that has no table of its own, each figure by its path."""
    if NOT_MEASURED in figures:
        return f"not measured: {figures[NOT_MEASURED]}"
    return TABLES.get(part, plain)(figures)


def plain(figures: Mapping[str, Any]) -> str:
    told = {name: value for name, value in figures.items() if name != "kept"}  # told below
    return markdown(["Figure", "Measured"], _flat(told))


def _flat(figures: Mapping[str, Any], above: str = "") -> Iterator[list[str]]:
    for name, value in figures.items():
        place = f"{above}{name}".replace("_", " ")
        if isinstance(value, Mapping):
            yield from _flat(value, f"{place}: ")
        else:
            yield [place, _told(value)]


def _told(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "**no**"
    return f"{value:,g}" if isinstance(value, float) else str(value)


def messages(figures: Mapping[str, Any]) -> str:
    rows = []
    for name, levels in figures["systems"].items():
        for connections, found in levels.items():
            cost = found["processor_ms"]
            rows.append([
                name, connections, f"{found['a_second']:,.0f}",
                *(f"{found[each]:.1f}" for each in ("p50", "p95", "p99")),
                *(f"{cost[each]:.2f}" if each in cost else "-" for each in PROCESSES),
            ])  # fmt: skip
    heads = ["System", "Connections", "Messages/s", "p50 ms", "p95 ms", "p99 ms",
             "CPU ms a message: API", "PostgreSQL", "Valkey", "plugin"]  # fmt: skip
    ratios = [
        [f"core to {other}", *(f"{found:.2f}" for found in levels.values()),
         f"{figures['processor_ratios'][other]:.2f}"]
        for other, levels in figures["ratios"].items()
    ]  # fmt: skip
    by = [f"messages/s, {connections} connections" for connections in figures["ratios"]["floor"]]
    memory = figures["rss_mib"]
    stored = [
        [name, f"{found['acknowledged']:,}", f"{found['stored']:,}",
         ", ".join(f"{table} {number:g}" for table, number in found["each"].items()),
         f"{memory[name]:.0f}" if name in memory else "-"]
        for name, found in figures["rows"].items()
    ]  # fmt: skip
    return "\n\n".join([
        markdown(heads, rows),
        markdown(["Ratio", *by, "processor time a message, 16"], ratios),
        markdown(["System", "Acknowledged", "Stored", "Rows a message", "RSS of the API, MiB"],
                 stored),
    ])  # fmt: skip


def trips(figures: Mapping[str, Any]) -> str:
    heads = ["System", "Statements", "Database round trips", "Redis round trips"]
    rows = [[name, *(f"{number:g}" for number in found.values())]
            for name, found in figures["systems"].items()]  # fmt: skip
    return markdown(heads, rows)


def latency(figures: Mapping[str, Any]) -> str:
    whole, own, scenario = figures["p50_ms"], figures["own_p50_ms"], figures["scenario"]
    rows = [[name, f"{whole[name]:.2f}", f"{own[name]:.2f}"] for name in own]
    rows.append(["plugin, asked directly", f"{whole['plugin']:.2f}", "-"])
    rate = f"{figures['a_second']:.0f} messages/s"
    story = (
        f"The specification's scenario, {rate} for {scenario['seconds']} s in dialogs that go on, "
        f"with a plugin that takes {scenario['plugin_ms']} ms: the core's own median "
        f"{scenario['own_median_ms']:.1f} ms, p95 {scenario['own_p95_ms']:.1f} ms."
    )
    return "\n\n".join([
        markdown([f"At {rate}", "p50 ms", "less the plugin's"], rows),
        f"The core's own p50 is {figures['ratio_own_p50']:.2f} times the floor's.",
        story,
    ])  # fmt: skip


def contract(figures: Mapping[str, Any]) -> str:
    heads = ["Served by", "Requests/s", "against bare", "CPU a request", "against bare"]
    rows = [[found["title"], f"{found['a_second']:,}", f"{found['ratio_bare']:.2f}",
             f"{found['cpu_us']:.0f} µs", f"{found['ratio_bare_cpu']:.2f}"]
            for found in figures["peers"].values()]  # fmt: skip
    return markdown(heads, rows)


def costs(figures: Mapping[str, Any]) -> str:
    found = figures["microseconds"]
    rows = [[name.replace("_", " "), f"{took:.0f} µs", f"{100 * took / found['all']:.0f} %"]
            for name, took in found.items()]  # fmt: skip
    return markdown(["Step", "CPU of the API", "of it"], rows)


TABLES: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "messages": messages,
    "trips": trips,
    "latency": latency,
    "contract": contract,
    "costs": costs,
}


def markdown(heads: Sequence[str], rows: Iterator[list[str]] | Sequence[list[str]]) -> str:
    lines = ["| " + " | ".join(cells) + " |" for cells in (heads, *rows)]
    lines.insert(1, "|" + " --- |" * len(heads))
    return "\n".join(lines)


def document(parts: Sequence[Part], found: Mapping[str, Any]) -> list[Path]:
    """Writes each part between its markers; one that is new goes to the end of the page.

    What could not be measured leaves what the page has of it.
    """
    page = PAGE.read_text()
    for part in parts:
        if NOT_MEASURED not in found[part.name]:
            page = between(part, section(part, found), page)
    PAGE.write_text(page)
    if "systems" not in found.get(DRAWN, {}):
        return [PAGE]
    from tests.load.bench.chart import draw  # it takes a second to import

    draw(found[DRAWN], CHART)
    return [PAGE, CHART]


def section(part: Part, found: Mapping[str, Any]) -> str:
    run = (f"Run of {found['day']}, {found['processors']} processors, "
           f"Python {found['python']}.")  # fmt: skip
    kept = "\n".join(
        f"- {name.replace('_', ' ')}: {'kept' if kept else '**not kept**'}"
        for name, kept in found[part.name].get("kept", {}).items()
    )
    chart = f"![{part.title}]({CHART.name})" if part.name == DRAWN else ""
    pieces = [f"## {part.title}", run, chart, table(part.name, found[part.name]), kept]
    return "\n\n".join(piece for piece in pieces if piece)


def between(part: Part, text: str, page: str) -> str:
    begin, end = f"<!-- bench:{part.name} -->", f"<!-- /bench:{part.name} -->"
    if begin not in page:
        page = f"{page.rstrip()}\n\n{begin}\n{end}\n"
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n{text}\n{end}{after}"
