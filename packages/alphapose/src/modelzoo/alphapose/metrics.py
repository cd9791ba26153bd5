"""The ten numbers of COCO's keypoint protocol, by pycocotools (Lin et al., ECCV 2014)."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelzoo.alphapose.pose_nms import SIGMAS

if TYPE_CHECKING:
    import numpy as np

NAMES = ("AP", "AP50", "AP75", "APM", "APL", "AR", "AR50", "AR75", "ARM", "ARL")
"""What pycocotools calls them, in its order."""

FOUND = 0
"""Which of its thresholds says that a person was found: OKS 0.5, the lowest."""


@dataclass(frozen=True)
class KeypointMetrics:
    """What the protocol says of results.

    Args:
        numbers: The ten numbers by `NAMES`, fractions; -1 where there is nobody of that size to be found.
        matches: Number of the result, and id of the annotation, of everybody who was found (OKS from 0.5).
    """

    numbers: Mapping[str, float]
    matches: Sequence[tuple[int, int]]


def keypoint_metrics(labels: Mapping[str, Any], results: Sequence[Mapping[str, Any]]) -> KeypointMetrics:
    """Compare poses with the labelled people.

    Args:
        labels: The JSON values of an annotation file.
        results: At least one pose in COCO's result format; the images are among those of the labels.
    """
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):  # it prints on its way
        truth = COCO()
        truth.dataset = {**labels, "annotations": [dict(row) for row in labels["annotations"]]}
        truth.createIndex()
        found = truth.loadRes([dict(row) for row in results])
        evaluation = COCOeval(truth, found, "keypoints")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    numbers = dict(zip(NAMES, map(float, evaluation.stats), strict=True))
    return KeypointMetrics(numbers, _matches(evaluation))


def joint_similarities(poses: np.ndarray, labels: np.ndarray, areas: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How near the joints of people who were found lie to their labels: the term of every joint in OKS.

    Args:
        poses: `(n, 17, 2)`, x and y in pixels.
        labels: `(n, 17, 3)`, x and y in pixels, and whether the joint is labelled (above 0).
        areas: `(n,)`, areas of the people in pixels, as COCO counts them.

    Returns:
        The mean of every joint over those who have it labelled, `(17,) float64`, 0..1, not a number where nobody has;
        and how many have, `(17,) int64`.
    """
    import numpy as np

    labelled = labels[..., 2] > 0
    distances = ((poses.astype(np.float64) - labels[..., :2]) ** 2).sum(2)
    variances = (2 * np.array(SIGMAS)) ** 2
    terms = np.exp(-distances / variances / (areas[:, None] + np.spacing(1)) / 2)
    counts = labelled.sum(0)
    with np.errstate(invalid="ignore"):
        means = np.where(labelled, terms, 0).sum(0) / counts
    return means, counts


def _matches(evaluation: Any) -> list[tuple[int, int]]:
    """Pairs of result and annotation; results are numbered from 1 by pycocotools, where 0 is nobody."""
    everybody = evaluation.params.areaRng[0]
    pairs = []
    for image in evaluation.evalImgs:
        if image is None or image["aRng"] != everybody:
            continue
        columns = zip(image["dtIds"], image["dtMatches"][FOUND], image["dtIgnore"][FOUND], strict=True)
        pairs += [(result - 1, int(person)) for result, person, ignored in columns if person and not ignored]
    return pairs
