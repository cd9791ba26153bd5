"""Labels in a .csv file: what is read, what is said of a file that is wrong, and every command that takes one."""

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from modelzoo.common.errors import DataError, UsageError
from modelzoo.common.testing.plugin import Finished
from modelzoo.reid.layouts import read_data_set
from modelzoo.reid.layouts.names import MARKET1501

Commands = Callable[..., Finished]
Write = Callable[..., Path]

HEADER = "path,person,camera,split\n"
ROWS = HEADER + "a.png,bob,lift,query\nb.png,bob,hall,gallery\nc.png,eve,hall,gallery\n"


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write labels.csv beside the images a.png, b.png, c.png and e.png."""
    for name in "abce":
        (tmp_path / f"{name}.png").write_bytes(b"an image")

    def to_file(text: str, encoding: str = "utf-8") -> Path:
        (tmp_path / "labels.csv").write_bytes(text.encode(encoding))
        return tmp_path / "labels.csv"

    return to_file


def read(file: Path) -> list[tuple[str, int, int, str, str]]:
    return [(crop.source, crop.person, crop.camera, crop.split, crop.label) for crop in read_data_set(file)]


CROPS = [
    ("a.png", 1, 2, "query", "bob lift"),
    ("b.png", 1, 1, "gallery", "bob hall"),
    ("c.png", 2, 1, "gallery", "eve hall"),
]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(ROWS, id="plain"),
        pytest.param("\ufeff" + ROWS, id="with a BOM"),
        pytest.param(ROWS.replace("\n", "\r\n"), id="Windows"),
        pytest.param("\ufeff" + ROWS.replace("\n", "\r\n").rstrip(), id="Windows with a BOM, no end of line"),
        pytest.param(ROWS.replace("a.png", '"a.png"').replace("bob", '"bob"'), id="quoted"),
        pytest.param(ROWS.replace(",", " , "), id="blanks"),
        pytest.param(ROWS.replace("bob,", '"bob", ').replace(",lift", ', "lift"'), id="blanks before quotes"),
        pytest.param(ROWS.replace("\n", "\n\n,,,\n"), id="blank rows"),
        pytest.param(ROWS.replace("\n", ",x\n"), id="a further column"),
        pytest.param("\n" + ROWS, id="blank line before the header"),
        pytest.param(
            "split,a,camera,person,path\nquery,1,lift,bob,a.png\ngallery,2,hall,bob,b.png\ngallery,,hall,eve,c.png\n",
            id="other order",
        ),
    ],
)
def test_forms_of_one_file(text: str, write: Write) -> None:
    assert read(write(text)) == CROPS


def test_queries_come_first_and_rows_keep_their_order(write: Write) -> None:
    lines = ROWS.splitlines()
    file = write("\n".join([lines[0], lines[3], lines[1], lines[2]]))
    assert [crop.source for crop in read_data_set(file)] == ["a.png", "c.png", "b.png"]


def test_numbers_junk_and_texts_that_csv_has_to_quote(write: Write) -> None:
    text = 'a.png,"Doe, ""JD""",0,query\nb.png,-1,2,gallery\ne.png,07,2,gallery\nc.png,7,"2",gallery\n'
    assert read(write(HEADER + text)) == [
        ("a.png", 8, 0, "query", 'Doe, "JD" c0'),
        ("b.png", -1, 2, "gallery", "-1 c2"),
        ("e.png", 7, 2, "gallery", "07 c2"),
        ("c.png", 7, 2, "gallery", "7 c2"),
    ]


def test_paths_are_relative_to_the_file_or_absolute(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "ä b.png").touch()
    file = write(f"{HEADER}sub/ä b.png,1,1,query\n{tmp_path / 'c.png'},1,2,gallery\n")
    monkeypatch.chdir(tmp_path / "sub")
    crops = read_data_set(Path("..") / file.name)
    assert [crop.path.resolve() for crop in crops] == [tmp_path / "sub" / "ä b.png", tmp_path / "c.png"]
    assert [crop.source for crop in crops] == ["sub/ä b.png", str(tmp_path / "c.png")]


@pytest.mark.parametrize(
    ("text", "told", "hint"),
    [
        ("", "{file} is empty", "its first line is path,person,camera,split"),
        ("\n \n,,\n", "{file} is empty", "its first line is path,person,camera,split"),
        (HEADER, "{file} has no row with the split 'query'", "split is query or gallery"),
        (HEADER + "a.png,1,1,gallery\n", "{file} has no row with the split 'query'", "split is query or gallery"),
        (HEADER + "a.png,1,1,query\n", "{file} has no row with the split 'gallery'", "split is query or gallery"),
        (ROWS.replace("camera", "cam"), "{file}, line 1: no column 'camera' in path,person,cam,split", "path,person"),
        ("a.png,1,1,query\n", "{file}, line 1: no column 'path' in a.png,1,1,query", "the first line is path,person"),
        ("path,path,person,camera,split\n", "{file}, line 1: twice the column 'path' in path,path", "the first line"),
        (ROWS.replace(",", ";"), "{file}, line 1: columns are separated by ';'", "save the file with commas"),
        (ROWS.replace(",", "\t"), "{file}, line 1: columns are separated by '\\t'", "save the file with commas"),
        (ROWS.replace("eve", ""), "{file}, line 4: the person is empty", None),
        (ROWS.replace("lift", " "), "{file}, line 2: the camera is empty", None),
        (ROWS.replace("b.png", '""'), "{file}, line 3: the path is empty", None),
        (ROWS.replace("hall,g", "hall,G"), "{file}, line 3: the split is 'Gallery'", "split is query or gallery"),
        (ROWS.replace("bob", '"b\no\nb"', 1) + "a.png,1,1,x\n", "{file}, line 7: the split is 'x'", "query or gallery"),
        (ROWS.replace("\n", "\n\n") + "a.png,1,1,x\n", "{file}, line 9: the split is 'x'", "split is query or gallery"),
        (ROWS + "a.png,1,1,train\n", "{file}, line 5: the split is 'train'", "split is query or gallery"),
        (ROWS.replace("eve,", ""), "{file}, line 4: 3 values in 4 columns", "quote values that hold a comma"),
        (ROWS.replace("eve", "Doe, Eve"), "{file}, line 4: 5 values in 4 columns", "quote values that hold a comma"),
        (ROWS.replace("lift", '"lift'), "{file}, line 2: unexpected end of data", "are the quotes right?"),
        (ROWS.replace("bob", '"b"ob'), "{file}, line 2: ',' expected after '\"'", "are the quotes right?"),
        (ROWS + "c.png,bob,lift,gallery\n", "{file}, line 5: c.png is in the gallery already, by line 4", None),
        (ROWS + "./c.png,eve,hall,gallery\n", "{file}, line 5: ./c.png is in the gallery already, by line 4", None),
        (
            ROWS.replace("c.png", "x/../c.png") + "c.png,eve,hall,query\n",
            "{file}, line 4: no such image: ",
            "{file.parent}",
        ),
    ],
)
def test_what_is_wrong_is_told_in_one_line(text: str, told: str, hint: str | None, write: Write) -> None:
    file = write(text)
    with pytest.raises(DataError) as caught:
        read_data_set(file)
    assert str(caught.value).startswith(told.format(file=file))
    assert "\n" not in str(caught.value)
    assert (hint.format(file=file) in str(caught.value.hint)) if hint else caught.value.hint is None


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("a.png,eve,lift,gallery", "line 5: a.png has the person 'eve', but 'bob' by line 2"),
        ("./a.png,bob,hall,gallery", "line 5: ./a.png has the camera 'hall', but 'lift' by line 2"),
        ("c.png,bob,hall,query", "line 5: c.png has the person 'bob', but 'eve' by line 4"),
    ],
)
def test_one_image_with_two_labels(row: str, told: str, write: Write) -> None:
    file = write(f"{ROWS}{row}\n")
    with pytest.raises(DataError) as caught:
        read_data_set(file)
    assert str(caught.value) == f"{file}, {told}"


def test_one_number_in_two_forms_labels_one_image_twice(write: Write) -> None:
    crops = read_data_set(write(HEADER + "a.png,7,1,query\na.png,007,01,gallery\n"))
    assert [(crop.person, crop.camera) for crop in crops] == [(7, 1)] * 2


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        ([("1", "1"), ("1.0", "1")], "line 3: the person '1.0' reads like '1', by line 2"),
        ([("+1", "1"), ("2", "1"), ("01", "1")], "line 4: the person '01' reads like '+1', by line 2"),
        ([("1", "2."), ("1", "2")], "line 3: the camera '2' reads like '2.', by line 2"),
        ([("12345678901", "1"), ("012345678901", "1")], "line 3: the person '012345678901' reads like '12345678901', "),
        ([("1.0", "1"), ("-1.0", "1")], "line 3: the person '-1.0' reads like '-1', what is left out"),
    ],
)
def test_texts_that_read_like_other_labels(labels: list[tuple[str, str]], told: str, write: Write) -> None:
    rows = [f"{'abc'[i]}.png,{person},{camera},gallery" for i, (person, camera) in enumerate(labels)]
    file = write(HEADER + "\n".join(rows) + "\n")
    with pytest.raises(DataError) as caught:
        read_data_set(file)
    assert str(caught.value).startswith(f"{file}, {told}")
    assert caught.value.hint == "write one number in one way, as whole numbers are: 7"


def test_texts_that_read_like_no_other_label(write: Write) -> None:
    rows = "a.png,1.0,-1.0,query\nb.png,1.0,+3,gallery\nc.png,1.5,1,gallery\na.png,1.0,-1.0,gallery\n"
    assert [(person, camera) for _, person, camera, *_ in read(write(HEADER + rows))] == [
        (1, 3),
        (1, 2),
        (2, 1),
        (1, 3),
    ]


def test_a_path_that_is_too_long(write: Write) -> None:
    file = write(f"{ROWS}{'d' * 5000},eve,hall,gallery\n")
    with pytest.raises(DataError) as caught:
        read_data_set(file)
    assert str(caught.value) == f"{file}, line 5: cannot look for {'d' * 80}: File name too long"


def test_an_image_may_be_in_both_splits(write: Write) -> None:
    assert [crop.split for crop in read_data_set(write(ROWS + "a.png,bob,lift,gallery\n"))].count("gallery") == 3


@pytest.mark.parametrize("gone", ["a folder", "nothing"])
def test_missing_images_are_counted_and_the_first_is_named(gone: str, write: Write, tmp_path: Path) -> None:
    file = write(ROWS)
    for name in ("b.png", "c.png"):
        (tmp_path / name).unlink()
        if gone == "a folder":
            (tmp_path / name).mkdir()
    with pytest.raises(DataError) as caught:
        read_data_set(file)
    assert str(caught.value) == f"{file}, line 3: no such image: {tmp_path / 'b.png'} (2 of 3 images are missing)"
    assert caught.value.hint == f"paths start from {tmp_path}, with / between folders"


@pytest.mark.parametrize(("encoding", "line"), [("latin-1", 4), ("utf-16", 1)])
def test_not_utf_8(encoding: str, line: int, write: Write) -> None:
    file = write(ROWS.replace("eve", "Zoë"), encoding)
    with pytest.raises(DataError) as caught:
        read_data_set(file)
    assert str(caught.value) == f"{file}, line {line}: this is not UTF-8"
    assert caught.value.hint == "save the file as UTF-8"


def test_names_are_not_for_csv_files(write: Write, reid: Commands) -> None:
    with pytest.raises(UsageError, match=r"labels\.csv has columns for person and camera"):
        read_data_set(write(ROWS), MARKET1501)
    done = reid("run", "--data", write(ROWS), "--model", "m", "--names", "market1501")
    assert done.code == 2


PEOPLE = {1: "alice", 2: "bob", 38: "Grüne Jacke", 777: "Doe, J.", 900: "<b>&", 1501: "0815-x", 0: "nobody"}
CAMERAS = {1: "lift", 2: "hall", 3: "yard", 4: "gate", 5: "stairs", 6: "roof"}


@pytest.fixture
def relabelled(market: Path, tmp_path: Path) -> Path:
    """The small Market-1501 under names of people and cameras, every image as crop.jpg in a folder of its own."""
    rows = []
    for crop in read_data_set(market):
        folder = tmp_path / "own" / crop.split / crop.stem
        folder.mkdir(parents=True)
        shutil.copy(crop.path, folder / "crop.jpg")
        person = str(PEOPLE.get(crop.person, crop.person))
        rows.append((CAMERAS[crop.camera], f"{crop.split}/{crop.stem}/crop.jpg", crop.split, person))
    with (tmp_path / "own" / "labels.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("camera", "path", "split", "person"), *rows])
    return tmp_path / "own" / "labels.csv"


def test_run_gives_the_metrics_of_the_folder(
    relabelled: Path, market: Path, tmp_path: Path, pooled: Path, reid: Commands, report_of: Any
) -> None:
    reports = {}
    for data in (market, relabelled):
        done = reid("run", "--data", data, "--model", pooled, "--output", tmp_path / data.stem)
        assert done.code == 0, done.err
        reports[data] = report_of(tmp_path / data.stem)
    assert reports[relabelled]["metrics"] == reports[market]["metrics"]
    assert reports[relabelled]["samples"] == 29
    # The published numbers are those of Market-1501, and a list of anybody's images is not that.
    assert "accuracy" not in reports[relabelled]["reference"]
    assert reports[relabelled]["reference"]["accuracy_market1501"] == reports[market]["reference"]["accuracy"]
    pages = [(tmp_path / data.stem / "report.md").read_text() for data in (market, relabelled)]
    assert ["85.9%" in page for page in pages] == [True, False]
    assert ["published | 1 " in page for page in pages] == [True, False]


def test_the_recorded_metrics_with_the_network(
    relabelled: Path, golden: Path, tmp_path: Path, exported: Callable[[str], Path], reid: Commands, report_of: Any
) -> None:
    done = reid("run", "--data", relabelled, "--model", exported("after"), "--output", tmp_path / "report")
    assert done.code == 0, done.err
    recorded = json.loads((golden / "metrics.json").read_text())["results"]
    want = recorded["tiny dataset end to end, feat_after, feat_norm=yes"]
    assert report_of(tmp_path / "report")["metrics"]["mAP"] == pytest.approx(want["mAP"], abs=1e-9, rel=0)


def test_the_report_calls_people_images_and_cameras_by_their_names(
    tmp_path: Path, make_model: Callable[..., Path], reid: Commands
) -> None:
    """Four images of one file name, each shown for what it is."""
    looks = {"q/1": (250, 0, 0), "q/2": (0, 0, 250), "g/1": (240, 9, 9), "g/2": (9, 9, 240)}
    for folder, colour in looks.items():
        (tmp_path / folder).mkdir(parents=True)
        Image.new("RGB", (64, 128), colour).save(tmp_path / folder / "crop.png")
    text = "q/1/crop.png,<b>red,lift,query\nq/2/crop.png,blue,lift,query\n"
    text += "g/1/crop.png,<b>red,hall,gallery\ng/2/crop.png,blue,yard 2,gallery\n"
    (tmp_path / "labels.csv").write_text(HEADER + text)
    done = reid("run", "--data", tmp_path / "labels.csv", "--model", make_model(), "--output", tmp_path / "report")
    assert done.out.startswith("mAP: 100.0%"), done.err
    markdown = (tmp_path / "report" / "report.md").read_text()
    assert "| q/1/crop.png: AP 100.0% | \\<b\\>red lift · ✓ \\<b\\>red hall · ✗ blue yard 2 |" in markdown
    assert "| q/2/crop.png: AP 100.0% | blue lift · ✓ blue yard 2 · ✗ \\<b\\>red hall |" in markdown
    page = (tmp_path / "report" / "report.html").read_text()
    assert "&lt;b&gt;red" in page
    assert "<b>red" not in page


def test_verify_takes_it(relabelled: Path, tmp_path: Path, checkpoint: Path, reid: Commands) -> None:
    rows = list(csv.reader(relabelled.open(encoding="utf-8", newline="")))
    query = next(row for row in rows if row[2] == "query")
    match = next(row for row in rows if row[2:] == ["gallery", query[3]] and row[0] != query[0])
    with relabelled.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([rows[0], query, match])
    done = reid("verify", "--weights", checkpoint, "--data", relabelled, "--json", tmp_path / "v.json")
    assert done.code == 0, done.err
    metrics = json.loads((tmp_path / "v.json").read_text())["metrics"]
    assert [of["mAP"] for of in metrics.values()] == [1.0] * 4


@pytest.fixture
def results(tmp_path: Path, tiny_features: dict[str, np.ndarray]) -> Path:
    """The golden features of the small data set as a result folder."""
    (tmp_path / "bs1").mkdir()
    for stem, feature in tiny_features.items():
        feature.tofile(tmp_path / "bs1" / f"{stem}_0.bin")
    return tmp_path / "bs1"


def flat_csv(market: Path) -> Path:
    rows = [(crop.path, crop.person, crop.camera, crop.split) for crop in read_data_set(market)]
    with (market / "labels.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([HEADER.strip().split(","), *rows])
    return market / "labels.csv"


@pytest.mark.parametrize("form", ["folder", "csv"])
def test_postprocess_takes_data_in_place_of_both_folders(
    form: str, market: Path, results: Path, reid: Commands
) -> None:
    data = market if form == "folder" else flat_csv(market)
    done = reid("postprocess", "--data", data, "--pred_dir", results)
    assert done.code == 0, done.err
    assert done.out.splitlines()[:2] == ["mAP: 27.2%", "CMC curve, Rank-1  :12.5%"]


def test_postprocess_needs_names_that_differ(relabelled: Path, results: Path, reid: Commands) -> None:
    done = reid("postprocess", "--data", relabelled, "--pred_dir", results)
    assert done.code == 1
    assert "are different images with one stem" in done.error
    assert "'reid run' does not need files" in done.hint


def test_wrong_labels_are_told_before_any_work(write: Write, tmp_path: Path, pooled: Path, reid: Commands) -> None:
    done = reid("run", "--data", write(ROWS + "d.png,1,1,query"), "--model", pooled, "--output", tmp_path / "report")
    assert done.code == 1
    assert done.error == f"{tmp_path / 'labels.csv'}, line 5: no such image: {tmp_path / 'd.png'} " + (
        "(1 of 4 images are missing)"
    )
    assert not (tmp_path / "report").exists()
