"""Features in, cross-view rank-1 out: the evaluator of `run` and of `postprocess`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from modelzoo.common.errors import DataError
from modelzoo.gaitset.features import FeatureCollector
from modelzoo.gaitset.metrics import CONDITIONS, GALLERY, CrossView, Labels, cross_view

if TYPE_CHECKING:
    import numpy as np

RANK = 1
"""The rank of the published tables."""


class CrossViewEvaluator(FeatureCollector):
    """Compares the features of walks, whose samples have `subject`, `condition` and `view` in their fields."""

    def result(self) -> dict[str, Any]:
        """Compare the probes with the gallery.

        Returns:
            Per cent; the keys are those of the postprocess JSON.

        Raises:
            DataError: There is no probe, or no gallery.
        """
        labels = Labels(*([info.fields[name] for info in self.infos] for name in ("subject", "condition", "view")))
        probes = [sequence for sequences in CONDITIONS.values() for sequence in sequences]
        for kind, sequences in (("gallery", GALLERY), ("probe", probes)):
            if not set(sequences) & set(labels.conditions):
                raise DataError(
                    f"none of the {len(self.infos)} walks is a {kind} sequence ({', '.join(sequences)})",
                    "rank-1 compares the probes of some subjects with the gallery of the same subjects",
                )
        return to_json(cross_view(self.features, labels), labels)


def to_json(table: CrossView, labels: Labels) -> dict[str, Any]:
    """The metrics as JSON values; None where there is nothing to compute a number from.

    Args:
        table: What was found.
        labels: Of all walks.
    """
    means = {"include": _by_condition(table.included()), "exclude": _by_condition(table.excluded())}
    probes = {name: _views_without(table, counts) for name, counts in zip(CONDITIONS, table.probes, strict=True)}
    return {
        **{name: {key: rows[name][RANK - 1] for key, rows in means.items()} for name in CONDITIONS},
        "rank": RANK,
        "views": list(table.views),
        "cells": _by_condition(table.cells[..., RANK - 1]),
        "probe_views": _by_condition(table.by_probe_view()[..., RANK - 1]),
        "ranks": {name: {key: rows[name] for key, rows in means.items()} for name in CONDITIONS},
        "subjects": len(set(labels.subjects)),
        "sequences": len(labels.subjects),
        "unused": len(labels.subjects) - int(table.probes.sum() + table.gallery.sum()),
        "unmatched": table.unmatched,
        "missing": {"gallery": _views_without(table, table.gallery), **probes},
    }


def _by_condition(values: np.ndarray) -> dict[str, Any]:
    import numpy as np

    plain = values.astype(object)
    plain[np.isnan(values)] = None
    return dict(zip(CONDITIONS, plain.tolist(), strict=True))


def _views_without(table: CrossView, counts: np.ndarray) -> list[str]:
    return [view for view, count in zip(table.views, counts, strict=True) if not count]


def metric_lines(metrics: Mapping[str, Any]) -> list[str]:
    """The lines that the published scripts print, for both protocols; a condition without numbers is `nan`."""
    lines = []
    for key in ("include", "exclude"):
        lines.append(f"===Rank-{metrics['rank']} ({key.capitalize()} identical-view cases)===")
        lines.append(",\t".join(f"{name}: {_percent(metrics[name][key])}" for name in CONDITIONS))
    return lines


def _percent(value: float | None) -> str:
    return "nan" if value is None else f"{value:.3f}"


def remarks(metrics: Mapping[str, Any]) -> list[str]:
    """What must be known of a data set that is not whole: which cells do not exist, and what counts as wrong."""
    cells = [cell for rows in metrics["cells"].values() for row in rows for cell in row]
    exist = sum(cell is not None for cell in cells)
    said = [_lacking(kind, views, len(metrics["views"])) for kind, views in metrics["missing"].items() if views]
    if exist < len(cells):
        said.append(f"the means are over the {exist} of {len(cells)} cells that exist, published ones over all")
    if metrics["unmatched"]:
        said.append(
            f"{metrics['unmatched']} times a probe's subject is not in the gallery of a view, which counts as wrong"
        )
    if metrics["unused"]:
        said.append(f"{metrics['unused']} of {metrics['sequences']} sequences are neither probe nor gallery")
    return said


def _lacking(kind: str, views: list[str], all_views: int) -> str:
    what = "gallery" if kind == "gallery" else f"{kind} probe"
    where = "at all" if len(views) == all_views else f"at view {', '.join(views)}"
    return f"no {what} sequence ({', '.join(CONDITIONS.get(kind, GALLERY))}) {where}"
