"""What the report shows: rank-1 by view beside the published one, heat maps, silhouettes as the network sees them."""

import base64
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from modelzoo.common.errors import DataError
from modelzoo.common.report import read_reference
from modelzoo.common.testing.plugin import Finished
from modelzoo.common.work import SampleInfo, Threads
from modelzoo.gaitset.dataset import Walk
from modelzoo.gaitset.evaluate import CrossViewEvaluator
from modelzoo.gaitset.heatmap import heat_map
from modelzoo.gaitset.metrics import VIEWS
from modelzoo.gaitset.sections import Evaluated, example_rows, gait_sections, rank_table, view_table
from modelzoo.gaitset.spec import REFERENCE
from modelzoo.gaitset.split import select_walks

PUBLISHED = read_reference(REFERENCE)["accuracy"]["upstream"]


@pytest.fixture(scope="module")
def evaluator(golden: Path) -> CrossViewEvaluator:
    """The recorded features, taken but not yet compared."""
    data = np.load(golden / "metrics.npz")
    made = CrossViewEvaluator(len(data["features"]))
    for feature, *row in zip(*(data[name] for name in ("features", "subject", "type", "view")), strict=True):
        fields = dict(zip(("subject", "condition", "view"), map(str, row), strict=True))
        output = np.zeros((1, 62, 256), np.float32)
        output.ravel()[: len(feature)] = feature
        made.update(SampleInfo("0", "/".join(fields.values()), {**fields, "frames": 40}), (output,))
    return made


@pytest.fixture(scope="module")
def metrics(evaluator: CrossViewEvaluator) -> dict[str, Any]:
    return evaluator.result()


@pytest.fixture(scope="module")
def walks(casia_b: Path) -> list[Walk]:
    return select_walks(casia_b, Threads(2)).walks


def test_probe_views_beside_the_published_ones(metrics: dict[str, Any]) -> None:
    figure = view_table(metrics, PUBLISHED)
    assert list(figure.header) == ["probe view", "NM", "NM published", "BG", "BG published", "CL", "CL published"]
    assert [row[0] for row in figure.rows] == [*VIEWS, "mean"]
    # Of the recording's means by probe view, and of the comments of the upstream's test.py.
    assert figure.rows[0] == ("000", "48.33", "90.80", "39.16", "83.80", "45.22", "61.40")
    assert figure.rows[9] == ("162", "48.33", "96.80", "45.42", "94.45", "49.17", "68.40")
    assert figure.rows[11] == ("mean", "57.78", "94.96", "48.30", "87.24", "54.22", "70.36")


def test_published_means_are_those_of_the_published_probe_views() -> None:
    """The published lists are copied right: their means are the published ones, which were rounded in between."""
    for name, views in PUBLISHED["probe_views"].items():
        assert len(views) == len(VIEWS)
        assert np.mean(views) == pytest.approx(PUBLISHED[name]["exclude"], abs=6e-3)


def test_other_views_are_not_put_beside_the_published_ones(metrics: dict[str, Any]) -> None:
    views = [f"{i:03d}" for i in range(11)]
    figure = view_table({**metrics, "views": views}, PUBLISHED)
    assert list(figure.header) == ["probe view", "NM", "BG", "CL"]
    assert figure.rows[0] == ("000", "48.33", "39.16", "45.22")


def test_means_of_every_rank(metrics: dict[str, Any]) -> None:
    figure = rank_table(metrics)
    assert list(figure.header) == ["", "rank-1", "rank-2", "rank-3", "rank-4", "rank-5"]
    assert figure.rows[0] == ("NM, included", "61.24", "72.60", "78.70", "82.74", "85.75")
    assert figure.rows[5] == ("CL, excluded", "54.22", "69.48", "77.93", "82.60", "85.80")


def test_a_heat_map_is_a_table_and_a_drawing() -> None:
    figure = heat_map("Map", "probe", "gallery", ["a<b", "c"], [[100, 95.04], [None, 0]])
    assert list(figure.header) == ["probe \\ gallery", "a<b", "c"]
    assert [list(row) for row in figure.rows] == [["a<b", "100", "95.0"], ["c", "–", "0"]]
    titles = re.findall("<title>(.*?)</title>", figure.drawing)
    assert titles == [
        "probe a&lt;b, gallery a&lt;b: 100",
        "probe a&lt;b, gallery c: 95.0",
        "probe c, gallery a&lt;b: –",
        "probe c, gallery c: 0",
    ]
    shades = re.findall('<rect .*?style="fill:(.*?)"', figure.drawing)
    assert shades == [
        "var(--main);fill-opacity:1.000",
        "var(--main);fill-opacity:0.858",  # 0.9504 to the third
        "var(--track)",
        "var(--main);fill-opacity:0.000",
    ]
    places = re.findall('<rect x="(.*?)" y="(.*?)"', figure.drawing)
    assert (places[0][1], places[0][0]) == (places[1][1], places[2][0])  # rows are under each other


def test_sections_of_an_evaluation(evaluator: CrossViewEvaluator, metrics: dict[str, Any], walks: list[Walk]) -> None:
    views, maps, silhouettes = gait_sections(Evaluated(metrics, evaluator.infos, "All frames."), walks, PUBLISHED)
    assert views.note.endswith("All frames.")
    titles = ["Normal walking (NM)", "With a bag (BG)", "In a coat (CL)", "Identical views included and excluded, %"]
    assert [figure.title for figure in maps.figures] == titles
    assert maps.figures[0].rows[0][:4] == ("000", "95.8", "100", "83.3")
    assert silhouettes.figures[1].rows == [("p10", "40"), ("p50", "40"), ("p90", "40")]


def test_what_is_missing_is_said_and_not_drawn(
    evaluator: CrossViewEvaluator, metrics: dict[str, Any], walks: list[Walk]
) -> None:
    empty = {"include": None, "exclude": None}
    partial = {**metrics, "BG": empty, "missing": {**metrics["missing"], "BG": metrics["views"]}}
    views, maps, _ = gait_sections(Evaluated(partial, evaluator.infos, "All frames."), walks, PUBLISHED)
    assert "All frames. No BG probe sequence (bg-01, bg-02) at all." in views.note
    assert [figure.title for figure in maps.figures][:2] == ["Normal walking (NM)", "In a coat (CL)"]


def pictures_of(drawing: str) -> list[Image.Image]:
    parts = re.findall(r'src="data:image/png;base64,(.*?)"', drawing)
    return [Image.open(io.BytesIO(base64.b64decode(part))) for part in parts]


def test_examples_are_walks_of_every_condition_from_the_side(walks: list[Walk]) -> None:
    rows = example_rows(walks)
    assert [name for name, _ in rows] == ["075/nm-05/090", "076/bg-01/018", "076/cl-02/180"]
    assert [len(pictures) for _, pictures in rows] == [6, 6, 4]  # 180 has four frames
    assert [picture.caption for picture in rows[0][1]] == [f"{i} of 30" for i in (1, 7, 13, 18, 24, 30)]
    assert [name for name, _ in example_rows(walks[::-1])][:2] == ["075/nm-05/090", "076/bg-01/018"]


def test_examples_show_the_recorded_silhouettes(walks: list[Walk], golden: Path) -> None:
    frames = np.load(golden / "preprocess_frames.npz")["0002_075_nm-05_090"]
    pictures = example_rows(walks)[0][1]
    for picture, number in zip(pictures, (0, 6, 12, 17, 23, 29), strict=True):
        image = Image.open(io.BytesIO(picture.data))
        assert (image.size, image.mode) == ((88, 128), "L")
        shown = np.asarray(image).reshape(64, 2, 44, 2).mean((1, 3))
        assert np.abs(shown - frames[number][:, 10:54]).mean() < 12
    assert pictures[1].alt == "075/nm-05/090, silhouette 7"


def test_a_walk_that_was_not_evaluated_is_no_example(
    evaluator: CrossViewEvaluator, metrics: dict[str, Any], walks: list[Walk]
) -> None:
    infos = [SampleInfo("0", "077/nm-06/036", {"frames": 12}), SampleInfo("1", "078/cl-01/126", {"frames": 8})]
    *_, silhouettes = gait_sections(Evaluated(metrics, infos, ""), walks, PUBLISHED)
    assert [row[0] for row in silhouettes.figures[0].rows] == ["077/nm-06/036", "078/cl-01/126"]
    assert len(pictures_of(silhouettes.figures[0].drawing)) == 12


def test_a_frame_that_went_away_is_named(casia_b: Path) -> None:
    gone = Walk(casia_b / "075" / "nm-05" / "018", "075/nm-05/018", "075", "nm-05", "018")
    with pytest.raises(DataError, match=re.escape(str(gone.folder))):
        example_rows([gone])


def test_the_pages_of_a_run(
    casia_b: Path, tmp_path: Path, make_model: Any, gaitset: Callable[..., Finished], report_of: Any
) -> None:
    report = tmp_path / "report"
    assert gaitset("run", "--data", casia_b, "--model", make_model("dynamic"), "--output", report).code == 0
    assert {path.name for path in report.iterdir()} == {"report.json", "report.html", "report.md"}
    markdown = (report / "report.md").read_text(encoding="utf-8")
    assert "| NM, identical views included, % | 33.333 | 95.512 | 95.405 | – |" in markdown
    assert "| CL, identical views excluded, % | 16.667 | – | 70.355 | 70.400 |" in markdown
    assert "| 090 | 50.00 | 91.70 | – | 81.00 | – | 70.10 |" in markdown
    assert "All frames of a walk were used, and no others" in markdown
    assert "The means are over the 18 of 363 cells that exist" in markdown
    page = (report / "report.html").read_text(encoding="utf-8")
    assert page.count("<img ") == 16
    assert page.count("<title>probe ") == 3 * 121
    assert "nan" not in re.sub(r"base64,[^\"]*", "", page)
    assert len(page) < 300_000


def test_the_page_says_that_zero_frames_were_put_in(
    casia_b: Path, tmp_path: Path, make_model: Any, gaitset: Callable[..., Finished]
) -> None:
    assert gaitset("run", "--data", casia_b, "--model", make_model(), "--output", tmp_path).code == 0
    note = "The first 100 frames of a walk were used, zero frames before shorter ones, as in the guide."
    assert note in (tmp_path / "report.md").read_text(encoding="utf-8")
