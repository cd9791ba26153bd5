"""The demonstration: drawn walkers, seeded weights, the whole way."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from modelzoo.common.testing.plugin import Finished
from modelzoo.gaitset import demo as drawn
from modelzoo.gaitset.dataset import list_walks
from modelzoo.gaitset.metrics import VIEWS
from modelzoo.gaitset.synthetic.walker import Walker

Commands = Callable[..., Finished]

Demo = tuple[Path, Finished, Finished]

SMALL = {"TEST_SUBJECTS": range(75, 77), "WALKS": {"nm": 6, "bg": 1, "cl": 1}, "VIEWS": (0, 90), "FRAMES": 5}
"""Of the demonstration: 2 of its subjects, 2 of its views, 5 of its frames."""


@pytest.fixture(scope="module")
def demo(gaitset_once: Commands, tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """Its folder, and how it ended the first and the second time."""
    folder = tmp_path_factory.mktemp("demo") / "gaitset-demo"
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SMALL.items():
            patch.setattr(drawn, name, value)
        first = gaitset_once("demo", "--output", folder)
        (folder / "gaitset.onnx").write_bytes(b"")  # what is there is made anew
        return folder, first, gaitset_once("demo", "--output", folder)


def test_it_prints_the_metrics_and_what_they_are_worth(demo: Demo) -> None:
    folder, first, _ = demo
    assert first.code == 0, first.err
    lines = first.out.splitlines()
    assert len([line for line in lines if re.fullmatch(r"NM: [\d.]+,\tBG: [\d.]+,\tCL: [\d.]+", line)]) == 2
    assert "seeded random numbers that have learnt nothing" in first.out
    assert "these numbers mean only that the pipeline works" in first.out
    assert "Guessing one of 2 people is right 50% of the time" in first.out
    assert lines[-2:] == [f"report: {folder / 'report.json'}", f"to look at: {folder / 'report.html'}"]


def test_the_second_time_it_works_the_same(demo: Demo) -> None:
    _, first, second = demo
    assert second.code == 0, second.err

    def without_times(done: Finished) -> str:
        return re.sub(r"\d+\.\d (s|walks/s|inside)", "", done.out)

    assert without_times(second) == without_times(first)


def test_its_report(demo: Demo, report_of: Callable[[Path], dict[str, Any]]) -> None:
    folder, first, _ = demo
    report = report_of(folder)
    assert (report["model"], report["samples"]) == ("gaitset", 2 * 8 * 2)
    metrics = report["metrics"]
    assert (metrics["subjects"], metrics["sequences"], metrics["unmatched"]) == (2, 2 * 8 * 2, 0)
    assert f"NM: {metrics['NM']['include']:.3f},\tBG: {metrics['BG']['include']:.3f}" in first.out
    others = [view for view in VIEWS if view not in {"000", "090"}]
    assert metrics["missing"] == dict.fromkeys(("gallery", "NM", "BG", "CL"), others)
    assert "learnt nothing" in (folder / "report.html").read_text()


def test_its_data_set(demo: Demo) -> None:
    data = demo[0] / "casia-b"
    walks = list_walks(data).walks
    assert [walk.name for walk in walks][:4] == ["074/nm-01/000", "075/bg-01/000", "075/bg-01/090", "075/cl-01/000"]
    assert len(walks) == 1 + 2 * 8 * 2
    for walk in walks:
        name = walk.name.replace("/", "-")
        assert walk.frames().names == [f"{name}-{number:03d}.png" for number in range(1, 6)]
        with Image.open(walk.folder / f"{name}-001.png") as frame:
            assert (frame.size, frame.mode) == ((320, 240), "L")
            assert [level for _, level in frame.getcolors()] == [0, 255]


def test_its_files_are_the_same_everywhere_and_no_two_frames(demo: Demo, tmp_path: Path) -> None:
    folder = demo[0]
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SMALL.items():
            patch.setattr(drawn, name, value)
        drawn.make_casia_b(tmp_path / "again", drawn.plan())
    frames = sorted((folder / "casia-b").rglob("*.png"))
    assert len(frames) == (1 + 2 * 8 * 2) * 5
    for path in frames:
        assert path.read_bytes() == (tmp_path / "again" / path.relative_to(folder / "casia-b")).read_bytes(), path
    assert len({path.read_bytes() for path in frames}) == len(frames)
    drawn.make_weights(tmp_path / "seeded_weights.ptm")
    assert (tmp_path / "seeded_weights.ptm").read_bytes() == (folder / "seeded_weights.ptm").read_bytes()


def test_its_weights_follow_the_recorded_rule(
    demo: Demo, network_golden: Callable[[str], dict[str, Any]], filled_weights: Callable[[str], dict[str, np.ndarray]]
) -> None:
    import torch

    weights = torch.load(demo[0] / "seeded_weights.ptm", weights_only=True)
    wanted = filled_weights("casia-b")
    assert list(weights) == list(wanted)
    assert all(key.startswith("module.") for key in weights)
    for key, array in wanted.items():
        np.testing.assert_array_equal(weights[key].numpy(), array)


def box(data: Path, walk: str, number: int) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the figure in a frame."""
    with Image.open(data / walk / f"{walk.replace('/', '-')}-{number:03d}.png") as frame:
        found = frame.getbbox()
    assert found is not None
    return found


def test_the_cameras_see_one_walk_at_the_same_moments(demo: Demo) -> None:
    """What the front sees of the height, the side sees too."""
    for number in range(1, 6):
        front, side = (box(demo[0] / "casia-b", f"075/nm-02/{view}", number) for view in ("000", "090"))
        assert front[1] == pytest.approx(side[1], abs=4)


def test_who_walks_moves_on(demo: Demo) -> None:
    """A head gets on by 4 frames of 25 a second, at 440 pixels a metre from 6 metres."""
    heads = []
    for number in (1, 5):
        with Image.open(demo[0] / f"casia-b/075/nm-01/090/075-nm-01-090-{number:03d}.png") as frame:
            top = box(demo[0] / "casia-b", "075/nm-01/090", number)[1]
            heads.append(np.asarray(frame)[top : top + 8].nonzero()[1].mean())
    speed = Walker.sample(75).speed
    assert heads[1] - heads[0] == pytest.approx(speed * 4 / 25 * 440 / 6, rel=0.15)


def test_walks_begin_at_any_moment_of_a_step(demo: Demo) -> None:
    boxes = [box(demo[0] / "casia-b", f"075/nm-0{i}/090", 1) for i in range(1, 7)]
    assert np.ptp([right - left for left, _, right, _ in boxes]) > 15


def test_the_whole_plan() -> None:
    training, *tests = drawn.plan()
    assert (training.subject, list(training.views)) == (74, [0])
    assert {one.subject for one in tests} == {75, 76, 77, 78, 79}
    walks = {f"{one.wear}-{one.repetition:02d}" for one in tests}
    assert walks == {*(f"nm-0{i}" for i in range(1, 7)), "bg-01", "bg-02", "cl-01", "cl-02"}
    assert len(tests) == 5 * 10
    assert {tuple(f"{view:03d}" for view in one.views) for one in tests} == {VIEWS}
    assert str(tests[0].frames(18)[27]) == "075/nm-01/018/075-nm-01-018-028.png"
    assert len(tests[0].frames(18)) == 28


@pytest.mark.parametrize("name", ["075/nm-01/000/mine.png", "notes.txt", "076/nm-01/000/075-nm-01-000-001.png"])
def test_it_refuses_a_folder_with_files_of_others(name: str, tmp_path: Path, gaitset: Commands) -> None:
    mine = tmp_path / "out" / "casia-b" / name
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    done = gaitset("demo", "--output", tmp_path / "out")
    assert done.code == 1
    assert str(mine) in done.error
    assert done.hint == "choose another --output"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [mine]
    assert mine.read_text() == "mine"
