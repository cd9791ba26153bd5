"""Which walks are tested, and which number each gets."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from modelzoo.common.errors import DataError
from modelzoo.common.work import Threads
from modelzoo.gaitset.split import Selection, read_partition, select_walks

Writer = Callable[..., Path]
TWO = Threads(2)


def names(selection: Selection) -> list[str]:
    return [walk.name for walk in selection.walks]


@pytest.fixture
def six(tmp_path: Path, write_frames: Writer) -> Path:
    """Subjects 003 to 008, one walk each."""
    for subject in range(3, 9):
        write_frames(tmp_path / "data", f"{subject:03d}/nm-01/000", 1)
    return tmp_path / "data"


def blank(folder: Path) -> None:
    """Frames that show nobody, in the place of those that are there."""
    for path in folder.iterdir():
        Image.new("L", (320, 240)).save(path)


def test_the_recorded_split(casia_b: Path, golden: Path) -> None:
    rows: list[dict[str, Any]] = json.loads((golden / "preprocess.json").read_text())["sequences"]
    tested = sorted((row["index"], f"{row['subject']}/{row['type']}/{row['view']}") for row in rows if row.get("bin"))
    selection = select_walks(casia_b, TWO)
    assert list(enumerate(names(selection))) == tested
    assert [(source.source, source.reason) for source in selection.left_out] == [
        ("077/bg-02/036", "077/bg-02/036: none of its 3 frames shows a figure")
    ]
    assert selection.passed_over == 0


def test_the_first_subjects_are_for_training_and_005_counts_for_nothing(six: Path) -> None:
    assert names(select_walks(six, TWO, pid_num=3)) == ["007/nm-01/000", "008/nm-01/000"]
    assert select_walks(six, TWO, pid_num=3).left_out == []


def test_the_incomplete_subject_is_left_out_aloud(six: Path) -> None:
    selection = select_walks(six, TWO, pid_num=0)
    assert names(selection) == [f"{subject}/nm-01/000" for subject in ("003", "004", "006", "007", "008")]
    assert [source.reason for source in selection.left_out] == ["005/nm-01/000: subject 005 of CASIA-B is incomplete"]


def test_a_subject_without_a_figure_is_no_training_subject(six: Path) -> None:
    blank(six / "003/nm-01/000")
    assert names(select_walks(six, TWO, pid_num=3)) == ["008/nm-01/000"]


@pytest.mark.parametrize("figure", range(5))
def test_one_frame_with_a_figure_is_enough(figure: int, six: Path, write_frames: Writer) -> None:
    walk = write_frames(six, "008/nm-01/018", 5)
    kept = sorted(walk.iterdir())[figure].read_bytes()
    blank(walk)
    (walk / f"{figure:03d}.png").write_bytes(kept)
    assert names(select_walks(six, TWO, pid_num=4)) == ["008/nm-01/000", "008/nm-01/018"]


def test_a_walk_without_a_figure_has_no_number(six: Path, write_frames: Writer) -> None:
    blank(write_frames(six, "008/bg-01/000", 2))
    (six / "008" / "cl-01" / "000").mkdir(parents=True)
    (six / "008" / "cl-01" / "000" / "Thumbs.db").touch()
    selection = select_walks(six, TWO, pid_num=4)
    assert names(selection) == ["008/nm-01/000"]
    assert [source.reason for source in selection.left_out] == [
        "008/bg-01/000: none of its 2 frames shows a figure",
        "008/cl-01/000: no frames",
    ]
    assert selection.passed_over == 1


def test_a_walk_with_an_unreadable_frame_keeps_its_number(six: Path) -> None:
    (six / "007/nm-01/000/000.png").write_text("no image")
    assert names(select_walks(six, TWO, pid_num=3)) == ["007/nm-01/000", "008/nm-01/000"]


def test_aligned_frames_are_not_looked_at(six: Path) -> None:
    blank(six / "008/nm-01/000")
    assert names(select_walks(six, TWO, pid_num=4, aligned=True)) == ["008/nm-01/000"]


@pytest.mark.parametrize("count", [6, 73])
def test_nobody_is_left_to_test(count: int, six: Path) -> None:
    with pytest.raises(DataError, match=f"of its 6 subjects, the first {count} are for training") as raised:
        select_walks(six, TWO, pid_num=count)
    assert raised.value.hint == "--pid_num 0 tests all of them"


def test_chosen_subjects(six: Path) -> None:
    assert names(select_walks(six, TWO, subjects={"004", "008", "075"})) == ["004/nm-01/000", "008/nm-01/000"]
    with pytest.raises(DataError, match="holds no walk of the 1 test subjects"):
        select_walks(six, TWO, subjects={"075"})


def save_npy(path: Path, content: Any) -> Path:
    np.save(path, content, allow_pickle=True)
    return path


def ragged(train: list[str], test: list[str]) -> np.ndarray:
    """What NumPy before 1.24 made of two lists of unlike length, as the upstream saves it."""
    array = np.empty(2, object)
    array[:] = [train, test]
    return array


def test_a_partition_of_numpy_s_own_form(tmp_path: Path) -> None:
    path = save_npy(tmp_path / "p.npy", [["001", "002"], ["004", "003"]])
    assert read_partition(path) == {"003", "004"}


def test_a_partition_in_which_the_shorter_row_is_filled_up(tmp_path: Path) -> None:
    assert read_partition(save_npy(tmp_path / "p.npy", [["001", "002"], ["004", ""]])) == {"004"}


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("byteorder", "<>")
def test_a_partition_in_other_orders(byteorder: str, order: Any, tmp_path: Path) -> None:
    rows = np.array([["001", "002"], ["004", "\U0010ffff3"]], f"{byteorder}U3", order=order)
    assert read_partition(save_npy(tmp_path / "p.npy", rows)) == {"004", "\U0010ffff3"}


def test_a_partition_with_a_long_header(tmp_path: Path) -> None:
    with (tmp_path / "p.npy").open("wb") as file:
        np.lib.format.write_array(file, np.array([["001"], ["004"]]), version=(2, 0))
    assert read_partition(tmp_path / "p.npy") == {"004"}


def test_a_partition_as_text(tmp_path: Path) -> None:
    (tmp_path / "p.txt").write_text("001 002 003\n\n004 006\n")
    assert read_partition(tmp_path / "p.txt") == {"004", "006"}


def test_a_pickled_partition_is_refused_and_never_run(tmp_path: Path) -> None:
    class Harm:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "harm",))

    path = save_npy(tmp_path / "p.npy", np.array([Harm(), Harm()], object))
    with pytest.raises(DataError, match=f"^{path} holds a pickle, which could run anything$"):
        read_partition(path)
    assert not (tmp_path / "harm").exists()


def test_the_conversion_that_the_hint_names_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    save_npy(tmp_path / "P.npy", ragged(["001", "002", "003"], ["004", "006"]))
    with pytest.raises(DataError) as raised:
        read_partition(tmp_path / "P.npy")
    assert raised.value.hint is not None
    program = raised.value.hint.partition('-c "')[2].removesuffix('" > P.txt')
    monkeypatch.chdir(tmp_path)
    exec(program, {})
    (tmp_path / "P.txt").write_text(capsys.readouterr().out)
    assert read_partition(tmp_path / "P.txt") == {"004", "006"}


def whole() -> bytes:
    file = io.BytesIO()
    np.save(file, [["001"], ["002"]])
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "has to hold training subjects and test subjects"),
        (b"001 002\n", "has to hold training subjects and test subjects"),
        (b"001\n002\n003\n", "has to hold training subjects and test subjects"),
        (b"\x93NUMPY\x01\x00", "is a damaged .npy file"),
        (whole()[:-3], "is a damaged .npy file"),
        (whole().replace(b"(2, 1)", b"(2, 99999999999999999)"), "more than 100000 names"),
        (whole().replace(b"(2, 1)", b"(2, 50001)"), "more than 100000 names"),
        (whole().replace(b"(2, 1)", b"(2, 50000)"), "is a damaged .npy file"),
        (whole().replace(b"(2, 1)", b"(2, -1)"), "not two rows of text"),
        (whole().replace(b"<U3", b"<U0").replace(b"(2, 1)", b"(2, 9)"), "not two rows of text"),
        (whole().replace(b"<U3", b"|O8"), "holds a pickle"),
        (whole().replace(b"NUMPY\x01", b"NUMPY\x03"), "is a damaged .npy file"),
        (whole()[:-4] + (0x110000).to_bytes(4, "little"), "holds what is no text"),
        (whole()[:-4] + (0xDFFF).to_bytes(4, "little"), "holds what is no text"),
        (whole()[:-4] + (0xD800).to_bytes(4, "little"), "holds what is no text"),
        (whole().replace(b"False", b"Fals#"), "is a damaged .npy file"),
        (whole().replace(b"(2, 1), }   ", b"(True, 1), }"), "is a damaged .npy file"),
    ],
)
def test_what_is_no_partition(content: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "p.npy").write_bytes(content)
    with pytest.raises(DataError, match=words) as raised:
        read_partition(tmp_path / "p.npy")
    assert str(tmp_path / "p.npy") in str(raised.value)


@pytest.mark.parametrize("content", [[[1, 2], [3, 4]], ["001", "002"], [["001"], [""]], [["001"]]])
def test_arrays_that_are_no_partition(content: Any, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"two rows of text|has to hold"):
        read_partition(save_npy(tmp_path / "p.npy", content))


def test_a_missing_partition(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"no such partition file: {tmp_path / 'p.npy'}"):
        read_partition(tmp_path / "p.npy")


def test_a_partition_beside_the_data_is_not_read(six: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "partition").mkdir()
    save_npy(tmp_path / "partition" / "CASIA-B_73_False.npy", [["008"], ["003"]])
    monkeypatch.chdir(tmp_path)
    assert names(select_walks(six, TWO, pid_num=4)) == ["008/nm-01/000"]
