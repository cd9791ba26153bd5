"""`infer --model X.om` through a fake ais_bench (see test_fake_ais_bench.py); no NPU is involved."""

import argparse
import json
import os
import shutil
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modelzoo.common import cli, identity
from modelzoo.common.cli import main
from modelzoo.common.commands import infer
from modelzoo.common.results import read_summary
from modelzoo.common.spec import BATCH, Identity, ModelSpec, TensorSpec, Upstream
from modelzoo.common.testing.ascend import FakeAisBench, write_om
from modelzoo.common.testing.plugin import CommandRunner, Finished, tree
from modelzoo.common.testing.toys import image, onnx_model, save_model, toy_a, toy_b

DATA = Path(__file__).with_name("data") / "ais_bench"
CASES: dict[str, dict[str, Any]] = json.loads((DATA / "cases.json").read_text(encoding="utf-8"))
SAME = ("bs1", "bs4_partial", "npy_bs4", "txt_bs4", "filelist_order", "pure_loop20_output", "input_loop3")
UNLIKE_STEMS = ("two_inputs_bs4", "two_inputs_filelist")
IMAGE = TensorSpec("image", "float32", (BATCH, 3, 8, 8))
FEAT, SCORE = TensorSpec("feat", "float32", (BATCH, 2, 8, 8)), TensorSpec("score", "float32", (BATCH, 2))
PAIR = (TensorSpec("image1", "float32", (BATCH, 1, 4, 4)), TensorSpec("image2", "float32", (BATCH, 3, 4, 4)))
SUM = (TensorSpec("sum", "float32", (BATCH, 3, 4, 4)), TensorSpec("top", "float32", (BATCH,)))
SPEC = ModelSpec("toyA", "Toy", (IMAGE,), (FEAT, SCORE), Upstream("", "", ""), "toy:network", "NCHW", 1e-5)
BIN10 = ("--input", "bin10", "--output", "out", "--output_dirname", "x")


def fix(tensors: tuple[TensorSpec, ...], batch: int) -> tuple[TensorSpec, ...]:
    return tuple(TensorSpec(tensor.name, tensor.dtype, (batch, *tensor.shape[1:])) for tensor in tensors)


@pytest.fixture
def models(toys: Path, fake_ais_bench: FakeAisBench) -> Path:
    for batch in (1, 4):
        identity_a = Identity("toyA", "1", fix((IMAGE,), batch), fix((FEAT, SCORE), batch))
        write_om(toys / f"toyA_bs{batch}.om", toy_a(batch), identity_a)
        write_om(toys / f"toyB_bs{batch}.om", toy_b(batch), Identity("toyB", "1", fix(PAIR, batch), fix(SUM, batch)))
    return toys


def run_om(command: CommandRunner, *words: object, model: str = "toyA_bs4.om") -> Finished:
    return command(main, "modelzoo", "infer", "--model", model, *words)


@pytest.mark.parametrize("generation", ["2022-11", "2023-06", "2024-06"])
@pytest.mark.parametrize("name", ["bs1", "bs4_partial"])
def test_every_generation(
    command: CommandRunner, models: Path, fake_ais_bench: FakeAisBench, name: str, generation: str
) -> None:
    fake_ais_bench.install(generation)
    assert_recorded(command, models, name)


@pytest.mark.parametrize("name", SAME + UNLIKE_STEMS)
def test_recorded_files(command: CommandRunner, models: Path, name: str) -> None:
    assert_recorded(command, models, name)


def assert_recorded(command: CommandRunner, models: Path, name: str) -> None:
    case = CASES[name]
    pairing = ["--pair", "order"] if name in UNLIKE_STEMS else []
    done = command(main, "modelzoo", "infer", *case["args"], *pairing)
    assert (done.code, done.err) == (0, "")
    assert done.out.count("throughput") == 1
    files = {f"out/{file}": list(facts) for file, facts in tree(models / "out").items()}
    assert {file: None if file.endswith("json") else facts for file, facts in files.items()} == case["created_files"]
    summary = read_summary(models / "out" / case["args"][case["args"].index("--output_dirname") + 1])
    assert summary is not None
    assert summary["filesinfo"] == case["summary"]["filesinfo"]


@pytest.mark.parametrize("outfmt", ["BIN", "NPY", "TXT"])
def test_same_files_and_summary_as_onnx_runtime(command: CommandRunner, models: Path, outfmt: str) -> None:
    for model in ("toyA_bs4.om", "toyA_bs4.onnx"):
        words = ("--input", "bin10", "--output", model[-4:], "--output_dirname", "x", "--outfmt", outfmt)
        done = run_om(command, *words, model=model)
        assert done.code == 0, done.err
        assert done.out.startswith(f"10 samples through {model} (")
    assert tree(models / "4.om" / "x") == tree(models / "onnx" / "x")
    ours, theirs = read_summary(models / "4.om" / "x"), read_summary(models / "onnx" / "x")
    assert [*ours] == [*theirs]


def arguments_of(folder: Path) -> list[str]:
    summary = read_summary(folder)
    assert summary is not None
    return list(summary["args"][1:])


def test_command_line(command: CommandRunner, models: Path) -> None:
    """Long names that every generation has, the batch of the model whatever the user says, a plain folder name."""
    more = ("--batchsize", "2", "--loop", "3", "--warmup_count", "2", "--device", "1", "-o", "out/")
    done = run_om(command, "--input", "./bin10/", "--output_dirname", "./x/", *more)
    assert done.code == 0, done.err
    assert "note: the model is fixed to batch 4; --batchsize is not used" in done.err
    assert arguments_of(models / "out" / "x") == [
        *["--model", "toyA_bs4.om", "--input", "./bin10/", "--output", "out/", "--output_dirname", "x"],
        *["--outfmt", "BIN", "--batchsize", "4", "--device", "1", "--loop", "3", "--warmup_count", "2"],
    ]


def test_throughput_is_that_of_the_summary(command: CommandRunner, models: Path) -> None:
    done = run_om(command, *BIN10)
    summary = read_summary(models / "out" / "x")
    assert f"throughput in samples/s, batch 4: {summary['throughput']:.2f}" in done.out


@pytest.mark.parametrize("inputs", [("--input", "bin10"), ()])
def test_without_output_nothing_is_left(command: CommandRunner, models: Path, inputs: tuple[str, ...]) -> None:
    before = tree(models)
    done = run_om(command, *inputs, "--loop", "2")
    assert done.code == 0, done.err
    assert "throughput in samples/s, batch 4: " in done.out
    assert "results" not in done.out
    assert tree(models) == before


FAULTS = {
    "exits 1": r"ais_bench ended with exit code 1: [ERROR] aclmdlExecute failed, ret: 507011; [ERROR] this is a fake",
    "writes nothing": "reported success, but there is no out/x/img_1_0.bin",
    "leaves a result out": "reported success, but there is no out/x/img_10_1.bin",
    "truncates a result": "reported success, but out/x/img_10_1.bin has 6 bytes, not 8",
    "writes no summary": "reported success, but there is no summary out/x_summary.json",
    "summary is no JSON": "out/x_summary.json is not a summary",
    "summary of other files": "out/x_summary.json is not of this run",
    "summary lacks a sample": "out/x_summary.json is not of this run: it says 9 samples",
    "summary without times": "out/x_summary.json is not a summary of an inference (KeyError('NPU_compute_time'))",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_success_is_not_believed(
    command: CommandRunner, models: Path, fake_ais_bench: FakeAisBench, fault: str
) -> None:
    fake_ais_bench.install(fault=fault)
    done = run_om(command, *BIN10)
    assert done.code == 1
    assert FAULTS[fault] in done.error.replace(f"{models}/", "")
    assert done.out == ""


def test_truncated_npy(command: CommandRunner, models: Path, fake_ais_bench: FakeAisBench) -> None:
    fake_ais_bench.install(fault="truncates a result")
    done = run_om(command, *BIN10, "--outfmt", "NPY")
    assert (done.code, "out/x/img_10_1.npy has 134 bytes, not 136" in done.error) == (1, True)


def test_empty_text(command: CommandRunner, models: Path, fake_ais_bench: FakeAisBench) -> None:
    fake_ais_bench.install(fault="empties a result")
    done = run_om(command, *BIN10, "--outfmt", "TXT")
    assert (done.code, "out/x/img_10_1.txt has 0 bytes" in done.error) == (1, True)


def test_truncated_pure_inference(command: CommandRunner, models: Path, fake_ais_bench: FakeAisBench) -> None:
    fake_ais_bench.install(fault="truncates a result")
    done = run_om(command, "--output", "out", "--output_dirname", "x")
    assert "out/x/pure_infer_data_1.bin has 30 bytes, not 32" in done.error


def test_old_summary_is_taken_and_put_where_postprocess_looks(
    command: CommandRunner, models: Path, fake_ais_bench: FakeAisBench
) -> None:
    fake_ais_bench.install(fault="old summary")
    done = run_om(command, *BIN10)
    assert done.code == 0, done.err
    assert (models / "out/x_summary.json").read_bytes() == (models / "out/x/sumary.json").read_bytes()


def test_old_summary_of_an_earlier_run_is_not_taken(
    command: CommandRunner, models: Path, fake_ais_bench: FakeAisBench
) -> None:
    fake_ais_bench.install(fault="old summary")
    assert run_om(command, *BIN10).code == 0
    fake_ais_bench.install(fault="writes no summary")
    done = run_om(command, *BIN10, "--overwrite")
    assert "there is no summary" in done.error


def test_folder_in_use_needs_overwrite(command: CommandRunner, models: Path) -> None:
    (models / "out/x").mkdir(parents=True)
    (models / "out/x/old_0.bin").write_bytes(b"1234")
    done = run_om(command, *BIN10)
    assert (done.code, "out/x is not empty" in done.error) == (1, True)
    assert run_om(command, *BIN10, "--overwrite").code == 0
    assert not (models / "out/x/old_0.bin").exists()


def test_output_that_cannot_be_made(command: CommandRunner, models: Path) -> None:
    (models / "out").write_text("a file")
    done = run_om(command, *BIN10)
    assert (done.code, "cannot make the folder out/x" in done.error) == (1, True)


def test_without_ais_bench(command: CommandRunner, models: Path, fake_ais_bench: FakeAisBench) -> None:
    shutil.rmtree(fake_ais_bench.site)
    done = run_om(command, *BIN10)
    assert (done.code, done.error) == (3, f"{sys.executable} has no ais_bench; .om files need Ascend's")
    assert "ASCEND_PYTHON" in done.hint
    assert not (models / "out").exists()


def test_namesake_is_named(command: CommandRunner, models: Path, fake_ais_bench: FakeAisBench) -> None:
    shutil.rmtree(fake_ais_bench.site)
    fake_ais_bench.install_namesake()
    done = run_om(command, *BIN10)
    assert done.code == 3
    assert "PyPI's ais-bench-benchmark" in done.error
    assert "wheels ais_bench and aclruntime" in done.hint


def test_without_aclruntime(command: CommandRunner, models: Path, fake_ais_bench: FakeAisBench) -> None:
    (fake_ais_bench.site / "aclruntime.py").unlink()
    done = run_om(command, *BIN10)
    assert (done.code, done.error) == (3, f"{sys.executable} has no aclruntime; .om files need Ascend's")


def test_2024_without_old_setuptools(command: CommandRunner, models: Path, fake_ais_bench: FakeAisBench) -> None:
    fake_ais_bench.install("2024-06")
    fake_ais_bench.hide("pkg_resources")
    done = run_om(command, *BIN10)
    assert (done.code, "needs pkg_resources" in done.error) == (3, True)
    assert "'setuptools<81'" in done.hint


@pytest.mark.parametrize("generation", ["2022-11", "2023-06"])
def test_older_generations_need_no_old_setuptools(
    command: CommandRunner, models: Path, fake_ais_bench: FakeAisBench, generation: str
) -> None:
    fake_ais_bench.install(generation)
    fake_ais_bench.hide("pkg_resources")
    assert run_om(command, *BIN10).code == 0


def test_another_python(
    command: CommandRunner, models: Path, fake_ais_bench: FakeAisBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ais_bench may need a Python of its own; this one has none."""
    python = models / "other_python"
    python.write_text(f'#!/bin/sh\nPYTHONPATH={fake_ais_bench.site} exec {sys.executable} "$@"\n')
    python.chmod(0o755)
    monkeypatch.setenv("PYTHONPATH", "")
    assert run_om(command, *BIN10).code == 3
    monkeypatch.setenv("ASCEND_PYTHON", str(python))
    done = run_om(command, *BIN10)
    assert done.code == 0, done.err


@pytest.mark.parametrize("python", ["/no/such/python", "/"])
def test_other_python_that_cannot_be_started(
    command: CommandRunner, models: Path, monkeypatch: pytest.MonkeyPatch, python: str
) -> None:
    monkeypatch.setenv("ASCEND_PYTHON", python)
    done = run_om(command, *BIN10)
    assert (done.code, f"cannot start the Python {python}: " in done.error) == (3, True)


def test_missing_libraries_of_cann(command: CommandRunner, models: Path, fake_ais_bench: FakeAisBench) -> None:
    text = '"""Fake aclruntime without CANN."""\nraise ImportError("libascendcl.so: cannot open shared object file")\n'
    fake_ais_bench.write("aclruntime.py", text)
    fake_ais_bench.write("ais_bench/infer/interface.py", '"""Fake."""\nimport aclruntime\n')
    fake_ais_bench.write("ais_bench/__main__.py", '"""Fake."""\nimport ais_bench.infer.interface\n')
    done = run_om(command, *BIN10)
    assert (done.code, "libascendcl.so" in done.error) == (1, True)
    assert "set_env.sh" in done.hint


def link(folder: Path) -> None:
    (folder / "bin10").rename(folder / "real")
    (folder / "bin10").symlink_to("real")


REFUSED_PATHS = {
    "a link": (link, "bin10"),
    "writable by the group": (lambda folder: (folder / "bin10").chmod(0o775), "bin10"),
    "a file writable by others": (lambda folder: (folder / "bin10/img_3.bin").chmod(0o646), "bin10/img_3.bin"),
    "a strange name": (lambda folder: (folder / "bin10/read me.txt").write_text(""), "bin10/read me.txt"),
    "a model writable by the group": (lambda folder: (folder / "toyA_bs4.om").chmod(0o664), "toyA_bs4.om"),
    "an output writable by others": (lambda folder: (folder / "out").mkdir() or (folder / "out").chmod(0o777), "out"),
    "another owner": (lambda folder: os.chown(folder / "bin10/img_1.bin", 12345, 12345), "bin10/img_1.bin"),
}


@pytest.mark.parametrize("what", REFUSED_PATHS)
def test_paths_that_2024_refuses(
    command: CommandRunner, models: Path, fake_ais_bench: FakeAisBench, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    fake_ais_bench.install("2024-06")
    prepare, path = REFUSED_PATHS[what]
    if what == "another owner" and os.geteuid():
        monkeypatch.setattr(os, "chown", lambda *_: None)
        monkeypatch.setattr(os, "geteuid", lambda: 54321)
        monkeypatch.setattr(os, "getgroups", list)
        path = "toyA_bs4.om"
    prepare(models)
    done = run_om(command, *BIN10)
    assert done.code == 1
    assert f"refuses the path {path}" in done.error
    assert not list(models.glob("out/*"))


def test_older_generations_take_such_paths(command: CommandRunner, models: Path) -> None:
    link(models)
    (models / "bin10" / "read me.txt").write_text("")
    assert run_om(command, *BIN10).code == 0


BAD_INPUTS = {
    "one folder for two inputs": ("toyB_bs4.om", "dirA", "2 inputs (image1, image2)"),
    "unlike stems": ("toyB_bs4.om", "dirA,dirB", "dirA/gray_0.bin has no partner"),
    "swapped folders": ("toyB_bs4.om", "dirB,dirA", "dirB/rgb_0.bin"),
    "wrong size": ("toyA_bs4.om", "odd", "odd/img_0.bin has 400 bytes"),
    "several samples in a file": ("toyA_bs4.om", "pairs", "pairs/pair_0.bin has 1536 bytes"),
    "equal stems": ("toyA_bs4.om", "dotted", "dotted/a.y.bin"),
    "empty folder": ("toyA_bs4.om", "empty", "no .bin or .npy files in empty"),
    "no folder": ("toyA_bs4.om", "nosuch", "nosuch"),
    "float64": ("toyA_bs4.om", "npy10", "npy10/img_1.npy holds float64"),
}


@pytest.mark.parametrize("what", BAD_INPUTS)
def test_inputs_are_checked_first(command: CommandRunner, models: Path, what: str) -> None:
    model, inputs, text = BAD_INPUTS[what]
    np.save(models / "npy10/img_1.npy", image(0).astype(np.float64))
    done = run_om(command, "--input", inputs, "--output", "out", "--output_dirname", "x", model=model)
    assert (done.code, text in done.error) == (1, True), done.err
    assert not (models / "out").exists()


def test_om_that_nothing_describes(command: CommandRunner, models: Path) -> None:
    (models / "toyA_bs4.json").unlink()
    done = run_om(command, *BIN10)
    assert (done.code, done.error) == (1, "nothing says what toyA_bs4.om takes: there is no toyA_bs4.json")
    assert "convert" in done.hint


def test_batch_that_nothing_says(command: CommandRunner, models: Path) -> None:
    """With a guessed batch the throughput would be wrong."""
    (models / "toyA_bs4.json").unlink()
    done = run_in_package(command, "--model", "toyA_bs4.om", *BIN10)
    assert (done.code, "nothing says what toyA_bs4.om takes" in done.error) == (1, True)
    assert "--batchsize" in done.hint


def test_damaged_description(command: CommandRunner, models: Path) -> None:
    (models / "toyA_bs4.json").write_text("{}")
    done = run_om(command, *BIN10)
    assert (done.code, "toyA_bs4.json" in done.error) == (1, True)


@pytest.mark.parametrize(
    "content",
    [b"\xff\xfe{", b"[" * 100_000, b'{"model": "toyA", "version": "1", "inputs": []}'],
    ids=["bytes", "deep", "none"],
)
def test_hostile_description(command: CommandRunner, models: Path, content: bytes) -> None:
    (models / "toyA_bs4.json").write_bytes(content)
    done = run_om(command, *BIN10)
    assert (done.code, "toyA_bs4.json: its modelzoo metadata cannot be read" in done.error) == (1, True)


@pytest.mark.parametrize("shape", [[0, 3, 8, 8], []])
def test_description_without_a_batch_is_not_said_to_be_missing(
    command: CommandRunner, models: Path, shape: list[int]
) -> None:
    path = models / "toyA_bs4.json"
    content = json.loads(path.read_text())
    content["inputs"][0]["shape"] = shape
    path.write_text(json.dumps(content))
    done = run_om(command, *BIN10)
    assert (
        done.code,
        f"toyA_bs4.json: its modelzoo metadata cannot be read (inputs[0].shape is {shape}" in done.error,
    ) == (
        1,
        True,
    )


def test_description_that_leaves_the_batch_open(command: CommandRunner, models: Path) -> None:
    (models / "toyA_bs4.json").write_text(identity.to_json(Identity("toyA", "1", (IMAGE,), (FEAT, SCORE))))
    done = run_om(command, *BIN10)
    assert (done.code, done.error) == (1, "toyA_bs4.json leaves the batch of toyA_bs4.om open")
    assert "--batchsize" in done.hint
    assert run_om(command, *BIN10, "--batchsize", "4").code == 0


def package(handler: Any) -> int:
    command = cli.Command("infer", "", infer.add_arguments, handler)
    return cli.run_program("toy", "", "1", [command])


def run_in_package(command: CommandRunner, *words: object, spec: ModelSpec = SPEC) -> Finished:
    handler: cli.Handler = partial(infer.handle, spec=spec)
    return command(lambda: package(handler), "toy", "infer", *words)


def test_package_knows_its_own_om_without_description(command: CommandRunner, models: Path) -> None:
    (models / "toyA_bs4.json").unlink()
    done = run_in_package(command, "--model", "toyA_bs4.om", "--batchsize", "4", *BIN10)
    assert done.code == 0, done.err
    assert arguments_of(models / "out/x")[-8:-6] == ["--batchsize", "4"]
    files = {f"out/{name}": list(facts) for name, facts in tree(models / "out").items() if name.startswith("x/")}
    wanted = {name.replace("/bs4/", "/x/"): facts for name, facts in CASES["bs4_partial"]["created_files"].items()}
    assert files == {name: facts for name, facts in wanted.items() if facts}


def test_package_does_not_know_the_outputs_of_every_form(command: CommandRunner, models: Path) -> None:
    """Such as a smaller backbone's: without description their sizes are what they are."""
    (models / "toyA_bs4.json").unlink()
    other = replace(SPEC, outputs=(FEAT, replace(SCORE, shape=(BATCH, 3))))
    done = run_in_package(command, "--model", "toyA_bs4.om", "--batchsize", "4", *BIN10, spec=other)
    assert done.code == 0, done.err


def test_size_of_a_free_axis_is_not_known(command: CommandRunner, models: Path) -> None:
    score = replace(SCORE, shape=(4, "classes"))
    known = Identity("toyA", "1", fix((IMAGE,), 4), (*fix((FEAT,), 4), score))
    (models / "toyA_bs4.json").write_text(identity.to_json(known))
    done = run_om(command, *BIN10)
    assert done.code == 0, done.err


def test_om_of_another_package(command: CommandRunner, models: Path) -> None:
    done = run_in_package(command, "--model", "toyB_bs4.om", *BIN10)
    assert (done.code, done.error) == (1, "toyB_bs4.om is a model of toyB, not of toyA")


def test_om_that_is_an_onnx(command: CommandRunner, models: Path) -> None:
    save_model(models / "toyA_bs4.om", toy_a(4))
    done = run_om(command, *BIN10)
    assert (done.code, "toyA_bs4.om is an .onnx file by its content" in done.error) == (1, True)
    assert "convert" in done.hint
    assert not (models / "out").exists()


def test_om_that_is_missing(command: CommandRunner, models: Path) -> None:
    done = run_om(command, *BIN10, model="toyA_bs2.om")
    assert (done.code, done.error) == (1, "no such model file: toyA_bs2.om")
    assert "did you mean" in done.hint


def test_om_that_is_none(command: CommandRunner, models: Path) -> None:
    """Loading it is ais_bench's business; what it says is shown."""
    (models / "toyA_bs4.om").write_bytes(b"IMOD but not really")
    done = run_om(command, *BIN10)
    assert (done.code, "[ERROR] load model from file failed, model file is toyA_bs4.om" in done.error) == (1, True)
    assert "-m ais_bench --model toyA_bs4.om --input bin10" in done.hint


def test_half_precision_outputs(command: CommandRunner, models: Path) -> None:
    """The description says what the .om returns, whatever the .onnx did."""
    from onnx.helper import make_node

    x, y = TensorSpec("x", "float32", (2, 4)), TensorSpec("y", "float16", (2, 4))
    model = onnx_model([make_node("Cast", ["x"], ["y"], to=10)], [x], [y])
    write_om(models / "half.om", model, Identity("half", "1", (x,), (y,)))
    (models / "in").mkdir()
    np.arange(4, dtype=np.float32).tofile(models / "in/a.bin")
    done = run_om(command, "--input", "in", "--output", "out", "--output_dirname", "x", model="half.om")
    assert done.code == 0, done.err
    assert np.fromfile(models / "out/x/a_0.bin", np.float16).tolist() == [0, 1, 2, 3]


def test_outputs_with_several_rows_per_sample(command: CommandRunner, models: Path) -> None:
    """As with clips whose views are averaged later: 2 samples give 6 rows."""
    from onnx.helper import make_node

    x, y = TensorSpec("x", "float32", (2, 3, 4)), TensorSpec("y", "float32", (6, 4))
    model = onnx_model([make_node("Reshape", ["x", "shape"], ["y"])], [x], [y], {"shape": np.array([6, 4])})
    write_om(models / "rows.om", model, Identity("rows", "1", (x,), (y,)))
    (models / "in").mkdir()
    for k, stem in enumerate("abc"):
        np.full((3, 4), k, np.float32).tofile(models / f"in/{stem}.bin")
    done = run_om(command, "--input", "in", "--output", "out", "--output_dirname", "x", model="rows.om")
    assert done.code == 0, done.err
    assert np.fromfile(models / "out/x/c_0.bin", np.float32).tolist() == 12 * [2]


def test_help_names_om(capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    infer.add_arguments(parser)
    assert ".om" in parser.format_help()
