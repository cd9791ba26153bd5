"""The command `postprocess`: the recorded accuracy from files, and one clear line for whatever does not fit."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modelzoo.common.testing.plugin import Finished

Commands = Callable[..., Finished]


@pytest.fixture
def results(tmp_path: Path) -> Callable[..., Path]:
    """Write a result folder of random logits and its label file; return the folder of both."""

    def write(count: int = 3, rows: int = 20, classes: int = 51, labels: str | None = None) -> Path:
        random = np.random.default_rng(0)
        (tmp_path / "result").mkdir()
        for number in range(count):
            logits = random.standard_normal((rows, classes)).astype(np.float32)
            logits.tofile(tmp_path / f"result/{number:05d}_0.bin")
        lines = "".join(f"{number:05d} {number}\n" for number in range(count)) if labels is None else labels
        (tmp_path / "labels.txt").write_text(lines)
        return tmp_path

    return write


@pytest.fixture
def score(posec3d: Commands) -> Callable[..., Finished]:
    """Run `posec3d postprocess` on what `results` has written."""
    return lambda folder, *words: posec3d(
        "postprocess", "--infer_results", folder / "result", "--label_file", folder / "labels.txt", *words
    )


def test_the_recorded_results_give_the_recorded_accuracy(tmp_path: Path, score: Commands) -> None:
    random = np.random.default_rng(3001)
    logits = (random.standard_normal((200, 20, 51)) * 3).astype(np.float32)
    labels = random.integers(0, 51, 200)
    (tmp_path / "result").mkdir()
    for number, label in enumerate(labels):
        logits[number, :, label] += np.float32(1.5)
        logits[number].tofile(tmp_path / f"result/{number:05d}_0.bin")
    (tmp_path / "labels.txt").write_text("".join(f"{number:05d} {label}\n" for number, label in enumerate(labels)))
    done = score(tmp_path, "--json", tmp_path / "metrics.json")
    assert done.code == 0, done.err
    assert done.out == "Evaluating top_k_accuracy ...\ntop1_acc\t0.2050\ntop5_acc\t0.4650\n"
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert (metrics["top1_acc"], metrics["top5_acc"], metrics["samples"]) == (0.205, 0.465, 200)
    assert 0 < metrics["mean_class_accuracy"] < 1


def test_classes_by_the_size_of_the_results(results: Callable[..., Path], score: Commands) -> None:
    folder = results(classes=60)
    done = score(folder, "--json", folder / "metrics.json")
    assert done.code == 0, done.err
    assert json.loads((folder / "metrics.json").read_text())["classes"] == 60
    done = score(folder, "--classes", 60)
    assert done.code == 0, done.err
    done = score(folder, "--classes", 51)
    assert done.error == f"{folder}/result/00000_0.bin has 4800 bytes, but 20 clips of 51 classes have 4080"


def test_results_of_a_whole_batch_in_one_file(results: Callable[..., Path], score: Commands) -> None:
    folder = results(rows=40)
    done = score(folder)
    assert done.code == 1
    assert done.error == f"{folder}/result/00000_0.bin has 8160 bytes, but 20 clips of 51 classes have 4080"
    assert done.hint.startswith("it seems to hold the rows of 2 samples")
    assert score(folder, "--classes", 102).code == 0  # as many classes may be meant


@pytest.mark.parametrize("size", [0, 79, 81, 4079, 4084])
def test_a_result_of_another_size(size: int, results: Callable[..., Path], score: Commands) -> None:
    folder = results()
    for number in (1, 2):
        (folder / f"result/{number:05d}_0.bin").write_bytes(bytes(size))
    done = score(folder)
    assert done.code == 1
    assert done.error == f"{folder}/result/00001_0.bin has {size} bytes, but 20 clips of 51 classes have 4080"


def test_a_result_that_holds_nan(results: Callable[..., Path], score: Commands) -> None:
    folder = results()
    np.full((20, 51), np.nan, np.float32).tofile(folder / "result/00001_0.bin")
    done = score(folder)
    assert done.error == f"the result of {folder}/result/00001_0.bin holds NaN or infinite values"


def test_a_label_that_is_no_class(results: Callable[..., Path], score: Commands) -> None:
    folder = results(labels="00000 3\n00001 51\n00002 0\n")
    done = score(folder)
    assert done.error == f"the label of {folder}/result/00001_0.bin is 51, but there are 51 classes"


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ("00000 0\n00001 1\n", "1 of 3 results belong to none of the 2 samples, the first is {}/result/00002_0.bin"),
        (
            "00000 0\n00001 1\n00002 2\n00003 3\n",
            "{}/result has no result for 1 of 4 samples, the first is 00003_0.bin of 00003",
        ),
        ("00000 0\n00001 1\n00001 2\n", "{}/labels.txt: line 3 is the second one of 00001"),
        ("00000 0\nbrush hair\n", "{}/labels.txt: line 2 is 'brush hair', not '<sample> <label>'"),
        ("00000 0\n00001\n", "{}/labels.txt: line 2 is '00001', not '<sample> <label>'"),
        ("00000 0\n00001 -1\n", "{}/labels.txt: line 2 is '00001 -1', not '<sample> <label>'"),
        ("00000 0\n00001 1.5\n", "{}/labels.txt: line 2 is '00001 1.5', not '<sample> <label>'"),
        ("00000 0\n\n00001 1\n", "{}/labels.txt: line 2 is '', not '<sample> <label>'"),
        (f"00000 {'9' * 5000}\n", "{}/labels.txt: line 1 is '00000 " + "9" * 54 + "…', not '<sample> <label>'"),
        ("", "{}/labels.txt has no labels"),
    ],
)
def test_a_label_file_that_does_not_match(
    labels: str, said: str, results: Callable[..., Path], score: Commands
) -> None:
    folder = results(labels=labels)
    done = score(folder)
    assert (done.code, done.error) == (1, said.format(folder))


def test_a_label_file_that_is_not_there(results: Callable[..., Path], score: Commands, posec3d: Commands) -> None:
    folder = results()
    done = posec3d("postprocess", "--infer_results", folder / "result", "--label_file", folder / "label.txt")
    assert (done.error, done.hint) == (f"no such label file: {folder}/label.txt", f"did you mean {folder}/labels.txt?")
    (folder / "labels.txt").write_bytes(b"\xff\xfe")
    assert score(folder).error == f"cannot read {folder}/labels.txt: it is not a text"


def write_index(folder: Path, rows: list[dict[str, Any]], **changed: Any) -> Path:
    content = {"model": "posec3d", "version": "1", "inputs": [], "complete": True, "samples": rows, "skipped": []}
    path = folder / "bin_index.json"
    path.write_text(json.dumps(content | changed))
    return path


def rows(*labels: int) -> list[dict[str, Any]]:
    return [
        {"stem": f"{number:05d}", "source": f"clip {number}", "label": label} for number, label in enumerate(labels)
    ]


def test_an_index_has_to_say_the_same(results: Callable[..., Path], score: Commands) -> None:
    folder = results()
    index = write_index(folder, rows(0, 1, 2), skipped=[{"source": "x", "reason": "x: label is 99"}])
    done = score(folder, "--index", index)
    assert done.code == 0, done.err
    note = "note: 1 recordings were skipped by preprocess, the first: x: label is 99"
    assert done.err == f"index: {index}\n{note}\nclasses: 51, by the size of the results\n"
    done = score(folder, "--index", write_index(folder, rows(0, 7, 2)))
    assert done.error == f"{folder}/labels.txt says 1 of 00001, {index} says 7"
    done = score(folder, "--index", write_index(folder, rows(0, 1)))
    assert done.error == f"{folder}/labels.txt has 3 samples, {index} has 2, not the same"
    done = score(folder, "--index", write_index(folder, rows(0, 1, 2), model="reid"))
    assert done.error == f"{index} is an index of the model reid, not of posec3d"
    done = score(folder, "--index", write_index(folder, rows(0, 1, 2), complete=False))
    assert done.error == f"{index} shows an interrupted preprocess run"


def test_a_label_file_of_an_editor(results: Callable[..., Path], score: Commands) -> None:
    """With a byte order mark, and empty lines at its end."""
    done = score(results(labels="\ufeff00000 3\r\n00001 1\r\n00002 0\r\n\r\n\n"))
    assert done.code == 0, done.err


def write_summary(folder: Path, model: Path) -> None:
    """The summary that infer writes beside the results."""
    content = {"filesinfo": {}, "args": ["posec3d", "infer", "--model", str(model), "--input", "bin"]}
    (folder / "result_summary.json").write_text(json.dumps(content))


def test_two_samples_of_eight_classes_are_not_one_of_sixteen(
    results: Callable[..., Path], score: Commands, tmp_path: Path
) -> None:
    """The model says how many classes there are; without it the index does, and the size only without both."""
    from onnx.helper import make_node

    from modelzoo.common.spec import TensorSpec
    from modelzoo.common.testing.toys import onnx_model, save_model

    folder = results(rows=40, classes=8)
    done = score(folder)
    assert (done.code, done.err) == (0, "classes: 16, by the size of the results\n")
    index = write_index(folder, rows(0, 1, 2), command={"classes": 8})
    done = score(folder, "--index", index)
    assert f"classes: 8, by {index}" in done.err
    assert done.error == f"{folder}/result/00000_0.bin has 1280 bytes, but 20 clips of 8 classes have 640"
    assert done.hint.startswith("it seems to hold the rows of 2 samples")
    y = TensorSpec("y", "float32", ("N", 8))
    model = save_model(
        tmp_path / "m.onnx", onnx_model([make_node("Identity", ["x"], ["y"])], [replace(y, name="x")], [y])
    )
    write_summary(folder, model)
    done = score(folder)
    assert f"classes: 8, by the model {model}" in done.err
    assert done.error == f"{folder}/result/00000_0.bin has 1280 bytes, but 20 clips of 8 classes have 640"
    assert score(folder, "--classes", 16).code == 0


def test_so_many_classes_that_no_data_set_has(results: Callable[..., Path], score: Commands) -> None:
    folder = results(count=1, classes=5003)
    done = score(folder)
    assert done.error == f"{folder}/result/00000_0.bin has 400,240 bytes, which would be 5,003 classes"
    assert score(folder, "--classes", 5003).error == "there are 5,003 classes, more than 5,000"
