"""The encoders and the decoder on their own make the pictures of the whole."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from modelzoo.common.errors import DataError, ModelError
from modelzoo.common.session import open_session
from modelzoo.dgnet.checkpoints import Checkpoint
from modelzoo.dgnet.halves import Halves, half_path, open_halves
from modelzoo.dgnet.spec import SPEC

Exported = Callable[[str], Path]


def grid(halves: Halves, image1: np.ndarray, image2: np.ndarray) -> np.ndarray:
    """Pictures of every structure in every appearance, `(structures, appearances, 3, 256, 128)`; codes are reused."""
    (structures,), (appearances,) = halves.structure.run(image1), halves.appearance.run(image2)
    rows = [
        halves.decoder.run(np.repeat(structures[i : i + 1], len(appearances), 0), appearances)[0]
        for i in range(len(structures))
    ]
    return np.stack(rows)


def test_halves_of_a_graph_make_the_pictures_of_the_whole(
    exported: Exported, network_golden: dict[str, np.ndarray]
) -> None:
    image1, image2 = network_golden["image1"], network_golden["image2"]
    have = grid(open_halves(exported("halves")), image1, image2)
    whole = open_session(exported("whole"), SPEC)
    for i in range(2):
        (want,) = whole.run(np.repeat(image1[i : i + 1], 2, 0), image2)
        assert np.abs(have[i] - want).max() <= 2e-5
    assert np.abs(have[0, 0] - have[0, 1]).max() > 0.1
    assert np.abs(have[0, 0] - have[1, 0]).max() > 0.1


def test_halves_of_a_checkpoint_make_the_recorded_picture(
    checkpoint: Checkpoint, network_golden: dict[str, np.ndarray]
) -> None:
    halves = open_halves(checkpoint.gen)
    assert {part.backend for part in (halves.structure, halves.appearance, halves.decoder)} == {"torch"}
    have = grid(halves, network_golden["image1"][:1], network_golden["image2"][:1])
    assert np.abs(have[0, :, :, ::4, ::4] - network_golden["output"]).max() <= 1e-4


def test_halves_take_pixels(checkpoint: Checkpoint, network_golden: dict[str, np.ndarray]) -> None:
    halves = open_halves(checkpoint.gen, dtype="uint8")
    pixels = np.random.default_rng(0).integers(0, 256, (1, 256, 128, 3), dtype=np.uint8)
    assert halves.structure.run(pixels)[0].shape == (1, 128, 64, 32)
    assert halves.appearance.run(pixels)[0].shape == (1, 8192)


def test_names() -> None:
    assert half_path(Path("a/DG-net.onnx"), "decoder") == Path("a/DG-net_decoder.onnx")
    assert half_path(Path("DG-net_bs4.om"), "structure") == Path("DG-net_bs4_structure.om")


def test_a_half_that_is_missing_or_another_is_named(exported: Exported, tmp_path: Path) -> None:
    path = tmp_path / "X.onnx"
    with pytest.raises(DataError, match=r"no such model file: .*X_structure\.onnx"):
        open_halves(path)
    for have, want in (("structure", "structure"), ("structure", "appearance"), ("decoder", "decoder")):
        half_path(path, want).write_bytes(half_path(exported("halves"), have).read_bytes())
    with pytest.raises(ModelError) as caught:
        open_halves(path)
    told = f"{tmp_path / 'X_appearance.onnx'} is the structure part of the network, not its appearance part"
    assert str(caught.value) == told
