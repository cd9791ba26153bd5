"""What generates pictures: the halves of the network, or a whole graph, behind one interface."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from modelzoo.common.batch import SampleArrays, run_batch
from modelzoo.common.errors import ModelError
from modelzoo.common.session import Session
from modelzoo.common.spec import TensorSpec
from modelzoo.dgnet.halves import Halves
from modelzoo.dgnet.preprocess import appearance_input, structure_input
from modelzoo.dgnet.spec import OUTPUT, PICTURES

if TYPE_CHECKING:
    import numpy as np

    from modelzoo.common.work import Deferred

    Code = np.ndarray | Deferred


class Generator(Protocol):
    """Encodes photos, and generates a picture from a structure and an appearance."""

    def structures(self, photos: Sequence[np.ndarray]) -> Sequence[Code]:
        """Encode what photos show besides clothes.

        Args:
            photos: `(256, 128, 3) uint8`, RGB, 0..255 each.
        """
        ...

    def appearances(self, photos: Sequence[np.ndarray]) -> Sequence[Code]:
        """Encode the clothes in photos; see `structures`."""
        ...

    def pictures(self, pairs: Sequence[tuple[Code, Code]]) -> Iterator[np.ndarray]:
        """Generate a picture of each pair of a structure and an appearance.

        Yields:
            `(3, 256, 128) float32`, normalised RGB.
        """
        ...


@dataclass(frozen=True)
class HalvesGenerator:
    """The halves of the network: every photo is encoded once, whatever number of pictures it has a part in.

    Args:
        halves: Two encoders and a decoder.
        batchsize: Samples per batch, where a half leaves it free.
    """

    halves: Halves
    batchsize: int

    def structures(self, photos: Sequence[np.ndarray]) -> Sequence[np.ndarray]:
        """See `Generator`."""
        session = self.halves.structure
        return list(_run(session, [(structure_input(p, session.inputs[0].dtype),) for p in photos], self.batchsize))

    def appearances(self, photos: Sequence[np.ndarray]) -> Sequence[np.ndarray]:
        """See `Generator`."""
        session = self.halves.appearance
        return list(_run(session, [(appearance_input(p, session.inputs[0].dtype),) for p in photos], self.batchsize))

    def pictures(self, pairs: Sequence[tuple[Code, Code]]) -> Iterator[np.ndarray]:
        """See `Generator`."""
        return _run(self.halves.decoder, pairs, self.batchsize)


@dataclass(frozen=True)
class WholeGenerator:
    """A whole graph: a code is the photo itself, which is encoded again for every picture.

    Args:
        session: For which `check_whole` has passed.
        batchsize: Samples per batch, where the graph leaves it free.
    """

    session: Session
    batchsize: int

    def structures(self, photos: Sequence[np.ndarray]) -> Sequence[Code]:
        """See `Generator`."""
        return [structure_input(photo, self.session.inputs[0].dtype) for photo in photos]

    def appearances(self, photos: Sequence[np.ndarray]) -> Sequence[Code]:
        """See `Generator`."""
        return [appearance_input(photo, self.session.inputs[1].dtype) for photo in photos]

    def pictures(self, pairs: Sequence[tuple[Code, Code]]) -> Iterator[np.ndarray]:
        """See `Generator`."""
        return _run(self.session, pairs, self.batchsize)


def check_whole(session: Session) -> None:
    """Check that a model takes a structure and an appearance, in this order, and gives a picture.

    Raises:
        ModelError: It does not.
    """
    wanted = PICTURES.get(session.inputs[0].dtype, PICTURES["float32"])
    if not _alike(session.inputs, wanted) or [one.name for one in session.inputs] != [one.name for one in wanted]:
        raise ModelError(f"the model takes {_described(session.inputs)}, not {_described(wanted)}")
    if not _alike(session.outputs, (OUTPUT,)):
        raise ModelError(f"the model gives {_described(session.outputs)}, not {_described((OUTPUT,))}")


def _alike(have: Sequence[TensorSpec], want: Sequence[TensorSpec]) -> bool:
    """Whether dtypes and shapes without the batch axis are the same."""
    return [(one.dtype, one.sample_shape) for one in have] == [(one.dtype, one.sample_shape) for one in want]


def _described(tensors: Sequence[TensorSpec]) -> str:
    return " and ".join(tensor.describe() for tensor in tensors)


def _run(session: Session, samples: Sequence[SampleArrays], batchsize: int) -> Iterator[np.ndarray]:
    """The first output of every sample, without the batch axis."""
    size = session.inputs[0].batch or batchsize
    for start in range(0, len(samples), size):
        yield from (outputs[0][0] for outputs in run_batch(session, samples[start : start + size]).outputs)
