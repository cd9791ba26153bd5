"""What every report shows: metrics and speed beside the published numbers, times, skipped sources, environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from modelzoo.common.report.charts import bar_chart, histogram
from modelzoo.common.report.figures import Figure, Section, facts

LISTED = 100
"""How many skipped sources are listed; report.json has them all."""

RUN = {"samples": "Samples", "batchsize": "Batch size", "backend": "Backend"}
SPEEDS = {"end_to_end": "end to end", "inference_only": "inside the model"}

Labels = Mapping[str, tuple[str, str]]
"""What a metric is called and how it is written, by its key: `{"rank1": ("Rank-1", ".1%")}`."""


def results(content: Mapping[str, Any], labels: Labels) -> list[Section]:
    """The values that are read first, and all of them beside what was published.

    Args:
        content: `Report.content()`.
        labels: Names of the metrics.
    """
    accuracy, published = (content["reference"].get(part, {}) for part in ("accuracy", "throughput"))
    metrics, unit = _metrics(content["metrics"], accuracy, labels), published.get("unit", "samples/s")
    speed = [(f"{unit} {name}", _shown(content["throughput"][key])) for key, name in SPEEDS.items()]
    ratio = ("end to end / inside the model", f"{content['throughput']['ratio']:.1%}")
    run = [(name, _shown(content[key])) for key, name in RUN.items()]
    header = list(dict.fromkeys(key for row in published.get("rows", []) for key in row))
    rows = [[_shown(row.get(key)) for key in header] for row in published.get("rows", [])]
    known = [Figure(f"Published, {unit}", header, rows)] if rows else []
    return [
        Section("", [facts([*[(name, value) for name, value, *_ in metrics.rows[:2]], speed[0], *run])]),
        Section("Metrics", [metrics], _words(accuracy)),
        Section("Throughput", [Figure("This run", ("speed", "measured"), [*speed, ratio]), *known], _words(published)),
    ]


def circumstances(content: Mapping[str, Any], batch_ms: Sequence[float]) -> list[Section]:
    """Where the time went, what was skipped, and on which machine.

    Args:
        content: `Report.content()`.
        batch_ms: Milliseconds of every batch.
    """
    stages = {stage.removesuffix("_s"): seconds for stage, seconds in content["stages"].items()}
    spread = [histogram("Time of a batch", "milliseconds", batch_ms)] if batch_ms else []
    note = "Preprocessing is summed over its threads, which work while the model computes."
    skipped = [(source["source"], source["reason"]) for source in content["skipped"]]
    count = f"Sources that could not be used: {len(skipped):,}." + f" The first {LISTED}:" * (len(skipped) > LISTED)
    machine = content["environment"] | content["environment"]["versions"]
    here = [(key, str(value)) for key, value in machine.items() if key != "versions"]
    return [
        Section("Time", [bar_chart("Stages", "s", stages), *spread], note),
        Section("Skipped sources", [facts(skipped[:LISTED])] if skipped else [], count),
        Section("Environment", [facts(here)]),
    ]


def _metrics(metrics: Mapping[str, Any], accuracy: Mapping[str, Any], labels: Labels) -> Figure:
    nested = {key.replace("_", " "): value for key, value in accuracy.items() if isinstance(value, Mapping)}
    columns = {name: _flat(block) for name, block in {"published": accuracy, **nested}.items()}
    measured, rows = _flat(metrics), []
    columns = {"this run": measured, **{name: column for name, column in columns.items() if measured.keys() & column}}
    for key in measured:
        name, form = labels.get(key, (key, ""))
        rows.append((name, *[_shown(column.get(key), form) for column in columns.values()]))
    title = "Beside the published numbers" if len(columns) > 1 else "Measured"
    return Figure(title, ("metric", *columns), rows)


def _flat(value: object, name: str = "") -> dict[str, float]:
    """The numbers of nested mappings, their keys joined by blanks; true and false are none."""
    if isinstance(value, Mapping):
        return {path: n for key, inner in value.items() for path, n in _flat(inner, f"{name} {key}".strip()).items()}
    return {name: value} if isinstance(value, int | float) and not isinstance(value, bool) else {}


def _shown(value: object, form: str = "") -> str:
    if form.endswith("%") and isinstance(value, int | float) and value < 0:
        return "–"  # a share of nothing, which COCO's evaluation writes as -1
    if isinstance(value, int | float):
        return format(value, form or (",.4g" if isinstance(value, float) else ","))
    return "–" if value is None else str(value)


def _words(block: Mapping[str, Any]) -> str:
    words = [f"{k.capitalize()}: {text}." for k, text in block.items() if isinstance(text, str) and k != "unit"]
    return " ".join(["Published numbers.", *words]) if words else ""
