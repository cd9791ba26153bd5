"""The upstream's configuration: what it says of the network, and what of it is not supported."""

from collections.abc import Callable
from pathlib import Path

import pytest

from modelzoo.alphapose.config import read_config
from modelzoo.alphapose.spec import Form, Structure
from modelzoo.common.errors import DataError, UsageError
from modelzoo.common.testing.plugin import Finished


@pytest.fixture
def change(config: Path, tmp_path: Path) -> Callable[[str, str], Path]:
    """The configuration with one text replaced."""

    def write(old: str, new: str) -> Path:
        text = config.read_text()
        assert text.count(old) == 1
        path = tmp_path / "changed.yaml"
        path.write_text(text.replace(old, new))
        return path

    return write


def test_the_published_configuration_is_the_built_in_one(config: Path) -> None:
    assert read_config(config) == read_config(Path("-")) == Structure(50, 17, 128)


@pytest.mark.parametrize(
    ("old", "new", "structure"),
    [
        ("NUM_LAYERS: 50", "NUM_LAYERS: 152", Structure(152, 17, 128)),
        ("NUM_JOINTS: 17", "NUM_JOINTS: 26", Structure(50, 26, 128)),
        ("NUM_LAYERS: 50", "NUM_LAYERS: 101\n  CONV_DIM: 256", Structure(101, 17, 256)),
        ("TYPE: 'simple'", "TYPE: 'simple'\n  LOSS_TYPE: 'L1JointRegression'", Structure(50, 17, 128)),
        ("SIGMA: 2", "SIGMA: 3", Structure(50, 17, 128)),
    ],
)
def test_other_networks(old: str, new: str, structure: Structure, change: Callable[[str, str], Path]) -> None:
    assert read_config(change(old, new)) == structure


DCN = "NUM_LAYERS: 50\n  DCN:\n    MODULATED: false\n  STAGE_WITH_DCN: [false, true, true, true]"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("TYPE: 'FastPose'", "TYPE: 'SimplePose'", "MODEL.TYPE is SimplePose; supported: FastPose"),
        ("TYPE: 'FastPose'", "TYPE: 'FastPose_DUC'", "MODEL.TYPE is FastPose_DUC; supported: FastPose"),
        ("  TYPE: 'FastPose'\n", "", "MODEL.TYPE is None; supported: FastPose"),
        ("NUM_LAYERS: 50", DCN, "MODEL.DCN asks for deformable convolutions (DCN), which are not supported"),
        ("NUM_LAYERS: 50", "NUM_LAYERS: 18", "MODEL.NUM_LAYERS is 18; supported: 50, 101, 152"),
        ("NUM_LAYERS: 50", "NUM_LAYERS: '50'", "MODEL.NUM_LAYERS is 50; supported: 50, 101, 152"),
        ("NUM_LAYERS: 50", "NUM_LAYERS: 50.0", "MODEL.NUM_LAYERS is 50.0; supported: 50, 101, 152"),
        ("NUM_LAYERS: 50", "NUM_LAYERS: 50\n  CONV_DIM: 64", "MODEL.CONV_DIM is 64; supported: 128, 256"),
        ("- 256\n  - 192\n", "- 384\n  - 288\n", "DATA_PRESET.IMAGE_SIZE is [384, 288]; supported: [256, 192]"),
        ("- 64\n  - 48\n", "- 96\n  - 72\n", "DATA_PRESET.HEATMAP_SIZE is [96, 72]; supported: [64, 48]"),
        ("NUM_JOINTS: 17", "NUM_JOINTS: 0", "DATA_PRESET.NUM_JOINTS is 0; supported: whole numbers from 1"),
        ("NUM_JOINTS: 17", "NUM_JOINTS: true", "DATA_PRESET.NUM_JOINTS is True; supported: whole numbers from 1"),
    ],
)
def test_a_network_that_is_not_supported(old: str, new: str, told: str, change: Callable[[str, str], Path]) -> None:
    with pytest.raises(UsageError) as caught:
        read_config(change(old, new))
    assert str(caught.value) == told


@pytest.mark.parametrize("form", [Form(flip_test=True), Form(decode=True)], ids=["flip test", "decode"])
def test_a_regression_network_gives_heat_maps_only(form: Form, change: Callable[[str, str], Path]) -> None:
    path = change("TYPE: 'simple'", "TYPE: 'simple'\n  LOSS_TYPE: 'L1JointRegression'")
    with pytest.raises(UsageError, match=r"^DATA_PRESET.LOSS_TYPE is L1JointRegression: only heat maps") as caught:
        read_config(path, form)
    assert caught.value.hint == "leave out --flip-test and --decode"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        pytest.param(b"MODEL: [", "is not a configuration: ", id="no yaml"),
        pytest.param(b"\xff\xfe\x00", "is not a configuration: ", id="no text"),
        pytest.param(b"just text", "it holds no sections", id="text"),
        pytest.param(b"", "it holds no sections", id="empty"),
        pytest.param(b"[" * 100_000, "is not a configuration: ", id="deep"),
        pytest.param(b"DATA_PRESET: {}", "it has no section MODEL", id="no model"),
        pytest.param(b"MODEL: 50\nDATA_PRESET: {}", "it has no section MODEL", id="model is a number"),
        pytest.param(b"MODEL: {}", "it has no section DATA_PRESET", id="no preset"),
    ],
)
def test_a_file_that_is_no_configuration(content: bytes, told: str, tmp_path: Path) -> None:
    path = tmp_path / "other.yaml"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_config(path)
    assert str(caught.value).startswith(str(path))
    assert told in str(caught.value)


def test_a_configuration_is_never_run(tmp_path: Path, alphapose: Callable[..., Finished]) -> None:
    (tmp_path / "evil.yaml").write_text(f"MODEL: !!python/object/apply:pathlib.Path.touch ['{tmp_path / 'ran'}']\n")
    done = alphapose("export", tmp_path / "evil.yaml", "a.pth", tmp_path / "x.onnx")
    assert done.code == 1
    assert "evil.yaml is not a configuration: " in done.error
    assert [path.name for path in tmp_path.iterdir()] == ["evil.yaml"]


def test_a_missing_configuration_is_named_with_its_neighbour(config: Path, alphapose: Callable[..., Finished]) -> None:
    wrong = config.with_name("256x192_res50_lr1e-3_2x.yaml")
    done = alphapose("export", wrong, "a.pth", "x.onnx")
    assert (done.code, done.error) == (1, f"no such configuration file: {wrong}")
    assert done.hint == f"did you mean {config}?"


def test_yaml_that_is_not_installed(
    config: Path, alphapose: Callable[..., Finished], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "yaml", None)
    done = alphapose("export", config, "a.pth", "x.onnx")
    assert (done.code, done.hint) == (3, "pip install './packages/alphapose[export]'")
