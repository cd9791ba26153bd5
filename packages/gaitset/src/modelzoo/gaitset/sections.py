"""What the report of a run shows of the evaluation: rank-1 by view, heat maps of the cells, aligned silhouettes."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelzoo.common.report.charts import histogram
from modelzoo.common.report.figures import Figure, Picture, Section, picture_rows
from modelzoo.common.work import SampleInfo
from modelzoo.gaitset.dataset import Walk
from modelzoo.gaitset.evaluate import remarks
from modelzoo.gaitset.heatmap import heat_map
from modelzoo.gaitset.metrics import CONDITIONS, RANKS, VIEWS
from modelzoo.gaitset.preprocess import read_sequence
from modelzoo.gaitset.spec import HEIGHT, WIDTH

if TYPE_CHECKING:
    import numpy as np

EXAMPLE_VIEW = "090"
"""The view of the examples, where there is one: from the side a step is seen best."""

EXAMPLE_FRAMES = 6
PICTURE_SIZE = (2 * WIDTH, 2 * HEIGHT)
"""Width and height of a silhouette in the report, in pixels."""

TITLES = {"NM": "Normal walking (NM)", "BG": "With a bag (BG)", "CL": "In a coat (CL)"}
LABELS = {
    **{f"{name} include": (f"{name}, identical views included, %", ".3f") for name in CONDITIONS},
    **{f"{name} exclude": (f"{name}, identical views excluded, %", ".3f") for name in CONDITIONS},
    "rank": ("Rank", ""),
    "subjects": ("Subjects", ","),
    "sequences": ("Walks", ","),
    "unused": ("Walks that are neither probe nor gallery", ","),
    "unmatched": ("Comparisons without the subject in the gallery", ","),
}
"""Names and formats of the metrics."""

PROTOCOL = (
    "Of the probes, how many have their subject as the nearest of the gallery, per cent: probes are nm-05 and nm-06, "
    "bg-01 and bg-02, cl-01 and cl-02; the gallery is nm-01 to nm-04 of one view."
)

ANGLES = "Rank-1 in per cent; views are angles of the camera in degrees, 000 from the front, 180 from behind."


@dataclass(frozen=True)
class Evaluated:
    """What was evaluated.

    Args:
        metrics: See `CrossViewEvaluator.result`.
        infos: The walks that went through the model, with the number of their frames.
        clip: What was done with the frames of a walk, as a sentence.
    """

    metrics: Mapping[str, Any]
    infos: Sequence[SampleInfo]
    clip: str


def gait_sections(evaluated: Evaluated, walks: Sequence[Walk], published: Mapping[str, Any]) -> list[Section]:
    """Tables, heat maps and pictures of a finished evaluation; a few walks are read again.

    Args:
        evaluated: What was evaluated.
        walks: Where the frames of the evaluated walks are; perhaps others.
        published: For each condition its published means, and under `probe_views` those of every view of CASIA-B;
            empty where nothing was published.

    Raises:
        DataError: A frame cannot be read any more.
    """
    metrics = evaluated.metrics
    said = [evaluated.clip, *(f"{remark[0].upper()}{remark[1:]}." for remark in remarks(metrics))]
    maps = [
        heat_map(TITLES[name], "probe", "gallery", metrics["views"], metrics["cells"][name])
        for name in CONDITIONS
        if metrics[name]["include"] is not None
    ]
    return [
        Section("Rank-1 by probe view", [view_table(metrics, published)], " ".join([PROTOCOL, *said])),
        Section("Every view against every view", [*maps, rank_table(metrics)], ANGLES),
        Section("Silhouettes", _silhouettes(evaluated.infos, walks)),
    ]


def view_table(metrics: Mapping[str, Any], published: Mapping[str, Any]) -> Figure:
    """Rank-1 of every probe view without the identical gallery view, beside the published one.

    Args:
        metrics: See `CrossViewEvaluator.result`.
        published: See `gait_sections`.
    """
    known = published.get("probe_views", {}) if tuple(metrics["views"]) == VIEWS else {}
    columns: dict[str, list[float | None]] = {}
    for name in CONDITIONS:
        columns[name] = [*metrics["probe_views"][name], metrics[name]["exclude"]]
        if known:
            columns[f"{name} published"] = [*known[name], published[name]["exclude"]]
    rows = zip([*metrics["views"], "mean"], *columns.values(), strict=True)
    texts = [(view, *map(_number, values)) for view, *values in rows]
    return Figure("Probe views, identical views excluded, %", ("probe view", *columns), texts)


def rank_table(metrics: Mapping[str, Any]) -> Figure:
    """The means at rank-1 to rank-5.

    Args:
        metrics: See `CrossViewEvaluator.result`.
    """
    rows = [
        (f"{name}, {key}d", *map(_number, values))
        for name, means in metrics["ranks"].items()
        for key, values in means.items()
    ]
    return Figure("Identical views included and excluded, %", ("", *(f"rank-{k}" for k in range(1, RANKS + 1))), rows)


def example_rows(walks: Sequence[Walk]) -> list[tuple[str, list[Picture]]]:
    """A walk of every condition as a row of pictures, with its name.

    Args:
        walks: What can be shown.

    Raises:
        DataError: A frame cannot be read.
    """
    rows = []
    for sequences in CONDITIONS.values():
        fitting = [walk for walk in walks if walk.condition in sequences]
        if fitting:
            walk = min(fitting, key=lambda walk: walk.view != EXAMPLE_VIEW)
            rows.append((walk.name, _pictures(walk)))
    return rows


def _silhouettes(infos: Sequence[SampleInfo], walks: Sequence[Walk]) -> list[Figure]:
    names = {info.source for info in infos}
    rows = example_rows([walk for walk in walks if walk.name in names])
    lengths = [info.fields["frames"] for info in infos]
    spread = histogram("Walks by the frames that were used", "frames", lengths, (10, 50, 90))
    return [picture_rows("Aligned, as the network sees them", rows), spread]


def _pictures(walk: Walk) -> list[Picture]:
    """Some frames of a walk, at equal distances, the first and the last among them."""
    frames = read_sequence(walk)
    count = min(EXAMPLE_FRAMES, len(frames))
    numbers = [round(i * (len(frames) - 1) / max(count - 1, 1)) for i in range(count)]
    return [Picture(_png(frames[i]), f"{walk.name}, silhouette {i + 1}", f"{i + 1} of {len(frames)}") for i in numbers]


def _png(frame: np.ndarray) -> bytes:
    """A silhouette, `(64, 44) uint8`, as a PNG file."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(frame).resize(PICTURE_SIZE, Image.Resampling.BICUBIC).save(file, format="PNG")
    return file.getvalue()


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
