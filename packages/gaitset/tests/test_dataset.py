"""Which sequences a folder holds, and what is said of a folder one level too high or too low."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from modelzoo.common.errors import DataError
from modelzoo.gaitset.dataset import list_sequences, list_walks

Writer = Callable[..., Path]


def test_walks_of_the_small_data_set(casia_b: Path) -> None:
    tree = list_walks(casia_b)
    want = sorted(path.relative_to(casia_b).parts for path in casia_b.glob("*/*/*"))
    assert len(want) == 85
    assert [(walk.subject, walk.condition, walk.view) for walk in tree.walks] == want
    assert [walk.name for walk in tree.walks] == ["/".join(parts) for parts in want]
    assert [walk.folder for walk in tree.walks] == [casia_b.joinpath(*parts) for parts in want]
    assert tree.passed_over == 0
    walk = next(walk for walk in tree.walks if walk.name == "076/cl-02/180")
    assert walk.frames().names == [f"076-cl-02-180-{number:03d}.png" for number in range(1, 8)]


def test_strays_are_passed_over_and_counted_on_every_level(tmp_path: Path, write_frames: Writer) -> None:
    walk = write_frames(tmp_path, "001/nm-01/000")
    for folder in (tmp_path, tmp_path / "001", tmp_path / "001" / "nm-01"):
        (folder / "Thumbs.db").touch()
        (folder / "stray.png").touch()
        (folder / ".cache").mkdir()
    for name in ("Thumbs.db", "._000.png", "notes.txt", "frames.zip"):
        (walk / name).touch()
    (walk / "old.png").mkdir()
    tree = list_walks(tmp_path)
    assert [(walk.name, walk.frames().names) for walk in tree.walks] == [
        ("001/nm-01/000", ["000.png", "001.png", "002.png"])
    ]
    assert tree.passed_over == 9
    assert tree.walks[0].frames().passed_over == 5


def test_a_folder_without_frames_is_a_walk(tmp_path: Path, write_frames: Writer) -> None:
    write_frames(tmp_path, "001/nm-01/000")
    (tmp_path / "001" / "nm-01" / "018").mkdir()
    assert [(walk.view, len(walk.frames().names)) for walk in list_walks(tmp_path).walks] == [("000", 3), ("018", 0)]


@pytest.mark.parametrize(
    ("given", "down", "meant"),
    [
        ("outer/more", 5, "outer/more/download/GaitDatasetB-silh"),
        ("outer/more/download", 4, "outer/more/download/GaitDatasetB-silh"),
        ("outer/more/download/GaitDatasetB-silh/001", 2, "outer/more/download/GaitDatasetB-silh"),
        ("outer/more/download/GaitDatasetB-silh/001/nm-01", 1, "outer/more/download/GaitDatasetB-silh"),
        ("outer/more/download/GaitDatasetB-silh/001/nm-01/000", 0, "outer/more/download/GaitDatasetB-silh"),
    ],
)
def test_a_folder_of_the_wrong_depth(given: str, down: int, meant: str, tmp_path: Path, write_frames: Writer) -> None:
    for walk in ("001/nm-01/000", "001/nm-01/018", "002/nm-01/000"):
        write_frames(tmp_path / "outer/more/download/GaitDatasetB-silh", walk)
    (tmp_path / "outer/more/preview.png").touch()  # a stray image is no frame
    with pytest.raises(DataError, match=f"{down} folders down, not 3") as raised:
        list_walks(tmp_path / given)
    assert str(raised.value).startswith(f"{tmp_path / given} is not")
    assert raised.value.hint == f"did you mean {tmp_path / meant}?"


def test_a_relative_folder_of_the_wrong_depth(
    tmp_path: Path, write_frames: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_frames(tmp_path, "001/nm-01/000")
    monkeypatch.chdir(tmp_path / "001")
    with pytest.raises(DataError) as raised:
        list_walks(Path())
    assert raised.value.hint == f"did you mean {tmp_path}?"


def test_a_walk_that_holds_folders_is_named(tmp_path: Path, write_frames: Writer) -> None:
    write_frames(tmp_path, "001/nm-01/000")
    write_frames(tmp_path, "002/002/nm-01/000")
    (walk,) = (walk for walk in list_walks(tmp_path).walks if walk.subject == "002")
    with pytest.raises(DataError, match=f"^{tmp_path}/002/002/nm-01 holds folders, no frames$"):
        walk.frames()


def test_a_folder_without_silhouettes(tmp_path: Path) -> None:
    (tmp_path / "001" / "nm-01" / "000").mkdir(parents=True)
    with pytest.raises(DataError, match=f"^no silhouettes in {tmp_path}$") as raised:
        list_walks(tmp_path)
    assert raised.value.hint == "expected <subject>/<condition>/<view>/<frames>, such as 075/nm-01/018"


def test_archives_have_to_be_unpacked(tmp_path: Path) -> None:
    (tmp_path / "001.tar.gz").touch()
    with pytest.raises(DataError, match="no silhouettes") as raised:
        list_walks(tmp_path)
    assert raised.value.hint == "unpack its archives first"


def test_a_missing_folder_gets_its_neighbour_as_a_hint(tmp_path: Path) -> None:
    (tmp_path / "GaitDatasetB-silh").mkdir()
    with pytest.raises(DataError, match=f"no such data folder: {tmp_path}/GaitDatasetB-sil$") as raised:
        list_walks(tmp_path / "GaitDatasetB-sil")
    assert raised.value.hint == f"did you mean {tmp_path / 'GaitDatasetB-silh'}?"


def test_every_folder_that_directly_holds_images_is_a_sequence(tmp_path: Path, write_frames: Writer) -> None:
    for name in ("b", "a/second", "a", "deep/er/still"):
        write_frames(tmp_path / "own", name)
    write_frames(tmp_path / "own", "b", 1, seed=7, suffix=".JPG")
    write_frames(tmp_path / "own", ".hidden")
    (tmp_path / "own" / "empty").mkdir()
    sequences = list_sequences(tmp_path / "own")
    assert [(sequence.name, sequence.folder) for sequence in sequences] == [
        (name, tmp_path / "own" / name) for name in ("a", "a/second", "b", "deep/er/still")
    ]
    assert [len(sequence.frames().names) for sequence in sequences] == [3, 3, 4, 3]
    assert sequences[2].frames().names[-1] == "007.JPG"


def test_a_folder_of_frames_is_one_sequence_with_its_own_name(
    tmp_path: Path, write_frames: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_frames(tmp_path, "somebody")
    assert [(sequence.name, sequence.folder) for sequence in list_sequences(folder)] == [("somebody", folder)]
    monkeypatch.chdir(folder)
    assert [sequence.name for sequence in list_sequences(Path())] == ["somebody"]


def test_a_linked_folder_is_a_sequence_too(tmp_path: Path, write_frames: Writer) -> None:
    write_frames(tmp_path, "elsewhere")
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "linked").symlink_to(tmp_path / "elsewhere")
    assert [sequence.name for sequence in list_sequences(tmp_path / "own")] == ["linked"]


def test_a_folder_without_images_holds_no_sequence(tmp_path: Path) -> None:
    (tmp_path / "own" / "a").mkdir(parents=True)
    (tmp_path / "own" / "a" / "video.mp4").touch()
    with pytest.raises(DataError, match=f"^no images in {tmp_path / 'own'}$"):
        list_sequences(tmp_path / "own")


def test_a_folder_of_frames_with_folders_of_frames_in_it_is_the_dot(tmp_path: Path, write_frames: Writer) -> None:
    walk = write_frames(tmp_path, "walk")
    write_frames(walk, "walk")
    assert [(one.name, one.folder) for one in list_sequences(walk)] == [(".", walk), ("walk", walk / "walk")]


def test_links_that_lead_back_end(tmp_path: Path, write_frames: Writer) -> None:
    own = tmp_path / "own"
    write_frames(own, "a")
    write_frames(own, "b/c")
    (own / "a" / "up").symlink_to(own)
    (own / "b" / "beside").symlink_to(own / "a")
    (own / "itself").symlink_to("itself")
    assert [one.name for one in list_sequences(own)] == ["a", "b/c"]
    (tmp_path / "none" / "a").mkdir(parents=True)
    (tmp_path / "none" / "a" / "up").symlink_to(tmp_path / "none")
    with pytest.raises(DataError, match="no silhouettes in"):
        list_walks(tmp_path / "none")


def test_only_files_are_frames(tmp_path: Path, write_frames: Writer) -> None:
    walk = write_frames(tmp_path, "001/nm-01/000", 1)
    os.mkfifo(walk / "zz.png")
    (walk / "zy.png").symlink_to(walk / "zz.png")
    (walk / "zx.png").symlink_to(walk / "000.png")
    (walk / "nothing.png").symlink_to(walk / "gone.png")
    (walk / "itself.png").symlink_to("itself.png")
    frames = list_walks(tmp_path).walks[0].frames()
    assert frames.names == ["000.png", "itself.png", "nothing.png", "zx.png"]  # links to nothing are frames that miss
    assert frames.passed_over == 2
