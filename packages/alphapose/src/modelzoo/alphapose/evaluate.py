"""Heat maps or keypoints in, COCO's ten numbers out: the evaluator of `run` and of `postprocess`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelzoo.alphapose.coco import PERSON, CocoPeople
from modelzoo.alphapose.heatmaps import decode, to_photo
from modelzoo.alphapose.metrics import NAMES, KeypointMetrics, keypoint_metrics
from modelzoo.alphapose.pose_nms import rescore, suppress
from modelzoo.alphapose.spec import JOINTS, MAP_HEIGHT, MAP_WIDTH
from modelzoo.common.errors import DataError, ModelError
from modelzoo.common.work import SampleInfo

if TYPE_CHECKING:
    import numpy as np

HEATMAPS = (1, JOINTS, MAP_HEIGHT, MAP_WIDTH)
KEYPOINTS = (1, JOINTS, 3)


@dataclass(frozen=True)
class Pose:
    """The pose of one detection.

    Args:
        info: The sample.
        keypoints: `(17, 3) float32`, x and y in pixels of the photo, score.
        score: That of the pose; the detection's until poses are compared.
    """

    info: SampleInfo
    keypoints: np.ndarray
    score: float

    @property
    def area(self) -> float:
        """Area of the crop, in pixels."""
        x1, y1, x2, y2 = self.info.fields["crop"]
        return float((x2 - x1) * (y2 - y1))

    def result(self) -> dict[str, Any]:
        """A row of COCO's result format."""
        return {
            "image_id": self.info.fields["image_id"],
            "category_id": PERSON,
            "keypoints": self.keypoints.ravel().tolist(),
            "score": self.score,
            "bbox": self.info.fields["box"],
        }


class KeypointEvaluator:
    """Collects the poses of detections, and compares them with the labelled people.

    Args:
        data: The data set.
    """

    def __init__(self, data: CocoPeople) -> None:
        self._data = data
        self._poses: list[Pose] = []
        self.kept: list[Pose] = []
        """The poses that count, once `result` was called: by photo, best first."""
        self.metrics: KeypointMetrics | None = None
        """What `result` found, with more than its JSON says."""

    def update(self, info: SampleInfo, outputs: tuple[np.ndarray, ...]) -> None:
        """Take the outputs of one crop: `(1, 17, 64, 48)` heat maps, or `(1, 17, 3)` keypoints in their pixels.

        Raises:
            DataError: They hold something that is no finite number.
            ModelError: They are of another shape.
        """
        import numpy as np

        output = outputs[0]
        if output.shape not in (HEATMAPS, KEYPOINTS):
            raise ModelError(f"the model gives {output.shape} for {info.source}, not heat maps of {JOINTS} joints")
        if not np.isfinite(output).all():
            raise DataError(f"the output for {info.source} holds values that are no finite numbers")
        keypoints = decode(output) if output.shape == HEATMAPS else output
        self._poses.append(Pose(info, to_photo(keypoints[0], info.fields["crop"]), info.fields["score"]))

    def result(self) -> dict[str, Any]:
        """Drop poses that lie on better ones, and compare the rest with the labels.

        Returns:
            The ten numbers of COCO as fractions, by the names of `metrics.NAMES`.

        Raises:
            DataError: There are no poses.
        """
        if not self._poses:
            raise DataError("there are no poses to be scored")
        self.kept = list(best_poses(self._poses))
        self.metrics = keypoint_metrics(self._data.labels, self.results())
        return dict(self.metrics.numbers)

    def results(self) -> list[dict[str, Any]]:
        """The poses that count, in COCO's result format."""
        return [pose.result() for pose in self.kept]


def best_poses(poses: Sequence[Pose]) -> Iterator[Pose]:
    """Score the poses of every photo, and leave out those that lie on a better one.

    Args:
        poses: Of any photos.

    Yields:
        The others: photos in the order of their first pose, their poses best first.
    """
    import numpy as np

    groups: dict[int, list[Pose]] = {}
    for pose in poses:
        groups.setdefault(pose.info.fields["image_id"], []).append(pose)
    for group in groups.values():
        keypoints = np.stack([pose.keypoints for pose in group])
        scores = rescore(np.array([pose.score for pose in group]), keypoints[..., 2])
        areas = np.array([pose.area for pose in group])
        for i in suppress(keypoints[..., :2], areas, scores):
            yield Pose(group[i].info, group[i].keypoints, float(scores[i]))


def metric_lines(metrics: Mapping[str, float]) -> list[str]:
    """The line that the published script ends with, and the ten numbers."""
    return [
        f"##### det box: {metrics['AP']} mAP #####",
        *[f"{name:<5}{_shown(metrics[name])}" for name in NAMES],
    ]


def _shown(value: float) -> str:
    return f"{value:.4f}" if value >= 0 else "nobody of this size is labelled"
