"""The demonstration: drawn people, seeded weights, the whole way."""

import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from modelzoo.common.testing.plugin import Finished
from modelzoo.reid.demo import make_market1501, make_weights

Commands = Callable[..., Finished]

Demo = tuple[Path, Finished]


@pytest.fixture(scope="module")
def demo(reid_once: Commands, tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """Its folder, and how it ended."""
    folder = tmp_path_factory.mktemp("demo") / "reid-demo"
    return folder, reid_once("demo", "--output", folder)


def test_it_prints_the_metrics_and_what_they_are_worth(demo: Demo) -> None:
    folder, first = demo
    assert first.code == 0, first.err
    lines = first.out.splitlines()
    metrics = [line for line in lines if re.fullmatch(r"mAP: .*%|CMC curve, Rank-.*%", line)]
    assert len(metrics) == 4
    assert "seeded random numbers that have learnt nothing" in first.out
    assert "these numbers mean only that the pipeline works" in first.out
    assert lines[-2:] == [f"report: {folder / 'report.json'}", f"to look at: {folder / 'report.html'}"]
    assert first.err == ""


def test_the_second_time_it_works_the_same(reid: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modelzoo.reid.demo.PERSONS", 2)
    monkeypatch.setattr("modelzoo.reid.demo.DISTRACTORS", 0)
    first = reid("demo", "--output", tmp_path / "out")
    (tmp_path / "out" / "ReID.onnx").write_bytes(b"")  # what is there is made anew
    second = reid("demo", "--output", tmp_path / "out")
    assert first.code == 0, first.err
    assert second.code == 0, second.err

    def without_times(done: Finished) -> str:
        return re.sub(r"\d+\.\d (s|images/s|inside)", "", done.out)

    assert without_times(second) == without_times(first)


def test_its_report(demo: Demo) -> None:
    folder, first = demo
    report = json.loads((folder / "report.json").read_text())
    assert (report["model"], report["samples"]) == ("reid", 32 + 104)
    metrics = report["metrics"]
    assert (metrics["queries"], metrics["queries_without_match"], metrics["gallery"]) == (32, 0, 104)
    assert f"mAP: {metrics['mAP']:.1%}" in first.out
    assert 0 < metrics["mAP"] < 1
    assert metrics["rank1"] < metrics["rank10"] <= 1


def test_its_data_set(demo: Demo) -> None:
    data = demo[0] / "market1501"
    assert {path.name for path in data.iterdir()} == {"query", "bounding_box_test"}
    query, gallery = ([path.name for path in (data / name).iterdir()] for name in ("query", "bounding_box_test"))
    assert len(query) == 32
    assert len(gallery) == 16 * 6 + 8 + 4
    form = re.compile(r"(-1|\d{4})_c(\d)s1_\d{6}_\d\d\.jpg")
    found = {side: [form.fullmatch(name) for name in names] for side, names in (("q", query), ("g", gallery))}
    assert all(match for matches in found.values() for match in matches)
    persons = {side: Counter(int(match[1]) for match in matches if match) for side, matches in found.items()}
    assert persons["q"] == dict.fromkeys(range(1, 17), 2)
    assert persons["g"] == {**dict.fromkeys(range(1, 17), 6), 0: 8, -1: 4}


def test_its_pictures_and_weights_are_the_same_everywhere(demo: Demo, tmp_path: Path) -> None:
    folder = demo[0]
    make_weights(tmp_path / "seeded_weights.pth", make_market1501(tmp_path / "again"))
    pictures = sorted((folder / "market1501").rglob("*.jpg"))
    assert len(pictures) == 140
    for path in pictures:
        assert path.read_bytes() == (tmp_path / "again" / path.relative_to(folder / "market1501")).read_bytes(), path
    assert len({path.read_bytes() for path in pictures}) == 140
    assert (tmp_path / "seeded_weights.pth").read_bytes() == (folder / "seeded_weights.pth").read_bytes()


@pytest.mark.parametrize("name", ["query/mine.jpg", "bounding_box_test/notes.txt", "query/0001_c1s1_999999_00.jpg"])
def test_it_refuses_a_folder_with_files_of_others(name: str, tmp_path: Path, reid: Commands) -> None:
    mine = tmp_path / "out" / "market1501" / name
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    done = reid("demo", "--output", tmp_path / "out")
    assert done.code == 1
    assert str(mine) in done.error
    assert done.hint == "choose another --output"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [mine]
    assert mine.read_text() == "mine"
