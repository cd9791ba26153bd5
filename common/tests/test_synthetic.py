"""Checks of the drawn pedestrians: determinism, geometry that agrees with the pixels, and a fair task."""

import hashlib
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from modelzoo.common.synthetic import JOINT_NAMES, Camera, Person, Pose, draw_person, joints
from modelzoo.common.synthetic.camera import STRUCTURES, Structure
from modelzoo.common.synthetic.person import BAGS, BOTTOMS, HAIR_STYLES, PATTERNS, SLEEVES
from modelzoo.common.synthetic.pose import OCCLUDERS, Occluder

RED, GREEN, BLUE, PINK = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 0, 255)
GREY = (128, 128, 128)

PROGRAM = """
import hashlib
import numpy as np
from modelzoo.common.synthetic import Camera, Person, Pose, draw_person
rng = np.random.default_rng(5)
pose = Pose.sample(rng)
print(hashlib.sha256(draw_person(Person.sample(3), Camera.sample(2), pose, rng=rng).tobytes()).hexdigest())
"""


def picture(
    identity: int, camera: int, moment: int = 0, size: tuple[int, int] = (64, 128), seed: int = 0
) -> Image.Image:
    """One picture, with everything random taken from `moment`."""
    rng = np.random.default_rng([identity, camera, moment])
    return draw_person(Person.sample(identity, seed), Camera.sample(camera, seed), Pose.sample(rng), size, rng=rng)


def clear_camera(height: float = 0.3, shear: float = 0.0) -> Camera:
    """A camera that adds nothing to the colours, before a grey scene."""
    still = replace(Camera.sample(0), structure="bricks", wall=GREY, floor=GREY, height=height, shear=shear)
    return replace(still, brightness=1.0, gamma=1.0, cast=(1.0, 1.0, 1.0), noise=0.0, blur=0.0)


def paint_doll() -> Person:
    """A person whose parts have pure colours: red skin, green shirt, blue trousers, pink shoes."""
    plain = replace(Person.sample(0), skin=RED, hair=(0, 0, 0), hair_style="short", top=GREEN, shoes=PINK)
    plain = replace(plain, bottom=BLUE, height=1.0, build=1.0, pattern="plain")
    return replace(plain, sleeves="short", bottom_kind="trousers", bag="none")


def test_same_inputs_give_same_bytes() -> None:
    for identity, camera in product(range(3), range(3)):
        assert picture(identity, camera).tobytes() == picture(identity, camera).tobytes()


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_a_fresh_process_gives_same_bytes(hash_seed: str) -> None:
    rng = np.random.default_rng(5)
    pose = Pose.sample(rng)
    here = draw_person(Person.sample(3), Camera.sample(2), pose, rng=rng).tobytes()
    environment = {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": ":".join(sys.path)}
    there = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, check=True, capture_output=True, text=True)
    assert there.stdout.strip() == hashlib.sha256(here).hexdigest()


@pytest.mark.parametrize("size", [(64, 128), (48, 96), (192, 256), (100, 60)])
def test_size_and_mode(size: tuple[int, int]) -> None:
    drawn = picture(1, 1, size=size)
    assert drawn.size == size
    assert drawn.mode == "RGB"


def test_samples_depend_on_number_and_seed() -> None:
    assert len({Person.sample(identity) for identity in range(300)}) == 300
    assert len({Camera.sample(camera) for camera in range(30)}) == 30
    assert Person.sample(4, seed=1) != Person.sample(4, seed=2)
    assert Camera.sample(4, seed=1) != Camera.sample(4, seed=2)


@pytest.mark.parametrize("sample", [Person.sample, Camera.sample])
def test_negative_numbers_are_refused(sample: Callable[[int], object]) -> None:
    with pytest.raises(ValueError, match="0 or more"):
        sample(-1)


def test_the_generator_moves_on() -> None:
    rng = np.random.default_rng(0)
    inputs = (Person.sample(0), Camera.sample(0), Pose())
    assert draw_person(*inputs, rng=rng).tobytes() != draw_person(*inputs, rng=rng).tobytes()


def test_people_share_colours_but_not_outfits() -> None:
    people = [Person.sample(identity) for identity in range(40)]
    tops = np.array([person.top for person in people], dtype=int)
    bottoms = np.array([person.bottom for person in people], dtype=int)
    same_top = np.abs(tops[:, None] - tops[None]).max(axis=2) <= 20
    same_bottom = np.abs(bottoms[:, None] - bottoms[None]).max(axis=2) <= 16
    others = ~np.eye(len(people), dtype=bool)
    assert (same_top & others).any(axis=1).mean() > 0.8
    assert same_top[others].mean() < 0.25
    assert same_bottom[others].mean() < 0.4
    assert (same_bottom & others).any(axis=1).mean() > 0.8
    outfits = {(p.top, p.accent, p.pattern, p.sleeves, p.bottom, p.bottom_kind, p.bag) for p in people}
    assert len(outfits) == len(people)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("pattern", value) for value in PATTERNS),
        *(("hair_style", value) for value in HAIR_STYLES),
        *(("sleeves", value) for value in SLEEVES),
        *(("bottom_kind", value) for value in BOTTOMS),
        *(("bag", value) for value in BAGS),
    ],
)
def test_every_style_is_drawn_and_seen_from_most_sides(field: str, value: str) -> None:
    doll = replace(paint_doll(), accent=PINK, hat=PINK, bag_colour=PINK)
    changes: dict[str, Any] = {field: value}
    styled = replace(doll, **changes)
    changed = []
    for facing in range(0, 360, 30):
        pose = Pose(phase=0.3, facing=facing)
        pair = [
            np.asarray(draw_person(person, clear_camera(), pose, rng=np.random.default_rng(0)))
            for person in (doll, styled)
        ]
        changed.append(int((pair[0] != pair[1]).any(axis=2).sum()))
    seen = sum(count >= 15 for count in changed)
    assert seen == 0 if styled == doll else seen >= 8, changed


@pytest.mark.parametrize("structure", STRUCTURES)
def test_every_structure_is_drawn(structure: Structure) -> None:
    plain = clear_camera(height=0.0)
    drawn = draw_person(paint_doll(), replace(plain, structure=structure), Pose(), rng=np.random.default_rng(1))
    top_rows = np.asarray(drawn)[:70].reshape(-1, 3)
    assert len(np.unique(top_rows, axis=0)) > 20
    others = [kind for kind in STRUCTURES if kind != structure]
    for other in others:
        scene = draw_person(paint_doll(), replace(plain, structure=other), Pose(), rng=np.random.default_rng(1))
        assert scene.tobytes() != drawn.tobytes()


@pytest.mark.parametrize("occluder", OCCLUDERS[1:])
def test_occluders_hide_the_person_but_keep_the_joints(occluder: Occluder) -> None:
    free = Pose(facing=0.0)
    hidden = replace(free, occluder=occluder, occluder_at=0.5)
    pair = [draw_person(paint_doll(), clear_camera(), pose, rng=np.random.default_rng(0)) for pose in (free, hidden)]
    blue = [(np.asarray(drawn)[..., 2].astype(int) - np.asarray(drawn)[..., 1] > 90).sum() for drawn in pair]
    assert blue[1] < 0.95 * blue[0]
    places = [joints(paint_doll(), clear_camera(), pose) for pose in (free, hidden)]
    np.testing.assert_array_equal(places[0], places[1])


@pytest.mark.parametrize("size", [(64, 128), (192, 256), (100, 60)])
def test_joints_lie_inside_the_picture(size: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    for number in range(300):
        found = joints(Person.sample(number), Camera.sample(number), Pose.sample(rng), size)
        assert found.shape == (17, 2)
        assert found.dtype == np.float32
        assert (found > 0.0).all()
        assert (found < np.array(size)).all()


def test_joints_scale_with_the_picture() -> None:
    inputs = (Person.sample(1), Camera.sample(1), Pose(phase=0.2, facing=40.0))
    np.testing.assert_allclose(joints(*inputs, (192, 384)), 3.0 * joints(*inputs, (64, 128)), rtol=1e-5)


def place(name: str, pose: Pose, camera: Camera | None = None) -> NDArray[np.float32]:
    """One joint of the doll, in pixels."""
    spot: NDArray[np.float32] = joints(paint_doll(), camera or clear_camera(), pose)[JOINT_NAMES.index(name)]
    return spot


def test_left_and_right_are_the_persons_own() -> None:
    towards, away = Pose(facing=0.0), Pose(facing=180.0)
    assert place("left_shoulder", towards)[0] > place("right_shoulder", towards)[0] + 10
    assert place("left_shoulder", away)[0] < place("right_shoulder", away)[0] - 10
    assert place("nose", Pose(facing=90.0))[0] > place("left_ear", Pose(facing=90.0))[0] + 3


def test_joints_move_with_the_phase() -> None:
    left_first, right_first = Pose(phase=0.25, facing=90.0), Pose(phase=0.75, facing=90.0)
    for phase, front, rear in ((left_first, "left", "right"), (right_first, "right", "left")):
        assert place(f"{front}_ankle", phase)[0] > place(f"{rear}_ankle", phase)[0] + 15
        assert place(f"{front}_wrist", phase)[0] < place(f"{rear}_wrist", phase)[0] - 10
    full_cycle = joints(paint_doll(), clear_camera(), Pose(phase=1.25, facing=90.0))
    np.testing.assert_allclose(full_cycle, joints(paint_doll(), clear_camera(), left_first), atol=1e-3)


def test_walking_left_mirrors_walking_right() -> None:
    swapped = [
        JOINT_NAMES.index(name.replace("left", "?").replace("right", "left").replace("?", "right"))
        for name in JOINT_NAMES
    ]
    for phase in (0.0, 0.15, 0.4):
        rightwards = joints(paint_doll(), clear_camera(), Pose(phase=phase, facing=70.0))
        leftwards = joints(paint_doll(), clear_camera(), Pose(phase=phase + 0.5, facing=290.0))
        mirrored = np.stack([64.0 - leftwards[swapped, 0], leftwards[swapped, 1]], axis=1)
        np.testing.assert_allclose(mirrored, rightwards, atol=1e-3)


def test_the_viewpoint_moves_the_joints() -> None:
    low, high = clear_camera(height=0.0), clear_camera(height=1.0)
    share = [
        (place("left_ankle", Pose(), camera)[1] - place("left_hip", Pose(), camera)[1])
        / (place("left_ankle", Pose(), camera)[1] - place("nose", Pose(), camera)[1])
        for camera in (low, high)
    ]
    assert share[1] < share[0] - 0.03
    assert place("nose", Pose(), clear_camera(shear=0.04))[0] > place("nose", Pose())[0] + 1.0


def colour_near(image: NDArray[np.uint8], spot: NDArray[np.float32]) -> str:
    """Which of the doll's colours lies under a joint."""
    pixel = image[int(spot[1]), int(spot[0])].astype(int)
    names = {"skin": RED, "top": GREEN, "bottom": BLUE, "shoes": PINK, "scene": GREY, "hair": (0, 0, 0)}
    return min(names, key=lambda name: int(np.abs(pixel - names[name]).sum()))


def test_the_drawing_follows_the_joints() -> None:
    allowed = {
        "nose": {"skin"},
        "shoulder": {"top"},
        "elbow": {"skin", "top"},
        "wrist": {"skin", "top", "bottom"},
        "hip": {"bottom", "top", "skin"},
        "knee": {"bottom"},
        "ankle": {"bottom", "shoes"},
    }
    for facing, phase, shear in product((0, 45, 90, 270, 315), (0.0, 0.2, 0.55, 0.8), (-0.04, 0.04)):
        pose = Pose(phase=phase, facing=facing, offset=(0.02, -0.01), scale=0.95)
        camera = clear_camera(height=0.8, shear=shear)
        image = np.asarray(draw_person(paint_doll(), camera, pose, (128, 256), rng=np.random.default_rng(0)))
        found = joints(paint_doll(), camera, pose, (128, 256))
        for name, spot in zip(JOINT_NAMES, found, strict=True):
            part = name.split("_")[-1]
            if part in allowed:
                assert colour_near(image, spot) in allowed[part], (name, facing, phase)


def test_near_hands_are_skin_at_the_wrist() -> None:
    for facing, side in ((90.0, "right"), (270.0, "left")):
        for phase in (0.1, 0.4, 0.7):
            pose = Pose(phase=phase, facing=facing)
            drawn = draw_person(paint_doll(), clear_camera(), pose, rng=np.random.default_rng(0))
            assert colour_near(np.asarray(drawn), place(f"{side}_wrist", pose)) == "skin"


def test_cameras_look_different() -> None:
    pose = Pose(facing=30.0)
    takes = np.stack(
        [
            np.asarray(draw_person(Person.sample(0), Camera.sample(c), pose, rng=np.random.default_rng(0)), float)
            for c in range(6)
        ]
    )
    apart = np.abs(takes[:, None] - takes[None]).mean(axis=(2, 3, 4))
    assert apart[~np.eye(6, dtype=bool)].min() > 12.0


def colour_histogram(drawn: Image.Image) -> NDArray[np.float64]:
    """Unit vector of 4 x 4 x 4 colour counts in three bands of the body, taken from the middle columns."""
    levels = np.asarray(drawn).astype(int) // 64
    bands = [levels[low:high, 19:45].reshape(-1, 3) @ [16, 4, 1] for low, high in ((22, 42), (42, 64), (64, 116))]
    counts = np.concatenate([np.bincount(band, minlength=64) / len(band) for band in bands])
    feature: NDArray[np.float64] = np.sqrt(counts) / np.linalg.norm(np.sqrt(counts))
    return feature


def average_precision(hits: NDArray[np.bool_]) -> float:
    """Mean of the precision at each hit of a ranked list."""
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    return float(precision[hits].mean())


def test_retrieval_across_cameras_is_neither_hopeless_nor_trivial() -> None:
    labels = np.array(list(product(range(24), range(6))))
    features = np.stack([colour_histogram(picture(int(i), int(c))) for i, c in labels])
    likeness = features @ features.T
    shuffle = np.random.default_rng(0)
    found, chance = [], []
    for query, (identity, camera) in enumerate(labels):
        gallery = labels[:, 1] != camera
        order = np.argsort(-likeness[query][gallery])
        hits = (labels[gallery, 0] == identity)[order]
        found.append(average_precision(hits))
        chance.append(average_precision(shuffle.permutation(hits)))
    assert np.mean(found) > 3.0 * np.mean(chance)
    assert 0.25 < np.mean(found) < 0.85


def test_views() -> None:
    assert [Pose(facing=facing).view for facing in (0, 44, 46, 180, 269, 359)] == [
        "front",
        "front",
        "right",
        "back",
        "left",
        "front",
    ]
