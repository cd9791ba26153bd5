"""An .om as a session, through a fake ais_bench (see test_fake_ais_bench.py); no NPU is involved."""

import shutil
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from onnx.helper import make_node

from modelzoo.common import identity
from modelzoo.common.batch import run_batch
from modelzoo.common.errors import MissingDependencyError, ModelError
from modelzoo.common.session import open_session
from modelzoo.common.spec import Identity, ModelSpec, TensorSpec, Upstream
from modelzoo.common.testing.ascend import FakeAisBench, write_om
from modelzoo.common.testing.toys import colour, grey, image, onnx_model, save_model, toy_a, toy_b

PAIR = (TensorSpec("image1", "float32", (4, 1, 4, 4), "grey"), TensorSpec("image2", "float32", (4, 3, 4, 4), "RGB"))
SUM = (TensorSpec("sum", "float32", (4, 3, 4, 4)), TensorSpec("top", "float32", (4,)))
IDENTITY = Identity("toyB", "1.2", PAIR, SUM, {"frames": 100}, {"input_format": "NCHW"})
SPEC = ModelSpec("toyB", "Toy", PAIR, SUM, Upstream("", "", ""), "toy:network", "NCHW", 1e-5)

pytestmark = pytest.mark.usefixtures("fake_ais_bench")


@pytest.fixture
def om(tmp_path: Path) -> Path:
    return write_om(tmp_path / "toyB_bs4.om", toy_b(4), IDENTITY)


def batch_of(make: Any, size: int = 4) -> np.ndarray:
    return np.stack([make(k) for k in range(size)])


def test_description_says_what_it_is(om: Path) -> None:
    session = open_session(om, SPEC)
    assert (session.backend, session.identity) == ("ascend", IDENTITY)
    assert (session.inputs, session.outputs) == (PAIR, SUM)


def test_without_description_the_runtime_says(om: Path) -> None:
    om.with_suffix(".json").unlink()
    session = open_session(om, SPEC)
    assert session.identity is None
    assert session.inputs == tuple(replace(tensor, layout="") for tensor in PAIR)
    assert session.outputs == SUM


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64", "float16", "float32", "float64"])
def test_every_dtype_is_known_and_run(tmp_path: Path, dtype: str) -> None:
    x, y = (TensorSpec(name, dtype, (2, 3)) for name in "xy")
    model = onnx_model([make_node("Identity", ["x"], ["y"])], [x], [y])
    session = open_session(write_om(tmp_path / "m.om", model))
    assert (session.inputs, session.outputs) == ((x,), (y,))
    (output,) = session.run(np.array([[1, 2, 3], [4, 5, 6]], dtype))
    assert output.dtype == dtype
    assert output.tolist() == [[1, 2, 3], [4, 5, 6]]


def test_same_outputs_as_onnx_runtime(om: Path, tmp_path: Path) -> None:
    inputs = batch_of(grey), batch_of(colour)
    ours = open_session(om).run(*inputs)
    theirs = open_session(save_model(tmp_path / "m.onnx", toy_b(4))).run(*inputs)
    assert len(ours) == 2
    for a, b in zip(ours, theirs, strict=True):
        assert a.tobytes() == b.tobytes()
        assert (a.dtype, a.shape) == (b.dtype, b.shape)


def test_partial_batch_is_filled_up(tmp_path: Path) -> None:
    session = open_session(write_om(tmp_path / "m.om", toy_a(4)))
    result = run_batch(session, [(image(k),) for k in range(3)])
    whole = session.run(batch_of(image))
    assert [feat.tolist() for feat, _ in result.outputs] == [whole[0][k : k + 1].tolist() for k in range(3)]


ONE, THREE = np.zeros((4, 1, 4, 4), np.float32), np.zeros((4, 3, 4, 4), np.float32)
BAD = {
    "float64 of half the batch": (ONE, THREE[:2].astype(np.float64)),
    "integers": (ONE.astype(np.int32), THREE),
    "big endian": (ONE, THREE.astype(">f4")),
    "Fortran order": (ONE, np.asfortranarray(THREE)),
    "strided": (ONE, np.zeros((4, 3, 4, 8), np.float32)[..., ::2]),
    "other shape of equal size": (ONE.reshape(4, 1, 2, 8), THREE),
    "too few": (ONE,),
    "smaller batch": (ONE[:2], THREE[:2]),
}


@pytest.mark.parametrize("what", BAD)
def test_what_the_runtime_would_take_as_garbage_is_refused(om: Path, what: str) -> None:
    with pytest.raises(ModelError, match="the model takes"):
        open_session(om).run(*BAD[what])


class Recorder:
    """Stands in for InferSession; keeps what it is given."""

    def __init__(self, device: int, path: str) -> None:
        self.opened = (device, path)
        self.given: list[np.ndarray] = []

    def infer(self, feeds: list[np.ndarray]) -> list[np.ndarray]:
        self.given = feeds
        return [np.zeros(spec.shape, np.float32) for spec in SUM]


def replace_session(monkeypatch: pytest.MonkeyPatch, session: Any) -> None:
    monkeypatch.setitem(sys.modules, "ais_bench.infer.interface", SimpleNamespace(InferSession=session))


def test_runtime_gets_device_path_and_contiguous_arrays(om: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace_session(monkeypatch, Recorder)
    session = open_session(om, device=3)
    session.run(ONE, THREE)
    recorder: Recorder = session._session
    assert recorder.opened == (3, str(om))
    assert [(array.dtype.str, array.shape) for array in recorder.given] == [("<f4", ONE.shape), ("<f4", THREE.shape)]
    assert all(array.flags.c_contiguous for array in recorder.given)


def test_runtime_that_does_not_tell_needs_a_description(om: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace_session(monkeypatch, Recorder)
    assert open_session(om).inputs == PAIR
    om.with_suffix(".json").unlink()
    with pytest.raises(ModelError, match=r"nothing says what .*toyB_bs4\.om takes") as caught:
        open_session(om)
    assert "convert" in caught.value.hint


@pytest.mark.parametrize("outputs", [SUM[:1], (SUM[0], replace(SUM[1], dtype="float16")), (*SUM, SUM[0])])
def test_outputs_that_are_not_those_of_the_description(om: Path, outputs: tuple[TensorSpec, ...]) -> None:
    om.with_suffix(".json").write_text(identity.to_json(replace(IDENTITY, outputs=outputs)))
    session = open_session(om)
    with pytest.raises(ModelError, match=r"returned \['float32', 'float32'\], its description says"):
        session.run(ONE, THREE)


def test_description_of_another_batch_fails_in_the_runtime(tmp_path: Path) -> None:
    path = write_om(tmp_path / "m.om", toy_b(1), IDENTITY)
    with pytest.raises(ModelError, match=r"the NPU failed to run the model: .*general failure"):
        open_session(path).run(ONE, THREE)


@pytest.mark.parametrize("content", [b"[]", b"\xff\xfe{", b"[" * 100_000], ids=["list", "bytes", "deep"])
def test_damaged_description_is_an_error(om: Path, content: bytes) -> None:
    om.with_suffix(".json").write_bytes(content)
    with pytest.raises(ModelError, match=r"toyB_bs4\.json"):
        open_session(om)


def test_model_of_another_package_is_refused(om: Path) -> None:
    with pytest.raises(ModelError, match=r"toyB_bs4\.om is a model of toyB, not of other"):
        open_session(om, replace(SPEC, name="other"))


def test_description_without_a_name_fits_every_package(om: Path) -> None:
    """What the general command writes for a file that was exported elsewhere."""
    om.with_suffix(".json").write_text(identity.to_json(replace(IDENTITY, model="")))
    assert open_session(om, SPEC).inputs == PAIR


def test_om_that_is_an_onnx(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"m\.om is an \.onnx file by its content") as caught:
        open_session(save_model(tmp_path / "m.om", toy_b(4)))
    assert "convert" in caught.value.hint


def test_onnx_that_is_an_om(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(b"IMOD" + bytes(252))
    with pytest.raises(ModelError, match=r"m\.onnx is an \.om file by its content") as caught:
        open_session(tmp_path / "m.onnx")
    assert ".om" in caught.value.hint


def test_onnx_that_is_a_fake_om(om: Path) -> None:
    with pytest.raises(ModelError, match=r"m\.onnx is not a model that ONNX Runtime can run"):
        open_session(om.rename(om.with_name("m.onnx")))


@pytest.mark.parametrize("content", [b"", b"IMOD" + bytes(300), b"PK\x03\x04", b"version https://git-lfs"])
def test_file_that_is_no_model(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m.om").write_bytes(content)
    with pytest.raises(ModelError, match=r"m\.om cannot be loaded on NPU 0: "):
        open_session(tmp_path / "m.om")


def test_suffix_may_be_in_capitals(om: Path) -> None:
    assert open_session(om.rename(om.with_suffix(".OM"))).backend == "ascend"


def test_without_ais_bench(om: Path, fake_ais_bench: FakeAisBench) -> None:
    shutil.rmtree(fake_ais_bench.site)
    with pytest.raises(MissingDependencyError, match="has no ais_bench") as caught:
        open_session(om)
    assert "not PyPI's" in caught.value.hint


def test_namesake_is_named(om: Path, fake_ais_bench: FakeAisBench) -> None:
    shutil.rmtree(fake_ais_bench.site)
    fake_ais_bench.install_namesake()
    with pytest.raises(MissingDependencyError, match="PyPI's ais-bench-benchmark"):
        open_session(om)


def test_other_python_does_not_help_in_this_process(
    om: Path, fake_ais_bench: FakeAisBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(fake_ais_bench.site)
    monkeypatch.setenv("ASCEND_PYTHON", "/no/such/python")
    with pytest.raises(MissingDependencyError, match=f"{sys.executable} has no ais_bench"):
        open_session(om)


def test_missing_libraries_of_cann(om: Path, fake_ais_bench: FakeAisBench) -> None:
    text = '"""Fake, without CANN."""\nraise ImportError("libascendcl.so: cannot open shared object file")\n'
    fake_ais_bench.write("ais_bench/infer/interface.py", text)
    with pytest.raises(MissingDependencyError, match=r"libascendcl\.so") as caught:
        open_session(om)
    assert "set_env.sh" in caught.value.hint
