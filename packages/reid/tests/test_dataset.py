"""Data sets in folders: names, layouts, and what is said where one is not as it should be."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from modelzoo.common.errors import DataError, UsageError
from modelzoo.common.testing.plugin import Finished
from modelzoo.reid.dataset import Crop, LabelledImage, to_crops
from modelzoo.reid.layouts import read_data_set
from modelzoo.reid.layouts.market1501 import is_market1501
from modelzoo.reid.layouts.names import PATTERNS, name_pattern

Commands = Callable[..., Finished]


def labels(crops: list[Crop]) -> list[tuple[str, int, int, str]]:
    return [(crop.source, crop.person, crop.camera, crop.split) for crop in crops]


def write_image(path: Path, colour: tuple[int, int, int] = (1, 2, 3)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (20, 40), colour).save(path)


@pytest.mark.parametrize(
    ("names", "name", "person", "camera"),
    [
        ("market1501", "0002_c3s1_000451_03.jpg", "0002", "3"),
        ("market1501", "-1_c6s2_000451_03.jpg", "-1", "6"),
        ("market1501", "x-1_c12s2.jpg", "-1", "12"),
        ("dukemtmc", "0001_c2_f0046182.jpg", "0001", "2"),
        ("msmt17", "0000_003_01_0303morning_0015_0.jpg", "0000", "01"),
        ("msmt17", "3060_012_15_0113noon_0028_1_ex.jpg", "3060", "15"),
        (r"(?P<person>[a-z]+)@(?P<camera>\w+)", "001 bob@hall-7.png", "bob", "hall"),
    ],
)
def test_person_and_camera_of_a_name(names: str, name: str, person: str, camera: str) -> None:
    image = name_pattern(names).read(Path("9_c9") / name, "query")
    assert (image.person, image.camera, image.source) == (person, camera, name)


@pytest.mark.parametrize(
    ("names", "name"),
    [
        ("market1501", "somebody.jpg"),
        ("market1501", "1234567890_c1s1.jpg"),
        ("market1501", "0001_c1234567890.jpg"),
        ("dukemtmc", "0000_003_01_0303morning_0015_0.jpg"),
        ("msmt17", "0002_c3s1_000451_03.jpg"),
        (r"(?P<person>[a-z]*)@(?P<camera>\w*)", "@.png"),
    ],
)
def test_a_name_without_them(names: str, name: str) -> None:
    with pytest.raises(DataError, match=f"9_c9/{name} has no person id and camera in its name") as caught:
        name_pattern(names).read(Path("9_c9") / name, "query")
    assert caught.value.hint


@pytest.mark.parametrize("text", ["market", "(?P<person>.*)", "(?P<camera>.*)", "(?P<person>(?P<camera>.", ""])
def test_a_pattern_that_is_none(text: str) -> None:
    with pytest.raises(UsageError, match=r"^(must be market1501, dukemtmc, msmt17|'.*' is no regular expression)"):
        name_pattern(text)


def test_numbers_stand_for_themselves_and_names_come_after_them() -> None:
    rows = [("a", "12", "1"), ("b", "bob", "lift"), ("c", "-1", "01"), ("d", "alice", "-1"), ("e", "0012", "hall")]
    crops = to_crops([LabelledImage(Path(name), name, *who, "query") for name, *who in rows])
    assert [crop.person for crop in crops] == [12, 14, -1, 13, 12]
    assert [crop.camera for crop in crops] == [1, 3, 1, -1, 2]
    assert [crop.label for crop in crops] == ["12 c1", "bob lift", "-1 c01", "alice -1", "0012 hall"]


@pytest.mark.parametrize("long", ["12345678901", "٣"])
def test_long_numbers_are_names_which_are_never_junk(long: str) -> None:
    crops = to_crops([LabelledImage(Path("a"), "a", person, "1", "query") for person in (long, "-1")])
    assert [crop.person for crop in crops] == [1, -1]


def test_numbers_do_not_depend_on_the_order() -> None:
    images = [LabelledImage(Path(name), name, name, name, "query") for name in ("x", "7", "b", "Z", "007")]
    want = {crop.source: (crop.person, crop.camera) for crop in to_crops(images)}
    assert {crop.source: (crop.person, crop.camera) for crop in to_crops(images[::-1])} == want


def test_market1501(market: Path) -> None:
    crops = read_data_set(market)
    assert [crop.split for crop in crops] == ["query"] * 9 + ["gallery"] * 23
    assert labels(crops)[0] == ("0001_c1s1_001051_00.jpg", 1, 1, "query")
    assert labels(crops)[9] == ("-1_c1s1_000401_02.jpg", -1, 1, "gallery")
    assert [crop.path.name for crop in crops[:9]] == sorted(path.name for path in (market / "query").glob("*.jpg"))
    assert crops[0].label == "0001 c1"
    assert sum(crop.person == -1 for crop in crops) == 3


@pytest.fixture
def duke(tmp_path: Path) -> Path:
    for name in ("query/0005_c2_f0046985.jpg", "bounding_box_test/0005_c5_f0051341.jpg"):
        write_image(tmp_path / "duke" / name)
    write_image(tmp_path / "duke" / "bounding_box_test/0002_c1_f0044158.jpg")
    return tmp_path / "duke"


@pytest.mark.parametrize("names", [None, "dukemtmc", "market1501"])
def test_dukemtmc(names: str | None, duke: Path) -> None:
    assert labels(read_data_set(duke, PATTERNS[names] if names else None)) == [
        ("0005_c2_f0046985.jpg", 5, 2, "query"),
        ("0002_c1_f0044158.jpg", 2, 1, "gallery"),
        ("0005_c5_f0051341.jpg", 5, 5, "gallery"),
    ]


MSMT17_LISTS = {
    "list_query.txt": "0000/0000_003_01_0303morning_0015_0.jpg 0\n0007/0007_001_05_0303noon_0001_0.jpg 7\n",
    "list_gallery.txt": "0000/0000_004_12_0303morning_0016_1.jpg 0\n0007/0007_002_01_0303noon_0002_0.jpg 7\n",
}


@pytest.fixture(params=["test", "mask_test_v2"])
def msmt17(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The test split of MSMT17, with a picture of its own for every image."""
    root = tmp_path / "MSMT17"
    for i, line in enumerate("".join(MSMT17_LISTS.values()).splitlines()):
        write_image(root / request.param / line.split()[0], (60 * i, 250 - 60 * i, 20))
    for name, text in MSMT17_LISTS.items():
        (root / name).write_text(text)
    return root


def test_msmt17(msmt17: Path) -> None:
    crops = read_data_set(msmt17)
    # As the upstream reads them (data/datasets/msmt17.py): the person of the list, the third number of the name.
    assert labels(crops) == [
        ("0000/0000_003_01_0303morning_0015_0.jpg", 0, 1, "query"),
        ("0007/0007_001_05_0303noon_0001_0.jpg", 7, 5, "query"),
        ("0000/0000_004_12_0303morning_0016_1.jpg", 0, 12, "gallery"),
        ("0007/0007_002_01_0303noon_0002_0.jpg", 7, 1, "gallery"),
    ]
    assert all(crop.path.is_file() for crop in crops)


def test_the_list_of_msmt17_says_who_it_is(msmt17: Path) -> None:
    path = msmt17 / "list_query.txt"
    path.write_text(path.read_text().replace(".jpg 7", ".jpg 123"))
    assert [crop.person for crop in read_data_set(msmt17)] == [0, 123, 0, 7]


def test_blank_lines_windows_line_ends_and_blanks_in_names_of_a_list(msmt17: Path) -> None:
    path = next(msmt17.glob("*test*/0007/*_001_*"))
    path.rename(path.with_name("0007_001_05_at noon.jpg"))
    text = "\r\n\r\n0007/0007_001_05_at noon.jpg 7 \r\n"
    (msmt17 / "list_query.txt").write_bytes(text.encode("utf-8-sig"))
    assert labels(read_data_set(msmt17))[0] == ("0007/0007_001_05_at noon.jpg", 7, 5, "query")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "{file} is empty"),
        ("\n0000/0000_003_01_0303morning_0015_0.jpg\n", "{file}, line 2: '0000/0000_003_01_0303morning_0015_0.jpg' is"),
        ("0000/0000_003_01_0303morning_0015_0.jpg bob\n", "{file}, line 1: "),
        ("0000/0000_003_01_0303morning_0015_0.jpg 0\n" * 2, "{file}, line 2: 0000/0000_003_01_0303morning_0015_0.jpg"),
        ("0000/0000_003_01_0303morning_0015_0.jpg 0\n0001/0001_003_01_a.jpg 1\n", "{file}, line 2: no such image: "),
        ("0000/bob.jpg 0\n", "{file.parent}"),
    ],
)
def test_a_list_that_is_wrong(text: str, told: str, msmt17: Path) -> None:
    (msmt17 / "list_query.txt").write_text(text)
    with pytest.raises(DataError) as caught:
        read_data_set(msmt17)
    assert str(caught.value).startswith(told.format(file=msmt17 / "list_query.txt"))
    if "no such image" in told:
        assert caught.value.hint == f"paths start from {next(msmt17.glob('*test*'))}, with / between folders"


def test_a_list_that_is_missing(msmt17: Path) -> None:
    (msmt17 / "list_gallery.txt").rename(msmt17 / "list_galery.txt")
    with pytest.raises(DataError, match=r"no such list file: .*list_gallery\.txt") as caught:
        read_data_set(msmt17)
    assert caught.value.hint == f"did you mean {msmt17 / 'list_galery.txt'}?"


def test_run_on_msmt17(msmt17: Path, tmp_path: Path, pooled: Path, reid: Commands) -> None:
    done = reid("run", "--data", msmt17, "--model", pooled, "--output", tmp_path / "report")
    assert done.code == 0, done.err
    page = (tmp_path / "report" / "report.md").read_text()
    assert "0007/0007\\_001\\_05\\_0303noon\\_0001\\_0.jpg: AP" in page
    assert "| 7 c05 · " in page
    assert "85.9%" not in page
    assert "Market-1501" not in page.replace("(0000 in Market-1501: a distractor)", "")


def test_what_market1501_is(market: Path, duke: Path, tmp_path: Path) -> None:
    assert is_market1501(read_data_set(market))
    assert not is_market1501(read_data_set(duke))
    swapped = name_pattern(r"_c(?P<person>\d)s(?P<camera>\d)")
    assert not is_market1501(read_data_set(market, swapped))
    rows = [f"{crop.split}/{crop.source},{crop.person},{crop.camera},{crop.split}" for crop in read_data_set(market)]
    (market / "bounding_box_test").rename(market / "gallery")
    (market / "labels.csv").write_text("\n".join(["path,person,camera,split", *rows]))
    assert not is_market1501(read_data_set(market / "labels.csv"))


def test_other_names_in_folders_of_market1501(market: Path, tmp_path: Path, pooled: Path, reid: Commands) -> None:
    """The same crops under other names rank the same."""
    for path in [*market.glob("*/*.jpg")]:
        person, camera = path.name[:-4].split("_")[:2]
        path.rename(path.with_name(f"{camera[1]}~who{person}~{path.name.partition('_')[2].replace('_c', '')}"))
    words = ("--model", pooled, "--output", tmp_path / "report")
    failed = reid("run", "--data", market, *words)
    assert failed.code == 1
    assert "has no person id and camera in its name" in failed.error
    assert "--names" in failed.hint
    pattern = r"(?P<camera>\d)~who(?P<person>[^~]+)~"
    done = reid("run", "--data", market, *words, "--names", pattern)
    original = Path(__file__).with_name("data") / "golden" / "market1501_tiny"
    assert done.out.splitlines()[:4] == reid("run", "--data", original, *words).out.splitlines()[:4]


def test_postprocess_takes_names(duke: Path, tmp_path: Path, pooled: Path, reid: Commands) -> None:
    folders = ("--query_dir", duke / "query", "--gallery_dir", duke / "bounding_box_test", "--pred_dir", tmp_path / "r")
    for folder in ("query", "bounding_box_test"):
        assert reid("preprocess", duke / folder, tmp_path / folder).code == 0
    shutil.copytree(tmp_path / "bounding_box_test", tmp_path / "query", dirs_exist_ok=True)
    words = ("--model", pooled, "--input", tmp_path / "query", "--output", tmp_path, "--output_dirname", "r")
    assert reid("infer", *words).code == 0
    assert reid("postprocess", *folders).code == 0
    swapped = r"_c(?P<person>\d)_f(?P<camera>\d)"
    done = reid("postprocess", *folders, "--names", swapped)
    assert done.code == 1
    assert "none of the 1 queries has a match" in done.error


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--query_dir", "q"], "missing: --gallery_dir"),
        (["--gallery_dir", "g"], "missing: --query_dir"),
        ([], "missing: --query_dir and --gallery_dir"),
        (["--data", "d", "--query_dir", "q"], "give either --data, or --query_dir and --gallery_dir"),
        (["--data", "d", "--gallery_dir", "g"], "give either --data, or --query_dir and --gallery_dir"),
    ],
)
def test_postprocess_names_what_is_missing(words: list[str], told: str, reid: Commands) -> None:
    done = reid("postprocess", *words, "--pred_dir", "p")
    assert (done.code, done.error) == (2, told)
    assert ("--data DIR_OR_CSV" in done.hint) == told.startswith("missing")


@pytest.mark.parametrize("step", ["run", "verify", "postprocess"])
@pytest.mark.parametrize("names", ["market", "(", "(?P<person>.)"])
def test_names_that_are_none_are_wrong_usage(step: str, names: str, reid: Commands) -> None:
    words = {"run": ["--model", "m"], "verify": ["--weights", "w"], "postprocess": ["--pred_dir", "p"]}[step]
    done = reid(step, "--data", "d", *words, "--names", names)
    assert done.code == 2
    assert done.error.startswith("argument --names: ")
    assert f"'{names}'" in done.error


@pytest.mark.parametrize("step", ["run", "verify", "postprocess"])
def test_data_that_are_no_data_set(
    step: str, tmp_path: Path, pooled: Path, checkpoint: Path, reid: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data.zip").touch()
    words = {"run": ["--model", pooled], "verify": ["--weights", checkpoint], "postprocess": ["--pred_dir", "p"]}[step]
    for data, told in (
        ("missing", "no such data folder: missing"),
        ("missing.csv", "no such data file: missing.csv"),
        ("data.zip", "data.zip is neither a folder nor a .csv file"),
        (".", ". is not a Market-1501 folder: it has no folder 'query'"),
    ):
        done = reid(step, "--data", data, *words)
        assert (done.code, done.error) == (1, told)
