"""The index beside a .bin folder: its place, the contract's keys, and files that are none."""

import json
from pathlib import Path

import pytest

from modelzoo.common.errors import DataError
from modelzoo.common.index import Index, index_path, read_index, write_index
from modelzoo.common.spec import TensorSpec
from modelzoo.common.work import SampleInfo, Skipped

INDEX = Index(
    model="toy",
    version="1.2",
    inputs=(TensorSpec("image", "float32", ("N", 3, 8, 8)),),
    command={"source": "/data", "dtype": "float32"},
    complete=True,
    samples=(SampleInfo("a", "a.jpg", {"person": 7, "box": [0, 1.5]}), SampleInfo("b", "行.jpg")),
    skipped=(Skipped("c.jpg", "c.jpg is not an image"),),
)


def test_keys_of_the_contract(tmp_path: Path) -> None:
    content = json.loads(write_index(tmp_path / "bins", INDEX).read_text(encoding="utf-8"))
    assert content.pop("command") == {"source": "/data", "dtype": "float32"}
    assert content == {
        "model": "toy",
        "version": "1.2",
        "inputs": [{"name": "image", "dtype": "float32", "shape": [3, 8, 8]}],
        "complete": True,
        "samples": [
            {"stem": "a", "source": "a.jpg", "person": 7, "box": [0, 1.5]},
            {"stem": "b", "source": "行.jpg"},
        ],
        "skipped": [{"source": "c.jpg", "reason": "c.jpg is not an image"}],
    }


def test_round_trip(tmp_path: Path) -> None:
    assert read_index(write_index(tmp_path / "bins", INDEX)) == INDEX


@pytest.mark.parametrize("folder", ["bins", "bins/", "./bins", "bins.v2", "a/bins"])
def test_lies_beside_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str) -> None:
    monkeypatch.chdir(tmp_path)
    name = Path(folder).name
    assert index_path(Path(folder)) == tmp_path / Path(folder).parent / f"{name}_index.json"


def test_of_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert index_path(Path()) == tmp_path.parent / f"{tmp_path.name}_index.json"


DAMAGED = {
    "empty": "",
    "cut off": '{"model": "toy", ',
    "a list": "[]",
    "a number": "3",
    "no samples": '{"model": "toy", "version": "1", "inputs": [], "complete": true, "skipped": []}',
    "a sample without stem": '{"model": "toy", "version": "1", "inputs": [], "complete": true, "skipped": [], '
    '"samples": [{"source": "a"}]}',
    "deep": "[" * 200_000,
    "deep samples": '{"model": "toy", "samples": ' + "[" * 200_000,
    "samples that are names": '{"model": "toy", "version": "1", "inputs": [], "complete": true, "skipped": [], '
    '"samples": ["a"]}',
}


@pytest.mark.parametrize("text", DAMAGED.values(), ids=DAMAGED)
def test_damaged_index_is_an_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bins_index.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=r"bins_index\.json is not an index"):
        read_index(path)


ROWS = ({}, 5, [1], None, "a")
HOSTILE = [
    *(("model", value) for value in (5, None, ["toy"])),
    ("version", 1),
    *(("complete", value) for value in ("false", 0, None)),
    *(("command", value) for value in (5, None, [["a", 1]])),
    *((key, value) for key in ("inputs", "samples", "skipped") for value in (5, None, {"a": 1}, "ab")),
    *((key, [row]) for key in ("inputs", "samples", "skipped") for row in ROWS),
    ("inputs", [{"name": 5, "dtype": "float32", "shape": [3]}]),
    ("inputs", [{"name": "x", "dtype": "float32", "shape": "ab"}]),
    ("inputs", [{"name": "x", "dtype": "float32", "shape": [3.5]}]),
    *(("samples", [{"stem": stem, "source": "a.jpg"}]) for stem in (5, None)),
    ("samples", [{"stem": "a", "source": ["a.jpg"]}]),
    ("skipped", [{"source": 5, "reason": "damaged"}]),
    ("skipped", [{"source": "a.jpg", "reason": None}]),
]


@pytest.mark.parametrize(("key", "value"), HOSTILE)
def test_values_of_another_type_are_an_error(tmp_path: Path, key: str, value: object) -> None:
    path = write_index(tmp_path / "bins", INDEX)
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), key: value}), encoding="utf-8")
    with pytest.raises(DataError, match=r"bins_index\.json is not an index"):
        read_index(path)


def test_of_the_root() -> None:
    assert index_path(Path("/")) == Path("/_index.json")


def test_binary_file_is_no_index(tmp_path: Path) -> None:
    path = tmp_path / "bins_index.json"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match=r"bins_index\.json is not an index"):
        read_index(path)


def test_missing_index_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such index file"):
        read_index(tmp_path / "bins_index.json")
