"""The demonstration: drawn people, seeded weights, the whole way."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from modelzoo.common.testing.plugin import Finished, tree
from modelzoo.dgnet.demo import claim_folder, make_market1501, make_weights

Commands = Callable[..., Finished]


@pytest.fixture(scope="module")
def demo(dgnet_once: Commands, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Finished]:
    """Its folder, and how it ended; the comparison of the export with torch is left out."""
    folder = tmp_path_factory.mktemp("demo") / "dgnet-demo"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("modelzoo.common.export.compare_with_torch", lambda *_: None)
        return folder, dgnet_once("demo", "--output", folder)


def test_it_says_what_the_pictures_are_worth(demo: tuple[Path, Finished]) -> None:
    folder, done = demo
    assert done.code == 0, done.err
    assert "have learnt nothing" in done.out
    assert "24 pictures to" in done.out
    assert done.out.splitlines()[-1] == f"to look at: {folder / 'report.html'}"
    assert done.err == ""


def test_its_report_and_pictures(demo: tuple[Path, Finished]) -> None:
    folder, _ = demo
    report = json.loads((folder / "report.json").read_text())
    assert (report["model"], report["metrics"]) == ("dgnet", {"pictures": 24})
    page = (folder / "report.html").read_text()
    assert page.count("<img") == 8 * 3 + 1  # and the sheet
    assert "have learnt nothing" in page
    for name in ("off-gan_id", "off-gan_bg"):
        pictures = tree(folder / name)
        assert len(pictures) == len(set(pictures.values())) == 24
    with Image.open(folder / "grid.png") as image:
        assert image.size == (188 + 4 * 140 - 12 + 32, 316 + 4 * 268 - 12 + 32)


def test_its_data_and_weights_are_the_same_everywhere(demo: tuple[Path, Finished], tmp_path: Path) -> None:
    folder, _ = demo
    drawn = tree(make_market1501(tmp_path / "again"))
    assert len(drawn) == 28
    assert len(set(drawn.values())) == 28
    assert {name: content for name, content in tree(folder / "Market").items() if "pytorch" not in name} == drawn
    for path in make_weights(tmp_path):
        assert path.read_bytes() == (folder / path.name).read_bytes()


@pytest.mark.parametrize(
    "name",
    ["DG-net.onnx", "gen_00000000.pt", "report.html", "Market/query/mine.jpg", "off-gan_id/001/000_001_gangan0.jpg"],
)
def test_it_refuses_a_folder_that_it_has_not_made(name: str, tmp_path: Path, dgnet: Commands) -> None:
    mine = tmp_path / "out" / name
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    done = dgnet("demo", "--output", tmp_path / "out")
    assert (done.code, done.hint) == (1, "choose another --output")
    assert done.error == f"the folder {tmp_path / 'out'} is not empty, and no demo has made it"
    assert sorted(tmp_path.rglob("*")) == before
    assert mine.read_text() == "mine"


def test_its_own_folder_is_taken_again(demo: tuple[Path, Finished]) -> None:
    folder, _ = demo
    before = tree(folder)
    claim_folder(folder)
    assert tree(folder) == before


def test_it_refuses_photos_of_others_in_its_own_folder(tmp_path: Path, dgnet: Commands) -> None:
    claim_folder(tmp_path / "out")
    mine = tmp_path / "out" / "Market" / "query" / "mine.jpg"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    done = dgnet("demo", "--output", tmp_path / "out")
    assert (done.code, done.hint) == (1, "choose another --output")
    assert done.error == f"{mine} does not belong to the demo"
