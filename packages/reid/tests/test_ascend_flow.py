"""The guide's way to an NPU, convert -> infer -> postprocess, and `run --model X.om`: all through fakes, no NPU.

The fakes of atc and ais_bench compute through ONNX Runtime, so the numbers must be those of the .onnx file.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from modelzoo.common.spec import BATCH, Identity, TensorSpec
from modelzoo.common.testing.plugin import Finished, tree
from modelzoo.reid import __version__
from modelzoo.reid.spec import IMAGES

if TYPE_CHECKING:
    from modelzoo.common.testing.ascend import FakeAisBench

pytest_plugins = ["modelzoo.common.testing.cann"]
pytestmark = pytest.mark.usefixtures("fake_cann", "fake_ais_bench")

Commands = Callable[..., Finished]

FEATURE = TensorSpec("feature", "float32", (BATCH, 96))
ATC = "--framework=5 --model=ReID.onnx --output=ReID_bs{bs} --input_format=NCHW --input_shape=image:{bs},3,256,128"
BENCH = "--model ./ReID_bs{bs}.om --input ./prep_dataset_query/ --output ./ --output_dirname bs{bs} --outfmt BIN"


@pytest.fixture
def work(market: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reid: Commands) -> Path:
    """The working directory after the guide's preprocessing, with a cheap ReID.onnx and the metrics by that file."""
    from onnx.helper import make_node

    from modelzoo.common.testing.toys import onnx_model, save_model

    pool = make_node("AveragePool", ["image"], ["pooled"], kernel_shape=[32, 32], strides=[32, 32])
    nodes = [pool, make_node("Flatten", ["pooled"], ["feature"])]
    identity = Identity("reid", __version__, (IMAGES["float32"],), (FEATURE,), atc={"input_format": "NCHW"})
    save_model(tmp_path / "ReID.onnx", onnx_model(nodes, [IMAGES["float32"]], [FEATURE], identity_=identity))
    monkeypatch.chdir(tmp_path)
    finish(reid("preprocess", market / "query", "prep_dataset_query"))
    finish(reid("preprocess", market / "bounding_box_test", "prep_dataset_gallery"))
    for path in Path("prep_dataset_gallery").iterdir():
        path.rename(Path("prep_dataset_query") / path.name)
    finish(reid("infer", "--model", "ReID.onnx", "--input", "prep_dataset_query", "--output", ".", *named("onnx")))
    postprocess(reid, market, "onnx")
    return tmp_path


def finish(done: Finished) -> Finished:
    assert done.code == 0, done.err
    return done


def named(name: str) -> tuple[str, str]:
    return "--output_dirname", name


def convert(reid: Commands, bs: int) -> Finished:
    return finish(reid("convert", *ATC.format(bs=bs).split(), "--log=debug", "--soc_version=Ascend310P3"))


def postprocess(reid: Commands, market: Path, name: str) -> dict[str, Any]:
    folders = (f"--query_dir={market / 'query'}", f"--gallery_dir={market / 'bounding_box_test'}")
    done = finish(reid("postprocess", *folders, f"--pred_dir=./{name}", "--json", f"{name}.json"))
    return {"out": done.out, **json.loads(Path(f"{name}.json").read_text())}


@pytest.mark.parametrize("bs", [1, 4])
def test_guide_by_files(bs: int, work: Path, market: Path, reid: Commands) -> None:
    convert(reid, bs)
    done = finish(reid("infer", *BENCH.format(bs=bs).split(), "--batchsize", bs))
    assert f"32 samples through ReID_bs{bs}.om (ais_bench)" in done.out
    assert f"throughput in samples/s, batch {bs}: " in done.out
    assert tree(work / f"bs{bs}") == tree(work / "onnx")
    assert len(tree(work / "onnx")) == 32
    metrics = postprocess(reid, market, f"bs{bs}")
    assert metrics == postprocess(reid, market, "onnx")
    assert 0 < metrics["mAP"] < 1
    assert metrics["out"].startswith("mAP: ")


@pytest.mark.parametrize("bs", [1, 4])
def test_run_in_one_process(bs: int, work: Path, market: Path, reid: Commands, report_of: Any) -> None:
    convert(reid, bs)
    finish(reid("run", "--data", market, "--model", f"ReID_bs{bs}.om", "--output", "npu"))
    finish(reid("run", "--data", market, "--model", "ReID.onnx", "--output", "cpu"))
    npu, cpu = report_of(work / "npu"), report_of(work / "cpu")
    assert (npu["backend"], npu["batchsize"], npu["samples"]) == ("ascend", bs, cpu["samples"])
    assert npu["metrics"] == cpu["metrics"] == json.loads((work / "onnx.json").read_text())


def test_om_without_description(work: Path, market: Path, reid: Commands, report_of: Any) -> None:
    """One that atc made without us: the package knows the images, the user says the batch."""
    convert(reid, 4)
    (work / "ReID_bs4.json").unlink()
    finish(reid("infer", *BENCH.format(bs=4).split(), "--batchsize", 4))
    assert tree(work / "bs4") == tree(work / "onnx")
    finish(reid("run", "--data", market, "--model", "ReID_bs4.om", "--output", "npu"))
    assert report_of(work / "npu")["metrics"] == json.loads((work / "onnx.json").read_text())


@pytest.mark.parametrize("fault", ["exits 1", "leaves a result out", "truncates a result", "summary of other files"])
def test_infer_that_fails(fault: str, work: Path, reid: Commands, fake_ais_bench: FakeAisBench) -> None:
    convert(reid, 4)
    fake_ais_bench.install(fault=fault)
    done = reid("infer", *BENCH.format(bs=4).split(), "--batchsize", "4")
    assert (done.code, "ais_bench" in done.error or "summary" in done.error) == (1, True)


def test_bins_of_another_size_are_refused(work: Path, reid: Commands) -> None:
    convert(reid, 4)
    path = next((work / "prep_dataset_query").iterdir())
    np.zeros((256, 128, 3), np.uint8).tofile(path)
    done = reid("infer", *BENCH.format(bs=4).split())
    assert (done.code, f"{path.name} has 98304 bytes" in done.error) == (1, True)
    assert not (work / "bs4").exists()


def test_report_folder_that_cannot_be_made(work: Path, market: Path, reid: Commands) -> None:
    convert(reid, 1)
    (work / "npu").write_text("a file")
    done = reid("run", "--data", market, "--model", "ReID_bs1.om", "--output", "npu")
    assert (done.code, "npu" in done.error) == (1, True)


@pytest.mark.parametrize("neck_feat", ["after", "before"])
def test_verify_compares_an_om_with_the_checkpoint(
    neck_feat: str, checkpoint: Path, exported: Callable[[str], Path], tmp_path: Path, reid: Commands
) -> None:
    om = tmp_path / "ReID_bs4"
    finish(reid("convert", "--model", exported(neck_feat), "--output", om, "--batchsize", 4, "--soc_version", "310P3"))
    done = reid("verify", "--weights", checkpoint, "--om", f"{om}.om", "--json", tmp_path / "v.json")
    rows = json.loads((tmp_path / "v.json").read_text())["comparisons"]
    assert [row["stage"] for row in rows] == ["onnx", "simplified", "uint8", "ReID_bs4.om"]
    if neck_feat == "after":
        assert done.code == 0, done.err
        assert rows[-1]["passed"]
        assert rows[-1]["max_abs"] < 1e-5
    else:
        assert done.code == 1
        assert done.error.startswith("the first stage that fails is ReID_bs4.om: feature differs")
