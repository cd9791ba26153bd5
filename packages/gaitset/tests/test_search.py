"""Search: rankings against a second computation, table and pictures, and every bad input."""

import csv
import io
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from modelzoo.common.errors import DataError
from modelzoo.common.session import open_session
from modelzoo.common.testing.plugin import Finished, tree
from modelzoo.common.work import Threads
from modelzoo.gaitset.dataset import FrameSequence, list_sequences
from modelzoo.gaitset.ranking import BLOCK, distances, nearest
from modelzoo.gaitset.rankings import sheet_names, to_csv
from modelzoo.gaitset.search import SearchOptions, search
from modelzoo.gaitset.sheets import Row, draw_sheet, evenly_spaced

Commands = Callable[..., Finished]
Models = Callable[..., Path]

PROBES = ("075/nm-05/090", "077/nm-05/036", "078/nm-06/162")
GALLERY = ("075/nm-01/000", "075/nm-01/090", "076/bg-01/018", "077/nm-06/036", "078/nm-02/054", "078/cl-01/126")
RECORDED = {
    name: f"{number:04d}_{name.replace('/', '_')}"
    for number, name in enumerate(
        (
            "075/nm-01/000",
            "075/nm-01/090",
            "075/nm-05/090",
            "076/bg-01/018",
            "076/cl-02/180",
            "077/nm-05/036",
            "077/nm-06/036",
            "078/cl-01/126",
            "078/nm-02/054",
            "078/nm-06/162",
        )
    )
}
"""What the recorded aligned frames of a walk are called."""


def taken(folder: Path, casia_b: Path, names: tuple[str, ...]) -> Path:
    """Copies of walks in a folder of people's own, under other names: `nm-05 from 090 of 075`."""
    for name in names:
        subject, condition, view = name.split("/")
        shutil.copytree(casia_b / name, folder / f"{condition} from {view} of {subject}")
    return folder


def own_name(name: str) -> str:
    subject, condition, view = name.split("/")
    return f"{condition} from {view} of {subject}"


@pytest.fixture
def probe(casia_b: Path, tmp_path: Path) -> Path:
    return taken(tmp_path / "probe", casia_b, PROBES)


@pytest.fixture
def gallery(casia_b: Path, tmp_path: Path) -> Path:
    return taken(tmp_path / "gallery", casia_b, GALLERY)


@pytest.fixture
def dynamic(make_model: Models) -> Path:
    """A model that takes sequences of any length as they are."""
    return make_model("dynamic", "none")


@pytest.fixture(scope="module")
def aligned(golden: Path) -> dict[str, np.ndarray]:
    """The aligned frames that were recorded, by walk, as the network takes them."""
    recorded = np.load(golden / "preprocess_frames.npz")
    return {name: recorded[key][:, :, 10:54].astype(np.float64) / 255 for name, key in RECORDED.items()}


def feature(frames: np.ndarray, matrix: np.ndarray, count: int | None = None) -> np.ndarray:
    """What the models of `make_model` answer to some frames, with zero frames up to `count`."""
    mean = frames[:count].sum(axis=0) / (count or len(frames))
    return (mean[:62] @ matrix.astype(np.float64)).ravel()


def ranked(probes: dict[str, np.ndarray], gallery: dict[str, np.ndarray], cosine: bool = False) -> list[list[str]]:
    """The table, computed in double precision and one pair at a time."""
    rows = []
    for name, wanted in sorted(probes.items()):
        found = []
        for other, value in gallery.items():
            length = np.sqrt(((wanted - value) ** 2).sum())
            cos = (wanted * value).sum() / np.sqrt((wanted**2).sum() * (value**2).sum())
            found.append((1 - cos if cosine else length, other))
        rows += [[name, str(rank), other, f"{far:.6f}"] for rank, (far, other) in enumerate(sorted(found), start=1)]
    return rows


def table_of(folder: Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO((folder / "ranking.csv").read_text())))


def assert_tables_agree(rows: list[list[str]], wanted: list[list[str]]) -> None:
    assert [row[:3] for row in rows] == [row[:3] for row in wanted]
    np.testing.assert_allclose([float(row[3]) for row in rows], [float(row[3]) for row in wanted], rtol=1e-4)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("form", ["dynamic", "fixed", "uint8"])
def test_the_ranking_is_that_of_a_second_computation(
    metric: str,
    form: str,
    probe: Path,
    gallery: Path,
    aligned: dict[str, np.ndarray],
    pooling_matrix: np.ndarray,
    make_model: Models,
    gaitset: Commands,
    tmp_path: Path,
) -> None:
    forms = {"dynamic": ("dynamic", "none"), "fixed": (100,), "uint8": ("dynamic", "none", "uint8")}
    model = make_model(*forms[form])
    words = ["--model", model, "--probe", probe, "--gallery", gallery, "--metric", metric]
    done = gaitset("search", *words, "--output", tmp_path / "out")
    assert (done.code, done.err) == (0, "")
    count = 100 if form == "fixed" else None
    sides = (
        {own_name(name): feature(aligned[name], pooling_matrix, count) for name in names} for names in (PROBES, GALLERY)
    )
    header, *rows = table_of(tmp_path / "out")
    assert header == ["probe", "rank", "gallery", "distance"]
    assert_tables_agree(rows, ranked(*sides, cosine=metric == "cosine"))


def test_zero_frames_change_distances(probe: Path, gallery: Path, make_model: Models, gaitset: Commands) -> None:
    """Or the test above would not tell what a model gets."""
    tables = []
    for form in ({"frames": "dynamic", "padding": "none"}, {}):
        words = ["--model", make_model(**form), "--probe", probe, "--gallery", gallery]
        assert gaitset("search", *words, "--output", probe.parent / "out", "--overwrite").code == 0
        tables.append(table_of(probe.parent / "out"))
    assert tables[0] != tables[1]


def test_what_it_prints_and_writes(
    probe: Path, gallery: Path, dynamic: Path, gaitset: Commands, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    done = gaitset("search", "--model", dynamic, "--probe", probe, "--gallery", gallery, "--top", 4, "--output", out)
    assert done.out.splitlines() == [
        "gallery: 6 sequences",
        "probes: 3",
        f"table: {out / 'ranking.csv'}",
        f"to look at: {out / 'ranked'}",
    ]
    names = sorted(own_name(name) for name in PROBES)
    assert sorted(tree(out)) == [*(f"ranked/{name}.png" for name in names), "ranking.csv"]
    assert [row[:2] for row in table_of(out)[1:]] == [[name, str(rank)] for name in names for rank in range(1, 5)]
    sizes = set()
    for name in names:
        with Image.open(out / "ranked" / f"{name}.png") as sheet:
            sizes.add(sheet.size)
    assert len(sizes) == 1
    assert sizes.pop()[1] > 5 * 128


def test_one_folder_of_frames_is_a_probe_and_its_answers_are_printed(
    casia_b: Path, gallery: Path, dynamic: Path, gaitset: Commands, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(casia_b / PROBES[0], tmp_path / "somebody"))
    words = ["--model", dynamic, "--probe", folder, "--gallery", gallery, "--top", 2]
    done = gaitset("search", *words, "--output", tmp_path / "out")
    rows = table_of(tmp_path / "out")[1:]
    assert {row[0] for row in rows} == {"somebody"}
    assert done.out.splitlines()[2:4] == [f"   {rank}  {far}  {name}" for _, rank, name, far in rows]


def test_folders_below_folders_are_sequences(casia_b: Path, dynamic: Path, gaitset: Commands, tmp_path: Path) -> None:
    words = ["--model", dynamic, "--probe", casia_b / "077/nm-05", "--gallery", casia_b / "078"]
    assert gaitset("search", *words, "--output", tmp_path / "out").code == 0
    rows = table_of(tmp_path / "out")[1:]
    assert sorted(row[2] for row in rows) == ["cl-01/126", "nm-02/054", "nm-06/162"]
    assert (tmp_path / "out" / "ranked" / "036.png").is_file()


def test_no_sequence_is_an_answer_to_itself(gallery: Path, dynamic: Path, gaitset: Commands, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(gallery)
    done = gaitset("search", "--model", dynamic, "--probe", link, "--gallery", gallery, "--output", tmp_path / "out")
    assert "probes: 6, 6 of them in the gallery: no sequence is an answer to itself" in done.out
    rows = table_of(tmp_path / "out")[1:]
    assert len(rows) == 6 * 5
    assert all(row[0] != row[2] for row in rows)


def test_a_copy_of_a_sequence_is_an_answer_at_distance_zero(
    casia_b: Path, gallery: Path, dynamic: Path, gaitset: Commands, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(casia_b / GALLERY[1], tmp_path / "copy"))
    words = ["--model", dynamic, "--probe", copy, "--gallery", gallery, "--output", tmp_path / "out"]
    assert gaitset("search", *words).code == 0
    assert table_of(tmp_path / "out")[1] == ["copy", "1", own_name(GALLERY[1]), "0.000000"]


def test_names_that_are_no_text(casia_b: Path, dynamic: Path, gaitset: Commands, tmp_path: Path) -> None:
    odd = tmp_path / "gallery" / os.fsdecode(b'caf\xe9, "x"')
    shutil.copytree(casia_b / PROBES[1], odd)
    words = ["--model", dynamic, "--probe", casia_b / PROBES[1], "--gallery", odd.parent, "--output", tmp_path / "out"]
    done = gaitset("search", *words)
    assert (done.code, done.out.splitlines()[2]) == (0, '   1  0.000000  caf\\udce9, "x"')
    assert table_of(tmp_path / "out")[1] == ["036", "1", 'caf\\udce9, "x"', "0.000000"]


def test_a_sequence_that_is_alone_has_no_answer(
    casia_b: Path, dynamic: Path, gaitset: Commands, tmp_path: Path
) -> None:
    folder = casia_b / GALLERY[0]
    words = ["--model", dynamic, "--probe", folder, "--gallery", folder, "--output", tmp_path / "out"]
    assert gaitset("search", *words).code == 0
    assert table_of(tmp_path / "out") == [["probe", "rank", "gallery", "distance"]]
    assert (tmp_path / "out" / "ranked" / "000.png").is_file()


def test_a_checkpoint_ranks_as_its_export(
    casia_b: Path, checkpoint: Path, exported: Callable[[str], Path], gaitset: Commands, tmp_path: Path
) -> None:
    tables = []
    for model in (checkpoint, exported("dynamic")):
        words = ["--model", model, "--probe", casia_b / "077/nm-05", "--gallery", casia_b / "077/nm-06"]
        assert gaitset("search", *words, "--output", tmp_path / "out", "--overwrite").code == 0
        tables.append(table_of(tmp_path / "out")[1:])
    assert len(tables[0]) == 1
    assert_tables_agree(*tables)


def test_a_batch_size_changes_nothing(probe: Path, gallery: Path, dynamic: Path) -> None:
    tables = []
    for batchsize in (1, 3):
        options = SearchOptions(10, "euclidean", batchsize, Threads(2))
        result = search(list_sequences(probe), list_sequences(gallery), open_session(dynamic), options)
        tables.append(list(csv.reader(io.StringIO(to_csv(result.ranked))))[1:])
    assert len(tables[0]) == 3 * 6
    assert_tables_agree(*tables)


# Bad input


def test_a_missing_probe_gets_its_neighbour_as_a_hint(
    probe: Path, gallery: Path, dynamic: Path, gaitset: Commands, tmp_path: Path
) -> None:
    done = gaitset("search", "--model", dynamic, "--probe", tmp_path / "probes", "--gallery", gallery)
    assert done.code == 1
    assert str(tmp_path / "probes") in done.error
    assert done.hint == f"did you mean {probe}?"


@pytest.mark.parametrize("side", ["--probe", "--gallery"])
def test_a_folder_without_images(
    side: str, probe: Path, gallery: Path, dynamic: Path, gaitset: Commands, tmp_path: Path
) -> None:
    (tmp_path / "empty" / "deep").mkdir(parents=True)
    (tmp_path / "empty" / "Thumbs.db").write_bytes(b"x")
    folders = {"--probe": probe, "--gallery": gallery, side: tmp_path / "empty"}
    words = [word for pair in folders.items() for word in pair]
    done = gaitset("search", "--model", dynamic, *words, "--output", tmp_path / "out")
    assert done.code == 1
    assert done.error == f"no images in {tmp_path / 'empty'}"
    assert not (tmp_path / "out").exists()


def spoil(side: Path, name: str = GALLERY[2]) -> Path:
    """Damage a frame of a sequence; return its folder."""
    folder = side / own_name(name)
    frame = sorted(folder.iterdir())[1]
    frame.write_bytes(frame.read_bytes()[:60])
    return folder


def test_an_unreadable_frame_ends_the_search(
    probe: Path, gallery: Path, dynamic: Path, gaitset: Commands, tmp_path: Path
) -> None:
    folder = spoil(gallery)
    done = gaitset("search", "--model", dynamic, "--probe", probe, "--gallery", gallery, "--output", tmp_path / "out")
    assert done.code == 1
    assert str(sorted(folder.iterdir())[1]) in done.error
    assert not (tmp_path / "out").exists()


def test_with_skip_the_others_are_ranked(
    probe: Path, gallery: Path, dynamic: Path, casia_b: Path, gaitset: Commands, tmp_path: Path
) -> None:
    spoiled = spoil(gallery)
    nobody = Path(shutil.copytree(casia_b / "077/bg-02/036", probe / "nobody"))
    words = ["--model", dynamic, "--probe", probe, "--gallery", gallery, "--on-error", "skip"]
    done = gaitset("search", *words, "--output", tmp_path / "out")
    assert done.code == 1
    skipped = sorted(line for line in done.err.splitlines() if line.startswith("skipped: "))
    assert len(skipped) == 2
    assert any(str(spoiled) in line for line in skipped)
    assert any(f"none of the 3 frames in {nobody} shows a figure" in line for line in skipped)
    rows = table_of(tmp_path / "out")[1:]
    assert len(rows) == 3 * 5
    assert own_name(GALLERY[2]) not in {row[2] for row in rows}
    assert done.out.splitlines()[:2] == ["gallery: 5 sequences", "probes: 3"]


def test_a_sequence_without_a_figure_is_named(
    probe: Path, casia_b: Path, dynamic: Path, gaitset: Commands, tmp_path: Path
) -> None:
    folder = casia_b / "077/bg-02"
    done = gaitset("search", "--model", dynamic, "--probe", probe, "--gallery", folder, "--output", tmp_path / "out")
    assert done.code == 1
    assert done.error.endswith(f"none of the 3 frames in {folder / '036'} shows a figure")


@pytest.mark.parametrize(("side", "kind"), [("--probe", "probe"), ("--gallery", "gallery")])
def test_a_side_of_which_nothing_is_left(
    side: str, kind: str, probe: Path, gallery: Path, casia_b: Path, dynamic: Path, gaitset: Commands, tmp_path: Path
) -> None:
    nobody = casia_b / "077/bg-02/036"
    spoil(gallery)
    spoil(probe, PROBES[1])
    folders = {"--probe": probe, "--gallery": gallery, side: nobody}
    words = [word for pair in folders.items() for word in pair]
    done = gaitset("search", "--model", dynamic, *words, "--on-error", "skip", "--output", tmp_path / "out")
    assert done.code == 1
    assert done.error.startswith(f"none of the 1 {kind} sequences can be used, the first: ")
    assert str(nobody) in done.error
    assert not (tmp_path / "out").exists()


def test_results_that_are_there_stay(
    probe: Path, gallery: Path, dynamic: Path, gaitset: Commands, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    words = ["search", "--model", dynamic, "--probe", probe, "--gallery", gallery, "--output", out]
    assert gaitset(*words).code == 0
    (out / "mine.txt").write_text("mine")
    before = tree(out)
    done = gaitset(*words, "--top", 1)
    assert (done.code, done.error) == (1, f"{out / 'ranking.csv'} is there already")
    assert done.hint == "choose another --output, or --overwrite the results in it"
    assert tree(out) == before
    assert gaitset(*words, "--top", 1, "--overwrite").code == 0
    assert len(table_of(out)) == 1 + 3
    assert (out / "mine.txt").read_text() == "mine"


@pytest.mark.parametrize("place", ["gallery/out", "probe", "gallery"])
def test_results_do_not_go_where_the_next_search_would_find_them(
    place: str, probe: Path, gallery: Path, dynamic: Path, gaitset: Commands, tmp_path: Path
) -> None:
    words = ["--model", dynamic, "--probe", probe, "--gallery", gallery, "--output", tmp_path / place]
    before = tree(tmp_path)
    done = gaitset("search", *words)
    assert done.code == 2
    assert str(tmp_path / place) in done.error
    assert tree(tmp_path) == before


def test_two_sequences_of_one_name(casia_b: Path, gallery: Path, dynamic: Path) -> None:
    twice = [FrameSequence(casia_b / name, "walk") for name in PROBES[:2]]
    with pytest.raises(DataError, match=r"^two sequences are called walk: ") as raised:
        search(twice, list_sequences(gallery), open_session(dynamic), SearchOptions(1, "euclidean", 1, Threads(1)))
    assert all(str(casia_b / name) in str(raised.value) for name in PROBES[:2])


def test_a_folder_of_frames_and_one_of_its_name_in_it(
    casia_b: Path, gallery: Path, dynamic: Path, gaitset: Commands, tmp_path: Path
) -> None:
    outer = Path(shutil.copytree(casia_b / PROBES[0], tmp_path / "walk"))
    shutil.copytree(casia_b / PROBES[1], outer / "walk")
    words = ["--probe", outer, "--gallery", gallery, "--top", 1, "--output", tmp_path / "out"]
    assert gaitset("search", "--model", dynamic, *words).code == 0
    assert [row[0] for row in table_of(tmp_path / "out")[1:]] == [".", "walk"]
    assert sorted(tree(tmp_path / "out")) == ["ranked/_.png", "ranked/walk.png", "ranking.csv"]


def test_probes_whose_pictures_would_be_in_each_others_way(
    casia_b: Path, gallery: Path, dynamic: Path, gaitset: Commands, tmp_path: Path
) -> None:
    long = "/".join("very_long_name_of_a_folder" for _ in range(12))
    for name in ("p/a", "p/a.png/b", "p_a", long):
        shutil.copytree(casia_b / PROBES[0], tmp_path / "mine" / name)
    words = ["--probe", tmp_path / "mine", "--gallery", gallery, "--output", tmp_path / "out"]
    done = gaitset("search", "--model", dynamic, *words)
    assert (done.code, done.err) == (0, "")
    drawn = sorted(path.name for path in (tmp_path / "out" / "ranked").iterdir())
    assert drawn == [long.replace("/", "_")[-60:] + ".png", "p_a.png", "p_a.png_b.png", "p_a_2.png"]


def test_names_of_pictures() -> None:
    wanted = ["a_b.png", "a_b_2.png", "a_b_2_2.png", "a_b_3.png", "_.png", "_hidden.png"]
    assert sheet_names(["a/b", "a_b", "a_b_2", "a/b", ".", ".hidden"]) == wanted


def test_no_table_without_its_pictures(
    probe: Path, gallery: Path, dynamic: Path, gaitset: Commands, tmp_path: Path
) -> None:
    blocked = tmp_path / "out" / "ranked" / f"{own_name(PROBES[1])}.png"
    blocked.mkdir(parents=True)
    words = ["--probe", probe, "--gallery", gallery, "--output", tmp_path / "out", "--overwrite"]
    done = gaitset("search", "--model", dynamic, *words)
    assert done.code != 0
    assert done.error.startswith(f"cannot write {blocked}")
    assert not (tmp_path / "out" / "ranking.csv").exists()


def test_a_model_of_something_else(probe: Path, gallery: Path, toys: Path, gaitset: Commands, tmp_path: Path) -> None:
    words = ["--model", toys / "toyA_free.onnx", "--probe", probe, "--gallery", gallery, "--output", tmp_path / "out"]
    done = gaitset("search", *words)
    assert done.code == 1
    assert done.error.startswith("the model takes image float32 (N, 3, 8, 8), ")


def test_a_data_set_that_the_model_is_not_of(
    probe: Path, gallery: Path, dynamic: Path, gaitset: Commands, tmp_path: Path
) -> None:
    words = ["--model", dynamic, "--probe", probe, "--gallery", gallery, "--output", tmp_path / "out"]
    done = gaitset("search", *words, "--dataset", "oumvlp")
    assert done.code == 2
    assert done.error == "--dataset oumvlp does not fit the model, which is of the data set casia-b"


# Distances and pictures


def test_the_nearest_by_hand() -> None:
    probe = np.array([0, 0, 1], np.float32)
    gallery = np.array([[0, 0, 3], [0, 3, 1], [0, 0, 1], [0, 0, 3], [0, 0, 1]], np.float32)

    def found(**options: Any) -> list[tuple[int, float]]:
        asked: dict[str, Any] = {"top": 9, "metric": "euclidean", "own": None, **options}
        return [(one.number, round(one.distance, 6)) for one in nearest(probe, gallery, **asked)]

    assert found() == [(2, 0.0), (4, 0.0), (0, 2.0), (3, 2.0), (1, 3.0)]
    assert found(top=2) == [(2, 0.0), (4, 0.0)]
    assert found(own=2, top=2) == [(4, 0.0), (0, 2.0)]
    assert found(metric="cosine", top=4) == [(0, 0.0), (2, 0.0), (3, 0.0), (4, 0.0)]
    assert found(metric="cosine")[-1] == (1, round(1 - 1 / np.sqrt(10), 6))


def test_a_feature_of_zeros_is_at_right_angles_to_all() -> None:
    gallery = np.array([[1, 0], [0, 0]], np.float32)
    assert distances(np.zeros(2, np.float32), gallery, "cosine").tolist() == [1.0, 1.0]
    assert distances(gallery[0], gallery, "cosine").tolist() == [0.0, 1.0]


def test_more_features_than_a_block_holds() -> None:
    gallery = np.arange(3 * BLOCK - 5, dtype=np.float32)[:, None]
    found = nearest(np.array([2.5 * BLOCK], np.float32), gallery, 3, "euclidean", own=None)
    assert {one.number for one in found} == {int(2.5 * BLOCK) + i for i in (-1, 0, 1)}
    assert distances(gallery[7], gallery, "euclidean").tolist() == [abs(i - 7) for i in range(len(gallery))]


@pytest.mark.parametrize(("length", "wanted"), [(16, [0, 4, 8, 12]), (5, [0, 1, 2, 3]), (4, [0, 1, 2, 3]), (2, [0, 1])])
def test_evenly_spaced_frames(length: int, wanted: list[int]) -> None:
    assert evenly_spaced(np.arange(length), 4).tolist() == wanted


def test_a_sheet_shows_the_silhouettes_of_every_row() -> None:
    levels = (60, 120, 180)
    rows = [
        Row(np.full((count, 64, 44), level, np.uint8), "1", "0.5", "a name that is far too long " * 9)
        for count, level in zip((8, 3, 20), levels, strict=True)
    ]
    sheet = draw_sheet(rows[0], rows[1:])
    counts = {level[0]: count for count, level in sheet.getcolors(10**6) or [] if len(set(level)) == 1}
    shown = [round(counts[level] / (88 * 128)) for level in levels]
    assert shown == [8, 3, 8]
    pixels = np.asarray(sheet.convert("L"))
    tops = [int((pixels == level).any(axis=1).argmax()) for level in levels]
    assert tops == sorted(tops)
