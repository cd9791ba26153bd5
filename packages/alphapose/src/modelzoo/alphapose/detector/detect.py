"""Pictures into boxes of people: those of a data set into a file, or those that are in memory."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from modelzoo.alphapose.coco import PERSON, Photo
from modelzoo.alphapose.detector.boxes import CONFIDENCE, people
from modelzoo.alphapose.detector.letterbox import letterbox, planes
from modelzoo.alphapose.images import check_bgr, read_bgr
from modelzoo.alphapose.spec import DETECTOR
from modelzoo.common.batch import BatchBuffers, batch_size, run_batch
from modelzoo.common.files import atomic_path
from modelzoo.common.session import Session
from modelzoo.common.stream import StreamStats, stream
from modelzoo.common.work import Deferred, Sample, SampleInfo, Threads, WorkUnit

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Detector:
    """Finds people in pictures that are in memory.

    Args:
        session: The model, see `opening.open_detector`.
        batchsize: Pictures per batch, where the model leaves it free; the boxes do not depend on it.
        confidence: Objectness that a box has to exceed, 0..1.
    """

    session: Session
    batchsize: int = 1
    confidence: float = CONFIDENCE

    def detect(self, images: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Find the people in pictures.

        Args:
            images: Each `(H, W, 3) uint8`, BGR, 0..255, of any size.

        Returns:
            For each picture, `(n, 5) float32`: x1, y1, x2, y2 in its pixels, and the objectness 0..1, falling.

        Raises:
            DataError: An image is another array.
            ModelError: The model does not take pictures, or does not give finite boxes.
        """
        for i, image in enumerate(images):
            check_bgr(image, f"images[{i}]")
        size, buffers = batch_size(self.session, self.batchsize), BatchBuffers()
        starts = range(0, len(images), size)
        return [boxes for start in starts for boxes in self._detect(images[start : start + size], buffers)]

    def _detect(self, images: Sequence[np.ndarray], buffers: BatchBuffers) -> list[np.ndarray]:
        """See `detect`, for one batch."""
        result = run_batch(self.session, [(_tensor(image),) for image in images], buffers=buffers)
        return [
            people(rows[0], image.shape[1], image.shape[0], self.confidence)
            for image, (rows,) in zip(images, result.outputs, strict=True)
        ]


class DetectionWriter:
    """Writes the people of every photo as they are found, as a list in COCO's result format.

    Args:
        file: Takes the text.
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self.written = 0

    def update(self, info: SampleInfo, outputs: tuple[np.ndarray, ...]) -> None:
        """Take the rows of one photo; see `modelzoo.common.stream.Evaluator`."""
        fields = info.fields
        for detection in to_coco(fields["image_id"], people(outputs[0][0], fields["width"], fields["height"])):
            self._file.write((",\n" if self.written else "[\n") + json.dumps(detection))
            self.written += 1

    def result(self) -> dict[str, Any]:
        """End the list; how many people are in it."""
        self._file.write("\n]\n" if self.written else "[]\n")
        return {"people": self.written}


def detect_photos(
    photos: Iterable[Photo], session: Session, output: Path, batchsize: int, threads: Threads, on_error: str = "fail"
) -> tuple[int, StreamStats]:
    """Find the people in photos, one at a time and in bounded memory, and write them in the order of the photos.

    Args:
        photos: The photos.
        session: The model, see `opening.open_detector`.
        output: The JSON file, `[{"image_id", "category_id", "bbox": [x, y, width, height], "score"}, ...]`; it gets its
            name when it is whole.
        batchsize: Photos per batch, where the model leaves it free.
        threads: What decodes.
        on_error: `fail` or `skip` for photos that cannot be read.

    Returns:
        How many people were found, and what happened on the way.

    Raises:
        DataError: A photo cannot be read and `on_error` is `fail`.
        WriteError: The file cannot be written.
    """
    units = (_unit(photo) for photo in photos)
    with atomic_path(output) as partial_path, partial_path.open("w", encoding="utf-8") as file:
        writer = DetectionWriter(file)
        stats = stream(units, session, writer, batch_size(session, batchsize), threads, on_error)
        writer.result()
    return writer.written, stats


def to_coco(image_id: int, boxes: np.ndarray) -> list[dict[str, Any]]:
    """Boxes in COCO's result format.

    Args:
        image_id: The number of their photo.
        boxes: `(n, 5) float32`: x1, y1, x2, y2 in pixels and the score.

    >>> import numpy as np
    >>> to_coco(785, np.array([[1, 2, 4, 8, 0.5]], np.float32))
    [{'image_id': 785, 'category_id': 1, 'bbox': [1.0, 2.0, 3.0, 6.0], 'score': 0.5}]
    """
    corners = boxes[:, :2].tolist()
    sizes = (boxes[:, 2:4] - boxes[:, :2]).tolist()
    return [
        {"image_id": image_id, "category_id": PERSON, "bbox": corner + size, "score": score}
        for corner, size, score in zip(corners, sizes, boxes[:, 4].tolist(), strict=True)
    ]


def _unit(photo: Photo) -> WorkUnit:
    return WorkUnit(str(photo.path), partial(_load, photo), path=photo.path)


def _load(photo: Photo) -> list[Sample]:
    image = read_bgr(photo.path)
    size = {"width": image.shape[1], "height": image.shape[0]}
    info = SampleInfo(f"{photo.number:012d}", photo.name, {"image_id": photo.number, **size})
    return [Sample(info, (_tensor(image),))]


def _tensor(image: np.ndarray) -> Deferred:
    """What the detector takes of a picture."""
    shape = tuple(map(int, DETECTOR.inputs[0].sample_shape))
    return Deferred(shape, DETECTOR.inputs[0].dtype, partial(planes, letterbox(image)))
