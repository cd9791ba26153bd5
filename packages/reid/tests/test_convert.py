"""`reid convert` on a fake atc: the guide's line and the model's own rules. No NPU is involved."""

import json
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from modelzoo.common.testing.cann import FakeCann, read_fake_om
from modelzoo.common.testing.plugin import CommandRunner, Finished
from modelzoo.reid.cli import main

GUIDE = next(
    line
    for line in (Path(__file__).with_name("data") / "guide_commands.txt").read_text(encoding="utf-8").splitlines()
    if line.startswith("atc ")
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("chip_name", ["310P3", "Ascend310P3"])
def test_the_line_of_the_guide(
    chip_name: str, exported: Callable[[str], Path], command: CommandRunner, fake_cann: FakeCann, folder: Path
) -> None:
    shutil.copy(exported("after"), "ReID.onnx")
    done = command(main, "reid-convert", *shlex.split(GUIDE.replace("${chip_name}", chip_name))[1:])
    assert (done.code, done.err) == (0, "")
    wanted = GUIDE.replace("${chip_name}", "310P3").replace("=ReID", f"={folder}/ReID")
    assert sorted(shlex.split(done.out.splitlines()[0])) == sorted(shlex.split(wanted))
    assert sorted(path.name for path in folder.iterdir()) == [
        "ReID.onnx",
        "ReID_bs1.atc.log",
        "ReID_bs1.json",
        "ReID_bs1.om",
    ]


@pytest.mark.parametrize(
    ("form", "shape", "input_format"),
    [("after", (4, 3, 256, 128), "NCHW"), ("before", (4, 3, 256, 128), "NCHW"), ("uint8", (4, 256, 128, 3), "ND")],
)
def test_the_model_says_how_it_is_converted(
    form: str,
    shape: tuple[int, ...],
    input_format: str,
    exported: Callable[[str], Path],
    reid: Callable[..., Finished],
    fake_cann: FakeCann,
) -> None:
    done = reid("convert", "--model", exported(form), "--output", "ReID_bs4", "--batchsize", "4")
    assert done.code == 0, done.err
    words = fake_cann.calls[0]["words"]
    assert {f"--input_shape=image:{','.join(map(str, shape))}", f"--input_format={input_format}"} < set(words)
    om = json.loads(Path("ReID_bs4.json").read_text())
    assert (om["model"], om["form"]["neck_feat"]) == ("reid", "before" if form == "before" else "after")
    assert [tensor["shape"] for tensor in (*om["inputs"], *om["outputs"])] == [list(shape), [4, 2048]]


def test_the_fake_om_gives_the_features_of_the_onnx(
    exported: Callable[[str], Path], reid: Callable[..., Finished], fake_cann: FakeCann
) -> None:
    assert reid("convert", "--model", exported("after"), "--output", "ReID_bs4", "--batchsize", "4").code == 0
    image = np.random.default_rng(0).standard_normal((4, 3, 256, 128)).astype(np.float32)
    files = (read_fake_om(Path("ReID_bs4.om")), exported("after").read_bytes())
    om, onnx = (onnxruntime.InferenceSession(file).run(None, {"image": image})[0] for file in files)
    assert om.shape == (4, 2048)
    np.testing.assert_allclose(om, onnx, rtol=0, atol=1e-5 * float(np.abs(onnx).max()))
