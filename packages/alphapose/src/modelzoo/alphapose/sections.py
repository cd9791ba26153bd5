"""What the report of a run shows of the poses: photos with skeletons, how near joints lie, scores of the detections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from modelzoo.alphapose.coco import CocoPeople, Photo
from modelzoo.alphapose.drawing import draw_people
from modelzoo.alphapose.evaluate import KeypointEvaluator, Pose
from modelzoo.alphapose.images import read_bgr
from modelzoo.alphapose.metrics import joint_similarities
from modelzoo.alphapose.pose_nms import SEEN
from modelzoo.common.report.charts import bar_chart, histograms
from modelzoo.common.report.figures import Figure, Picture, Section, picture_rows

EXAMPLES = 6
"""How many photos are shown."""

PICTURE_SIDE = 480
PICTURE_QUALITY = 80

JOINT_NAMES = (
    *("nose", "left eye", "right eye", "left ear", "right ear", "left shoulder", "right shoulder", "left elbow"),
    *("right elbow", "left wrist", "right wrist", "left hip", "right hip", "left knee", "right knee", "left ankle"),
    "right ankle",
)

SHOWN = (
    f"Photos spread over the data set. Drawn are poses with a score from {SEEN}, and of them joints with such a score."
)
FOUND = "People whose pose has an object keypoint similarity (OKS) of at least 0.5 with their labels count as found."

LABELS = {
    f"{measure}{key}": (f"{measure}{words}", ".2%")
    for measure in ("AP", "AR")
    for key, words in {
        "": "",
        "50": " at OKS 0.50",
        "75": " at OKS 0.75",
        "M": ", medium people",
        "L": ", large people",
    }.items()
}
"""Names and formats of the metrics."""


def pose_sections(evaluator: KeypointEvaluator, data: CocoPeople) -> list[Section]:
    """Pictures and charts of a finished evaluation; a few photos are read again.

    Args:
        evaluator: Its `result` has been called.
        data: The data set.

    Raises:
        DataError: A photo cannot be read any more.
    """
    if evaluator.metrics is None:
        return []
    matches, poses = evaluator.metrics.matches, evaluator.kept
    people = {row["id"]: row for row in data.labels["annotations"]}
    joints = [joint_chart(poses, [(result, people[person]) for result, person in matches])] if matches else []
    charts = [*joints, score_chart(poses, {result for result, _ in matches})]
    return [
        Section("Photos", [picture_rows("", example_pictures(poses, data))], SHOWN),
        Section("Poses", charts, FOUND),
    ]


def joint_chart(poses: Sequence[Pose], matches: Sequence[tuple[int, Mapping[str, Any]]]) -> Figure:
    """How near the joints of the people who were found lie to their labels.

    Args:
        poses: The poses.
        matches: Number of a pose, and the annotation of the person; at least one.
    """
    import numpy as np

    found = np.stack([poses[i].keypoints[:, :2] for i, _ in matches])
    labels = np.array([person["keypoints"] for _, person in matches], np.float64).reshape(len(matches), -1, 3)
    means, counts = joint_similarities(found, labels, np.array([person["area"] for _, person in matches], np.float64))
    columns = zip(JOINT_NAMES, (100 * means).tolist(), counts.tolist(), strict=True)
    bars = {f"{name} ({count:,} labelled)": mean for name, mean, count in columns if count}
    return bar_chart("Similarity of joints to their labels, people who were found", "%", bars)


def score_chart(poses: Sequence[Pose], found: set[int]) -> Figure:
    """How the detector's scores are spread, of poses on a labelled person and of others.

    Args:
        poses: At least one.
        found: The numbers of those on a labelled person.
    """
    series = {
        "on a labelled person": [pose.info.fields["score"] for i, pose in enumerate(poses) if i in found],
        "others": [pose.info.fields["score"] for i, pose in enumerate(poses) if i not in found],
    }
    return histograms(
        "Scores of the detections", "score of the box", {name: values for name, values in series.items() if values}
    )


def example_pictures(poses: Sequence[Pose], data: CocoPeople) -> list[tuple[str, list[Picture]]]:
    """Some photos with the poses in them, each a row of its own.

    Args:
        poses: At least one.
        data: The data set.
    """
    numbers = sorted({pose.info.fields["image_id"] for pose in poses})
    step = max(1, len(numbers) / EXAMPLES)
    chosen = [numbers[int(i * step)] for i in range(min(EXAMPLES, len(numbers)))]
    return [_picture(data.photos[number], [pose for pose in poses if _is_shown(pose, number)]) for number in chosen]


def _is_shown(pose: Pose, number: int) -> bool:
    return bool(pose.info.fields["image_id"] == number) and pose.score >= SEEN


def _picture(photo: Photo, poses: Sequence[Pose]) -> tuple[str, list[Picture]]:
    """A photo with skeletons as a small JPEG, behind its name."""
    import cv2
    import numpy as np

    image = read_bgr(photo.path)
    scale = min(1.0, PICTURE_SIDE / max(image.shape[:2]))
    width, height = (max(1, round(side * scale)) for side in image.shape[1::-1])
    small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    factors = np.array((scale, scale, 1), np.float32)
    drawn = draw_people(small, np.array([pose.keypoints * factors for pose in poses]), SEEN)
    jpeg = cv2.imencode(".jpg", drawn, [cv2.IMWRITE_JPEG_QUALITY, PICTURE_QUALITY])[1]
    count = f"{len(poses)} pose{'s' * (len(poses) != 1)}"
    return photo.name, [Picture(jpeg.tobytes(), f"{photo.name} with {count}", count)]
