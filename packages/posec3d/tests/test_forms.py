"""What a graph can take: heat maps drawn in it are those of the host, and every form gives the same scores."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from modelzoo.common.session import open_session
from modelzoo.posec3d.annotations import Annotation
from modelzoo.posec3d.clips import Clips, cut_clips
from modelzoo.posec3d.forms import for_images
from modelzoo.posec3d.heatmap_layer import HeatMaps
from modelzoo.posec3d.spec import SPEC, spec_of
from modelzoo.posec3d.verify import as_batch, sample_clips

Exported = Callable[..., Path]


def drawn_by_the_host(clips: Clips) -> np.ndarray:
    (volumes,) = as_batch(clips, "volumes")
    return volumes[0]


def drawn_in_the_graph(clips: Clips, people: int | None = None) -> np.ndarray:
    (keypoints,) = as_batch(clips, "keypoints", people)
    with torch.inference_mode():
        maps = HeatMaps(people)(torch.from_numpy(keypoints))
    return maps.reshape(20, 17, 48, 56, 56).numpy()


def assert_same_maps(have: np.ndarray, want: np.ndarray) -> None:
    assert np.array_equal(have != 0, want != 0)
    assert np.abs(have - want).max() <= 1e-6


def test_heat_maps_of_the_goldens(annotated: dict[str, Annotation]) -> None:
    """Those of the host are the original's, see test_heatmaps.py."""
    assert len(annotated) == 11
    for annotation in annotated.values():
        clips = cut_clips(annotation.skeletons)
        assert_same_maps(drawn_in_the_graph(clips), drawn_by_the_host(clips))


def steps(value: float) -> list[np.float32]:
    """A number in single precision, and its neighbours."""
    middle = np.float32(value)
    return [np.nextafter(middle, np.float32(-np.inf)), middle, np.nextafter(middle, np.float32(np.inf))]


def test_joints_at_the_edges_of_windows_maps_and_scores() -> None:
    """Coordinates where a window gains or loses a pixel, in the map and around it, and scores that are not drawn."""
    edges = [
        step
        for whole in (*range(-4, 6), *range(25, 28), *range(50, 61))
        for part in (0.0, 0.2, 0.5, 0.8)
        for step in steps(whole + part)
    ]
    edges += [np.float32(-0.0), np.float32(1e-30), np.float32(-1e-30), np.float32(1e4), np.float32(-1e4)]
    rng = np.random.default_rng(0)
    joints = np.ones((1, 48, 17, 3), np.float32)
    joints[..., :2] = rng.choice(np.array(edges), (1, 48, 17, 2))
    joints[..., 0].flat[: len(edges)] = edges
    joints[..., 1].flat[-len(edges) :] = edges
    joints[0, ::3, :, 2] = rng.choice(np.array([0, -1, *steps(1e-4), 0.5], np.float32), (16, 17))
    clips = Clips(joints, np.tile(np.arange(48), (10, 1)))
    want = drawn_by_the_host(clips)
    assert np.count_nonzero(want) > 10_000
    assert_same_maps(drawn_in_the_graph(clips), want)


@pytest.mark.parametrize("people", [2, 3])
def test_a_fixed_number_of_people_draws_the_same(people: int) -> None:
    clips = sample_clips(2)
    assert np.array_equal(drawn_in_the_graph(clips, people), drawn_in_the_graph(clips))


@pytest.fixture(scope="module")
def expected(narrow_checkpoint: Path) -> np.ndarray:
    """The scores of the sample, in torch, from volumes."""
    (scores,) = open_session(narrow_checkpoint, SPEC, {"input": "volumes"}).run(*as_batch(sample_clips(2), "volumes"))
    return scores


@pytest.mark.parametrize(
    ("form", "people", "backend"),
    [
        ("keypoints", None, "onnxruntime"),
        ("keypoints", 3, "torch"),
        ("frames", None, "onnxruntime"),
        ("frames", None, "torch"),
    ],
)
def test_every_form_gives_the_scores_of_the_volumes(
    form: str, people: int | None, backend: str, exported: Exported, narrow_checkpoint: Path, expected: np.ndarray
) -> None:
    path = narrow_checkpoint if backend == "torch" else exported(form, people)
    session = open_session(path, spec_of(form, persons=people), {"input": form, "persons": people})
    assert session.backend == backend
    (scores,) = session.run(*as_batch(sample_clips(2), form, people))
    assert np.abs(scores - expected).max() <= 1e-5


def test_frames_of_a_batch_are_each_sample_s_own(exported: Exported) -> None:
    session = open_session(exported("frames"), SPEC)
    samples = [as_batch(sample_clips(people), "frames") for people in (1, 2)]
    together = session.run(*(np.concatenate(arrays) for arrays in zip(*samples, strict=True)))[0]
    one_by_one = np.concatenate([session.run(*arrays)[0] for arrays in samples])
    assert np.abs(one_by_one[:20] - one_by_one[20:]).max() > 1e-3
    assert np.abs(together - one_by_one).max() <= 1e-6


def test_layers_for_images_keep_the_original_ones() -> None:
    layers = torch.nn.Sequential(
        torch.nn.Conv3d(2, 3, (1, 5, 3), stride=(1, 2, 1), padding=(0, 2, 1), bias=False),
        torch.nn.Sequential(torch.nn.BatchNorm3d(3), torch.nn.ReLU()),
        torch.nn.MaxPool3d((1, 3, 3), stride=1, padding=(0, 1, 1)),
    ).eval()
    layers[1][0].running_mean.uniform_(-1, 1)
    images = for_images(layers).eval()
    clip = torch.randn(1, 2, 4, 9, 8)
    with torch.inference_mode():
        want = layers(clip)[0].transpose(0, 1)
        have = images(clip[0].transpose(0, 1))
    assert torch.allclose(have, want, atol=1e-6)
    assert isinstance(layers[0], torch.nn.Conv3d)
    assert isinstance(layers[1][0], torch.nn.BatchNorm3d)
