"""Poses in a few lines of Python.

from modelzoo.alphapose import PoseEstimator

pose = PoseEstimator(detector="yolov3-spp.onnx", pose="FastPose.onnx")
people = pose("photo.jpg")
drawn = pose.draw("photo.jpg", people)
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from modelzoo.alphapose.people import Box, Person
from modelzoo.common.errors import DataError, ModelError, UsageError

if TYPE_CHECKING:
    import numpy as np

    from modelzoo.alphapose.detector.detect import Detector

Picture: TypeAlias = "str | os.PathLike[str] | np.ndarray"
"""A path, or `(H, W, 3) uint8`, BGR, 0..255, as OpenCV has it."""

BATCHSIZE = 64
"""At most so many people are computed together."""


class PoseEstimator:
    """Finds the people in pictures, and their joints.

    Args:
        pose: The pose network: `.onnx`, `.om`, or a checkpoint.
        detector: The person detector: `.onnx`, `.om`, or darknet's `.weights`. None where all boxes are given.
        batchsize: People per batch at most, where the model leaves it free.
        flip_test: Whether mirrored crops are computed as well: better, and twice the work.
        confidence: Objectness that a box has to exceed, 0..1; None for the published 0.1.
        device: Number of the accelerator; CPU backends ignore it.

    Raises:
        ModelError: A file is not such a model.
        MissingDependencyError: What runs it is not installed.
    """

    def __init__(
        self,
        *,
        pose: str | os.PathLike[str],
        detector: str | os.PathLike[str] | None = None,
        batchsize: int = BATCHSIZE,
        flip_test: bool = False,
        confidence: float | None = None,
        device: int = 0,
    ) -> None:
        from modelzoo.alphapose.opening import open_pose
        from modelzoo.common.batch import BatchBuffers, batch_size

        self.detector = None if detector is None else _open_detector(Path(detector), confidence, device)
        self.session = open_pose(Path(pose), flip_test, device)
        self._batchsize = batch_size(self.session, batchsize)
        self._buffers = BatchBuffers()

    def __call__(self, image: Picture, boxes: Sequence[Sequence[float]] | np.ndarray | None = None) -> list[Person]:
        """Estimate the poses of all people in a picture, in one batch.

        Poses that belong to one person are merged, and those that convince nobody are dropped, as in the published
        demo.

        Args:
            image: A path, or `(H, W, 3) uint8`, BGR, 0..255.
            boxes: Where people are, in place of the detector: x and y of the top left corner, width and height in
                pixels; a fifth number is the score of the box, 0..1, and 1 without it. Their poses are merged as
                those of a detector.

        Returns:
            The people, surest pose first.

        Raises:
            DataError: It is no picture, or too large a one, or a box is none.
            UsageError: There are neither boxes nor a detector.
        """
        from modelzoo.alphapose.parametric_nms import choose_people

        picture = _pixels(image)
        found = self._detect(picture) if boxes is None else _given(boxes)
        if not found:
            return []
        kept = [box for box, _ in found]
        name = os.fspath(image) if isinstance(image, str | os.PathLike) else "the picture"
        return choose_people(kept, [score for _, score in found], self._poses(picture, kept, name))

    def draw(self, image: Picture, people: Sequence[Person], threshold: float | None = None) -> np.ndarray:
        """Draw people into a copy of a picture.

        Args:
            image: A path, or `(H, W, 3) uint8`, BGR, 0..255.
            people: What a call returned.
            threshold: Joints with a lower score are left out; None for 0.2.

        Returns:
            `(H, W, 3) uint8`, BGR.
        """
        import numpy as np

        from modelzoo.alphapose.drawing import draw_people
        from modelzoo.alphapose.pose_nms import SEEN

        keypoints = np.array([person.keypoints for person in people])
        ids = [person.id for person in people]
        return draw_people(_pixels(image), keypoints, SEEN if threshold is None else threshold, ids)

    def _detect(self, image: np.ndarray) -> list[tuple[Box, float]]:
        if self.detector is None:
            raise UsageError("there is no detector, and no boxes are given", "PoseEstimator(detector=..., pose=...)")
        (found,) = self.detector.detect([image])
        return [((x1, y1, x2 - x1, y2 - y1), score) for x1, y1, x2, y2, score in found.tolist()]

    def _poses(self, image: np.ndarray, boxes: Sequence[Box], name: str) -> np.ndarray:
        """A pose for each box: `(n, 17, 3) float32`, x and y in pixels of the picture, score."""
        import numpy as np

        from modelzoo.alphapose.crops import affine, cut, windows
        from modelzoo.alphapose.heatmaps import decode, to_photo

        frames = windows(boxes)
        crops = cut(image, list(map(affine, frames.centres, frames.sizes)), name)
        output = np.concatenate([self._run(crops[start : start + self._batchsize]) for start in self._starts(crops)])
        if not np.isfinite(output).all():
            raise ModelError("the pose network gives values that are no finite numbers")
        keypoints = decode(output) if output.ndim == 4 else output
        corners = frames.corners().tolist()
        return np.stack([to_photo(one, corner) for one, corner in zip(keypoints, corners, strict=True)])

    def _starts(self, crops: np.ndarray) -> range:
        return range(0, len(crops), self._batchsize)

    def _run(self, crops: np.ndarray) -> np.ndarray:
        """The model's output for one batch of crops."""
        import numpy as np

        from modelzoo.alphapose.preprocess import as_input
        from modelzoo.common.batch import run_batch

        samples = [(as_input(crop, self.session.inputs[0].dtype),) for crop in crops]
        result = run_batch(self.session, samples, buffers=self._buffers)
        return np.concatenate([output for (output,) in result.outputs])


def _open_detector(path: Path, confidence: float | None, device: int) -> Detector:
    from modelzoo.alphapose.detector.boxes import CONFIDENCE
    from modelzoo.alphapose.detector.detect import Detector
    from modelzoo.alphapose.detector.opening import open_detector

    return Detector(open_detector(path, device), confidence=CONFIDENCE if confidence is None else confidence)


def _pixels(image: Picture) -> np.ndarray:
    import numpy as np

    from modelzoo.alphapose.images import check_bgr, read_bgr

    if isinstance(image, np.ndarray):
        check_bgr(image, "the picture")
        return image
    if isinstance(image, str | os.PathLike):
        return read_bgr(Path(image))
    raise DataError(f"the picture is of type {type(image).__name__}; it is a path or an array of BGR")


def _given(boxes: Sequence[Sequence[float]] | np.ndarray) -> list[tuple[Box, float]]:
    """Boxes and scores of an argument."""
    import numpy as np

    from modelzoo.alphapose.detections import checked_box, checked_score

    wanted = "(n, 4): x, y, width and height, or (n, 5) with a score"
    try:
        rows = np.asarray(boxes, np.float64)
    except (TypeError, ValueError) as error:  # rows of different lengths, or no numbers
        raise DataError(f"boxes are no array of numbers of the shape {wanted}") from error
    if not rows.size:
        return []
    if rows.ndim != 2 or rows.shape[1] not in {4, 5} or not np.isfinite(rows[:, :4]).all():
        raise DataError(f"boxes are {rows.shape}, not {wanted}")
    return [
        (checked_box(row[:4], f"boxes[{i}]"), checked_score(row[4] if row[4:] else 1.0, f"boxes[{i}]"))
        for i, row in enumerate(rows.tolist())
    ]
