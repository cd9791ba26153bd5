"""A recording into the clips that the network sees: which frames, and where in the map the joints are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelzoo.common.errors import DataError
from modelzoo.common.work import Deferred
from modelzoo.posec3d.geometry import place
from modelzoo.posec3d.heatmaps import draw
from modelzoo.posec3d.sampling import sample_views
from modelzoo.posec3d.skeletons import Skeletons
from modelzoo.posec3d.spec import CLIPS, FRAMES, JOINTS, SIZE, VIEWS

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Clips:
    """The sampled frames of a recording, ready to be drawn; small, where what is drawn is large.

    Args:
        joints: `(people, distinct, 17, 3) float32`: x and y in pixels of the map and score, of every distinct frame
            that is in a view. There may be no people.
        views: `(10, 48) int64`: which of the distinct frames a view is made of.
    """

    joints: np.ndarray
    views: np.ndarray

    @property
    def indices(self) -> np.ndarray:
        """`(20, 48) int64`: which of the drawn frames a clip is made of; the second half are flipped ones."""
        import numpy as np

        return np.concatenate([self.views, self.views + self.joints.shape[1]])

    def inputs(self, form: str, people: int | None = None) -> tuple[np.ndarray | Deferred, ...]:
        """What a graph takes of a sample, computed where it is needed.

        Args:
            form: A key of `spec.INPUTS`.
            people: How many the keypoints are for, where their number is fixed.

        Raises:
            DataError: There are more people than that.
        """
        if form == "volumes":
            return (Deferred((CLIPS, JOINTS, FRAMES, SIZE, SIZE), "float32", self.draw_volumes),)
        if form == "frames":
            shape = (2 * self.joints.shape[1], JOINTS, SIZE, SIZE)
            return Deferred(shape, "float32", self.draw_frames), self.indices
        return (Deferred(self._keypoints_shape(people), "float32", self.fill_keypoints),)

    def draw_volumes(self, out: np.ndarray) -> None:
        """Draw the heat maps of all clips.

        Args:
            out: `(20, 17, 48, 56, 56) float32`, C order; overwritten.
        """
        import numpy as np

        maps = np.arange(CLIPS * JOINTS * FRAMES).reshape(CLIPS, JOINTS, FRAMES)
        draw(self.joints, self.indices, maps.transpose(0, 2, 1), out)

    def draw_frames(self, out: np.ndarray) -> None:
        """Draw the heat maps of every distinct frame, then of the same frames flipped.

        Args:
            out: `(2 * distinct, 17, 56, 56) float32`, C order; overwritten.
        """
        import numpy as np

        draw(self.joints, np.arange(len(out)), np.arange(len(out) * JOINTS).reshape(len(out), JOINTS), out)

    def fill_keypoints(self, out: np.ndarray) -> None:
        """Copy the keypoints of all views.

        Args:
            out: `(people, 10, 48, 17, 3) float32`: x, y and score; overwritten. People who are not there have score 0.
        """
        out[: len(self.joints)] = self.joints[:, self.views]
        out[len(self.joints) :] = 0

    def _keypoints_shape(self, people: int | None) -> tuple[int, ...]:
        there = len(self.joints)
        if people is not None and there > people:
            raise DataError(
                f"it has {there} people, but there is room for {people}",
                f"--persons {people} of run keeps the surest ones, --persons {there} of preprocess makes room for all",
            )
        return (people or max(1, there), VIEWS, FRAMES, JOINTS, 3)


def cut_clips(skeletons: Skeletons) -> Clips:
    """Sample the frames of a recording and bring the people in them into the square of the map.

    The square is around all people in all frames that were drawn, as upstream.

    Args:
        skeletons: Who is seen in the recording.
    """
    import numpy as np

    views = sample_views(skeletons.keypoints.shape[1])
    frames, numbers = np.unique(views, return_inverse=True)
    keypoints = skeletons.keypoints[:, frames].astype(np.float32)
    placed = place(np.where(np.isnan(keypoints), np.float32(0), keypoints), skeletons.image)
    scores = skeletons.scores[:, frames, :, None].astype(np.float32)
    return Clips(np.concatenate([placed, scores], axis=-1), numbers.reshape(views.shape))
