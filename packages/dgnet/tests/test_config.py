"""The upstream's configuration: is it of this network?"""

from collections.abc import Callable
from pathlib import Path

import pytest

from modelzoo.common.errors import DataError, UsageError
from modelzoo.common.testing.plugin import Finished
from modelzoo.dgnet.config import check_config

CONFIG = """
batch_size: 8
ID_class: 751
ID_stride: 1
ID_style: AB
crop_image_height: 256
crop_image_width: 128
dis: {dim: 32, n_res: 4, pad_type: reflect}
gen:
  activ: lrelu
  dec: basic
  dim: 16
  dropout: 0
  id_dim: 2048
  mlp_dim: 512
  mlp_norm: none
  n_downsample: 2
  n_res: 4
  non_local: 0
  pad_type: reflect
  tanh: false
  init: kaiming
input_dim_a: 1
pool: max
single: gray
teacher: best
"""
"""What the published one says of the network, and a little more."""


@pytest.fixture
def change(tmp_path: Path) -> Callable[[str, str], Path]:
    """The configuration with one text replaced."""

    def write(old: str = "", new: str = "") -> Path:
        assert not old or CONFIG.count(old) == 1
        path = tmp_path / "config.yaml"
        path.write_text(CONFIG.replace(old, new) if old else CONFIG)
        return path

    return write


@pytest.mark.parametrize(
    ("old", "new"), [("", ""), ("ID_class: 751", "ID_class: 702"), ("dropout: 0", "dropout: 0.5"), ("best", "''")]
)
def test_the_published_one_fits_and_its_training_does_not_count(
    old: str, new: str, change: Callable[[str, str], Path]
) -> None:
    check_config(change(old, new))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("activ: lrelu", "activ: relu", "gen.activ is relu; supported: lrelu"),
        ("  dec: basic", "  dec: parallel", "gen.dec is parallel; supported: basic"),
        ("  dim: 16", "  dim: 32", "gen.dim is 32; supported: 16"),
        ("  dim: 16", "  dim: 16.0", "gen.dim is 16.0; supported: 16"),
        ("id_dim: 2048", "id_dim: 1024", "gen.id_dim is 1024; supported: 2048"),
        ("mlp_dim: 512", "mlp_dim: 256", "gen.mlp_dim is 256; supported: 512"),
        ("mlp_norm: none", "mlp_norm: ln", "gen.mlp_norm is ln; supported: none"),
        ("n_downsample: 2", "n_downsample: 3", "gen.n_downsample is 3; supported: 2"),
        ("  n_res: 4\n", "  n_res: 6\n", "gen.n_res is 6; supported: 4"),
        ("non_local: 0", "non_local: 1", "gen.non_local is 1; supported: 0"),
        ("non_local: 0", "non_local: false", "gen.non_local is False; supported: 0"),
        ("  pad_type: reflect\n", "  pad_type: zero\n", "gen.pad_type is zero; supported: reflect"),
        ("tanh: false", "tanh: true", "gen.tanh is True; supported: False"),
        ("ID_style: AB", "ID_style: PCB", "ID_style is PCB; supported: AB"),
        ("ID_stride: 1\n", "", "ID_stride is missing; supported: 1"),
        ("pool: max", "pool: avg", "pool is avg; supported: max"),
        ("single: gray", "single: edge", "single is edge; supported: gray"),
        ("input_dim_a: 1", "input_dim_a: 3", "input_dim_a is 3; supported: 1"),
        ("height: 256", "height: 384", "crop_image_height is 384; supported: 256"),
        ("width: 128", "width: 192", "crop_image_width is 192; supported: 128"),
    ],
)
def test_another_network_is_named(old: str, new: str, told: str, change: Callable[[str, str], Path]) -> None:
    path = change(old, new)
    with pytest.raises(UsageError) as caught:
        check_config(path)
    assert str(caught.value) == f"{path} is of another network: {told}"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        pytest.param(b"gen: [", "is not a configuration: ", id="no yaml"),
        pytest.param(b"\xff\xfe\x00", "is not a configuration: ", id="no text"),
        pytest.param(b"just text", "it holds no sections", id="text"),
        pytest.param(b"", "it holds no sections", id="empty"),
        pytest.param(b"[" * 60_000, "is not a configuration: ", id="deep"),
        pytest.param(b"gen: {}\n" + b"#" * 65_536, "it has more than 65536 bytes", id="large"),
        pytest.param(b"gen: {dim: !!int ''}", "is not a configuration: ", id="an empty number"),
        pytest.param(b"gen: {dim: 1" + b":1" * 200 + b".5}", "is not a configuration: ", id="a number without end"),
        pytest.param(b"MODEL: {NUM_LAYERS: 50}", "of DG-Net: it has no section gen", id="another model"),
        pytest.param(b"gen: 16", "of DG-Net: it has no section gen", id="gen is a number"),
    ],
)
def test_a_file_that_is_no_configuration(content: bytes, told: str, tmp_path: Path) -> None:
    path = tmp_path / "other.yaml"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        check_config(path)
    assert str(caught.value).startswith(str(path))
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("dim", "told"),
    [
        ("[16, 16]", "of type list"),
        ("{a: 16}", "of type dict"),
        ("0x" + "f" * 50_000, "of type int"),
        ("", "None"),
        ("a" * 50_000, "a" * 200 + "…"),
        (r'"\e[2J"', r"\x1b[2J"),
    ],
)
def test_a_message_shows_short_values_only(dim: str, told: str, change: Callable[[str, str], Path]) -> None:
    path = change("  dim: 16", f"  dim: {dim}")
    with pytest.raises(UsageError) as caught:
        check_config(path)
    assert str(caught.value) == f"{path} is of another network: gen.dim is {told}; supported: 16"


def bomb(first: str, more: str) -> str:
    """Nine lines, each with ten aliases of the line before."""
    aliases = [", ".join([f"*a{i}"] * 10) for i in range(8)]
    lines = [f"a{i}: &a{i} {more % aliases[i - 1]}" for i in range(1, 9)]
    return "\n".join([f"a0: &a0 {first}", *lines, "gen: {dim: *a8}"])


@pytest.mark.parametrize("text", [bomb("1", "[%s]"), bomb("{x: 1}", "{<<: [%s]}")], ids=["nested", "merged"])
def test_aliases_are_refused_and_never_expanded(text: str, tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        check_config(path)
    assert str(caught.value) == f"{path} holds aliases (*NAME)"


def test_a_long_tag_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(f"gen: !{'x' * 50_000} 1")
    with pytest.raises(DataError) as caught:
        check_config(path)
    assert len(str(caught.value)) < len(str(path)) + 250


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Files of the names of a checkpoint, where the upstream lays them; the working directory."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "outputs" / "E0.5new_reid0.5_w30000"
    (folder / "checkpoints").mkdir(parents=True)
    for kind in ("gen", "id"):
        (folder / "checkpoints" / f"{kind}_00100000.pt").touch()
    return folder


@pytest.mark.parametrize("place", ["named", "beside"])
def test_it_is_checked_before_the_weights_are_read(
    place: str, files: Path, change: Callable[[str, str], Path], dgnet: Callable[..., Finished]
) -> None:
    config = change("pool: max", "pool: avg")
    if place == "beside":
        config.rename(files / "config.yaml")
        done = dgnet("export")
    else:
        done = dgnet("export", "--gen", files / "checkpoints" / "gen_00100000.pt", "--config", config)
    assert done.code == 2
    assert done.error.endswith("config.yaml is of another network: pool is avg; supported: max")


def test_a_configuration_is_never_run(files: Path, tmp_path: Path, dgnet: Callable[..., Finished]) -> None:
    (files / "config.yaml").write_text(f"gen: !!python/object/apply:pathlib.Path.touch ['{tmp_path / 'ran'}']\n")
    done = dgnet("export")
    assert done.code == 1
    assert "config.yaml is not a configuration: " in done.error
    assert not (tmp_path / "ran").exists()


def test_yaml_that_is_not_installed(
    files: Path,
    change: Callable[..., Path],
    dgnet: Callable[..., Finished],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "yaml", None)
    done = dgnet("export", "--config", change())
    assert (done.code, done.hint) == (3, "pip install './packages/dgnet[export]'")
