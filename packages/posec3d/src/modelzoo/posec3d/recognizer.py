"""Actions in a few lines of Python.

from pathlib import Path
from modelzoo.posec3d import ActionRecognizer
from modelzoo.posec3d.sources import list_recordings

recognize = ActionRecognizer("posec3d.onnx")
for source in list_recordings(Path("alphapose-results.json")):
    print(source.name, recognize.top(recognize(source.load().skeletons)))
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelzoo.common.errors import DataError
from modelzoo.common.work import Sample, SampleInfo, Threads, WorkUnit
from modelzoo.posec3d.skeletons import Skeletons
from modelzoo.posec3d.windows import Window, cut_windows, is_somebody, part

if TYPE_CHECKING:
    import numpy as np


class ActionRecognizer:
    """Tells which action people do.

    Args:
        model: The network: `.onnx`, `.om`, or a checkpoint.
        labels: A file with the name of an action in each line; None for those of HMDB51 where there are 51, else for
            their numbers.
        batchsize: Windows per batch at most, where the model leaves it free.
        workers: Threads that sample frames.
        device: Number of the accelerator; CPU backends ignore it.

    Raises:
        DataError: The labels are those of another number of actions.
        ModelError: The file is not such a model.
        MissingDependencyError: What runs it is not installed.
    """

    def __init__(
        self,
        model: str | os.PathLike[str],
        labels: str | os.PathLike[str] | None = None,
        *,
        batchsize: int = 1,
        workers: int = 1,
        device: int = 0,
    ) -> None:
        from modelzoo.posec3d.labels import action_names
        from modelzoo.posec3d.models import open_model
        from modelzoo.posec3d.run import form_of

        self.session = open_model(Path(model), device=device)
        self.form = form_of(self.session)
        self.names = action_names(self.form.classes, None if labels is None else Path(labels))
        self._batchsize = self.session.inputs[0].batch or batchsize
        self._threads = Threads(workers)

    def __call__(self, skeletons: Skeletons) -> np.ndarray:
        """How probable every action is.

        Args:
            skeletons: Who is seen; see `skeletons.check_skeletons`.

        Returns:
            `(classes,) float64`, 0..1, with the sum 1: the mean over all clips, as published.

        Raises:
            DataError: Nobody is seen, or there are more people than the model has room for.
        """
        self._check(skeletons)
        return self._probabilities([skeletons])[0]

    def windows(self, skeletons: Skeletons, length: int, stride: int) -> list[Window]:
        """What is done when.

        Args:
            skeletons: Who is seen in a long recording.
            length: Frames of a window.
            stride: Frames from the start of a window to that of the next one.

        Raises:
            DataError: Nobody is seen, or there are more people than the model has room for.
        """
        self._check(skeletons)
        windows = cut_windows(skeletons.keypoints.shape[1], length, stride)
        parts = {frames: part(skeletons, frames) for frames in windows}
        seen = {frames: people for frames, people in parts.items() if is_somebody(people)}
        found = dict(zip(seen, self._probabilities(list(seen.values())), strict=True))
        return [Window(frames, found.get(frames)) for frames in windows]

    def top(self, probabilities: np.ndarray, count: int = 5) -> list[tuple[str, float]]:
        """The most probable actions and how probable they are; of equal ones the lower number comes first.

        Args:
            probabilities: `(classes,) float64`.
            count: How many.
        """
        import numpy as np

        best = np.argsort(-probabilities, kind="stable")[:count]
        return [(self.names[number], float(probabilities[number])) for number in best]

    def _check(self, skeletons: Skeletons) -> None:
        """Whether there is something to answer."""
        if not is_somebody(skeletons):
            raise DataError("nobody is seen in it")
        people, room = len(skeletons.scores), self.form.people
        if room is not None and people > room:
            raise DataError(
                f"it has up to {people} people in a frame, but the model has room for {room}",
                f"--persons {room} leaves out the less certain ones",
            )

    def _probabilities(self, parts: Sequence[Skeletons]) -> list[np.ndarray]:
        from modelzoo.common.progress import progress
        from modelzoo.common.stream import stream

        collector = _Collector()
        units = [WorkUnit(f"window {i}", partial(self._sample, i, people)) for i, people in enumerate(parts)]
        seen = progress(units, len(units), "actions", "window")
        stream(seen, self.session, collector, self._batchsize, self._threads)
        return [collector.found[i] for i in range(len(parts))]

    def _sample(self, number: int, skeletons: Skeletons) -> list[Sample]:
        from modelzoo.posec3d.clips import cut_clips

        arrays = cut_clips(skeletons).inputs(self.form.input, self.form.people)
        return [Sample(SampleInfo(str(number), f"window {number}", {"number": number}), arrays)]


class _Collector:
    """Keeps the probabilities of every window, whatever the order in which they come."""

    def __init__(self) -> None:
        self.found: dict[int, np.ndarray] = {}

    def update(self, info: SampleInfo, outputs: tuple[np.ndarray, ...]) -> None:
        import numpy as np

        from modelzoo.posec3d.metrics import clip_average

        (logits,) = outputs
        if not np.isfinite(logits).all():
            raise DataError("the answer of the model holds NaN or infinite values")
        self.found[info.fields["number"]] = clip_average(logits)

    def result(self) -> dict[str, Any]:
        return {}
