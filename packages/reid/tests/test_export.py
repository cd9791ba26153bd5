"""The exported file and the export command in its own and in the guide's form."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch

from modelzoo.common.session import open_session
from modelzoo.common.testing.plugin import Finished
from modelzoo.reid.network import StrongBaseline
from modelzoo.reid.spec import SPEC
from modelzoo.reid.weights import PUBLISHED_MD5

Commands = Callable[..., Finished]

IMAGE = {"float32": ["N", 3, 256, 128], "uint8": ["N", 256, 128, 3]}


@pytest.fixture
def recorded_export(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What the command asks the exporter for, which does nothing."""
    calls: list[tuple[Any, ...]] = []

    def export(weights: Path, output: Path, *rest: str) -> Path:
        calls.append((str(weights), str(output), *rest))
        return output

    monkeypatch.setattr("modelzoo.reid.export.export", export)
    return calls


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A file in the working directory in the place of the weights."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "market.pth").write_bytes(b"weights")
    return "market.pth"


@pytest.mark.parametrize(
    ("form", "neck_feat", "dtype"),
    [("after", "after", "float32"), ("before", "before", "float32"), ("uint8", "after", "uint8")],
)
def test_the_file_keeps_the_contract(form: str, neck_feat: str, dtype: str, exported: Callable[[str], Path]) -> None:
    model = onnx.load(exported(form), load_external_data=False)
    onnx.checker.check_model(model, full_check=True)
    assert [(opset.domain, opset.version) for opset in model.opset_import] == [("", 11)]
    assert model.ir_version <= 8
    (image,), (feature,) = model.graph.input, model.graph.output
    axes = [
        [axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim] for value in (image, feature)
    ]
    assert (image.name, axes[0]) == ("image", IMAGE[dtype])
    assert (feature.name, axes[1]) == ("feature", ["N", 2048])
    assert not any(tensor.data_location for tensor in model.graph.initializer)
    assert not any("classifier" in tensor.name for tensor in model.graph.initializer)
    identity = json.loads({entry.key: entry.value for entry in model.metadata_props}["modelzoo"])
    assert identity["model"] == "reid"
    assert identity["form"] == {"backbone": "resnet50", "neck_feat": neck_feat, "dtype": dtype}
    assert [(tensor["name"], tensor["shape"]) for tensor in identity["inputs"]] == [("image", IMAGE[dtype])]
    assert identity["atc"] == {"input_format": "NCHW" if dtype == "float32" else "ND"}


def test_another_backbone_from_a_published_file(
    tmp_path: Path, reid: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    network = StrongBaseline("resnet18", classes=7).eval()
    torch.save(network.state_dict(), tmp_path / "small.pth")
    md5 = hashlib.md5((tmp_path / "small.pth").read_bytes()).hexdigest()
    monkeypatch.setitem(PUBLISHED_MD5, md5, "published.pth")
    output = tmp_path / "new" / "small.onnx"
    done = reid("export", "--weights", tmp_path / "small.pth", "--backbone", "resnet18", "--output", output)
    assert done.code == 0, done.err
    assert (
        done.out.splitlines()[-1]
        == f"{output}: resnet18, feature after the neck, float32 images, from the published published.pth"
    )
    images = np.random.default_rng(0).standard_normal((5, 3, 256, 128)).astype(np.float32)
    (have,) = open_session(output, SPEC).run(images)
    with torch.inference_mode():
        want = network(torch.from_numpy(images)).numpy()
    assert have.shape == (5, 512)
    assert np.abs(have - want).max() <= 1e-4
    assert list(output.parent.iterdir()) == [output]


def test_the_right_backbone_is_the_hint(tmp_path: Path, reid: Commands) -> None:
    torch.save(StrongBaseline("resnet18").state_dict(), tmp_path / "small.pth")
    done = reid("export", "--weights", tmp_path / "small.pth", "--output", tmp_path / "x.onnx")
    assert done.code == 1
    assert done.error == f"{tmp_path / 'small.pth'} holds a resnet18, not a resnet50"
    assert done.hint == "use --backbone resnet18"
    assert not (tmp_path / "x.onnx").exists()


GUIDE = ("MODEL.PRETRAIN_CHOICE", "('self')", "TEST.WEIGHT", "('market.pth')")
BEFORE = ("TEST.NECK_FEAT", "('before')", "TEST.FEAT_NORM", "('no')")


@pytest.mark.parametrize(
    ("words", "output", "backbone", "neck_feat", "dtype"),
    [
        pytest.param(("--config_file={yml}", *GUIDE), "ReID.onnx", "resnet50", "after", "float32", id="guide"),
        pytest.param(("--config_file", "{yml}", *GUIDE), "ReID.onnx", "resnet50", "after", "float32", id="two words"),
        pytest.param(("--config-file={yml}", *GUIDE), "ReID.onnx", "resnet50", "after", "float32", id="hyphen"),
        pytest.param(("--config={yml}", *GUIDE), "ReID.onnx", "resnet50", "after", "float32", id="abbreviated"),
        pytest.param(
            ("--config_file={yml}", *GUIDE, *BEFORE), "ReID.onnx", "resnet50", "before", "float32", id="before"
        ),
        pytest.param(
            (*GUIDE, "--config_file={yml}", "--output", "x.onnx"),
            "x.onnx",
            "resnet50",
            "after",
            "float32",
            id="flags last",
        ),
        pytest.param(
            ("--output", "x.onnx", "--config_file={yml}", *GUIDE, "--dtype", "uint8", "--batchsize", "4"),
            "x.onnx",
            "resnet50",
            "after",
            "uint8",
            id="flags around",
        ),
        pytest.param(
            ("--config_file={yml}", "TEST.WEIGHT", "market.pth"), "ReID.onnx", "resnet50", "after", "float32", id="bare"
        ),
        pytest.param(
            ("--config_file={yml}", "TEST.WEIGHT", "'market.pth'"),
            "ReID.onnx",
            "resnet50",
            "after",
            "float32",
            id="quotes",
        ),
        pytest.param(
            ("--config_file={yml}", *GUIDE, "MODEL.NAME", "('resnet101')"),
            "ReID.onnx",
            "resnet101",
            "after",
            "float32",
            id="backbone",
        ),
        pytest.param(
            ("--config_file={yml}", *GUIDE, "MODEL.DEVICE_ID", "('7')", "DATASETS.ROOT_DIR", "('/data')"),
            "ReID.onnx",
            "resnet50",
            "after",
            "float32",
            id="what no export reads",
        ),
        pytest.param(
            ("--weights", "market.pth", "--neck-feat", "before", "--backbone", "resnet34"),
            "ReID.onnx",
            "resnet34",
            "before",
            "float32",
            id="own",
        ),
        pytest.param(
            ("--weights=market.pth", "--neck_feat=before"),
            "ReID.onnx",
            "resnet50",
            "before",
            "float32",
            id="underscore",
        ),
    ],
)
def test_forms_of_the_command(
    words: tuple[str, ...],
    output: str,
    backbone: str,
    neck_feat: str,
    dtype: str,
    weights: str,
    config: Path,
    reid: Commands,
    recorded_export: list[tuple[Any, ...]],
) -> None:
    done = reid("export", *(word.format(yml=config) for word in words))
    assert done.code == 0, done.err
    assert recorded_export == [(weights, output, backbone, neck_feat, dtype)]


@pytest.mark.parametrize(
    ("words", "named"),
    [
        pytest.param((*GUIDE, "TEST.NECK", "('before')"), "TEST.NECK ", id="unknown key"),
        pytest.param((*GUIDE, "NOWHERE.KEY", "1"), "NOWHERE.KEY", id="unknown section"),
        pytest.param((*GUIDE, "TEST.NECK_FEAT"), "5 words", id="odd number"),
        pytest.param((*GUIDE, "TEST.IMS_PER_BATCH", "('many')"), "TEST.IMS_PER_BATCH", id="another type"),
        pytest.param((*GUIDE, "INPUT.SIZE_TEST", "[384,128]"), "INPUT.SIZE_TEST is [384, 128]", id="size"),
        pytest.param((*GUIDE, "MODEL.LAST_STRIDE", "2"), "MODEL.LAST_STRIDE is 2; supported is 1", id="stride"),
        pytest.param((*GUIDE, "MODEL.NECK", "('no')"), "MODEL.NECK is no; supported is bnneck", id="neck"),
        pytest.param((*GUIDE, "MODEL.NAME", "('resnet101_ibn_a')"), "resnet101_ibn_a", id="backbone"),
        pytest.param((*GUIDE, "TEST.NECK_FEAT", "('between')"), "between", id="neck feat"),
        pytest.param((*GUIDE, "INPUT.PIXEL_MEAN", "[0.5,0.5,0.5]"), "INPUT.PIXEL_MEAN", id="mean"),
        pytest.param(("TEST.WEIGHT", "('')"), "no checkpoint", id="no weights"),
    ],
)
def test_overrides_that_cannot_be_used(
    words: tuple[str, ...],
    named: str,
    weights: str,
    config: Path,
    tmp_path: Path,
    reid: Commands,
    recorded_export: list[tuple[Any, ...]],
) -> None:
    done = reid("export", "--config_file", config, *words)
    assert done.code == 2
    assert named in done.error
    assert recorded_export == []
    assert [path.name for path in tmp_path.iterdir()] == [weights]


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ((), "--weights FILE"),
        (("TEST.WEIGHT", "('market.pth')"), "--weights FILE"),
        (("--weights", "market.pth", "TEST.WEIGHT", "('other.pth')"), "TEST.WEIGHT"),
        (("--weights", "market.pth", "--config_file", "{yml}"), "--weights FILE"),
    ],
)
def test_either_weights_or_a_configuration(
    words: tuple[str, ...], named: str, weights: str, config: Path, reid: Commands
) -> None:
    assert Path(weights).exists()
    done = reid("export", *(word.format(yml=config) for word in words))
    assert done.code == 2
    assert named in done.error


def test_a_size_in_the_file_itself_counts(config: Path, tmp_path: Path, reid: Commands) -> None:
    other = tmp_path / "other.yml"
    other.write_text(config.read_text().replace("SIZE_TEST: [256, 128]", "SIZE_TEST: [384, 128]"))
    done = reid("export", "--config_file", other, *GUIDE)
    assert done.code == 2
    assert "INPUT.SIZE_TEST is [384, 128]; supported is [256, 128]" in done.error


@pytest.mark.parametrize(
    ("content", "word"),
    [
        pytest.param("MODEL:\n  NAME: [", "is not a configuration", id="no yaml"),
        pytest.param("MODEL:\n  NAMES: 'resnet50'\n", "MODEL.NAMES", id="unknown key"),
        pytest.param("just text", "is not a configuration", id="text"),
    ],
)
def test_a_configuration_that_is_none(content: str, word: str, tmp_path: Path, reid: Commands) -> None:
    (tmp_path / "other.yml").write_text(content)
    done = reid("export", "--config_file", tmp_path / "other.yml", *GUIDE)
    assert done.code == 1
    assert str(tmp_path / "other.yml") in done.error
    assert word in done.error


@pytest.mark.parametrize("given", ["weights", "config", "weights in config"])
def test_a_missing_file_is_named_with_its_neighbour(
    given: str, weights: str, config: Path, tmp_path: Path, reid: Commands
) -> None:
    words = {
        "weights": ("--weights", tmp_path / "markt.pth"),
        "config": ("--config_file", config.with_name("softmax_triplet.yml"), *GUIDE),
        "weights in config": ("--config_file", config, "TEST.WEIGHT", f"('{tmp_path / 'markt.pth'}')"),
    }[given]
    done = reid("export", *words)
    assert done.code == 1
    if given == "config":
        assert done.error == f"no such configuration file: {config.with_name('softmax_triplet.yml')}"
        assert done.hint == f"did you mean {config}?"
    else:
        assert done.error == f"no such checkpoint file: {tmp_path / 'markt.pth'}"
        assert done.hint == f"did you mean {tmp_path / weights}?"


def test_an_older_file_stays_when_an_export_fails(tmp_path: Path, reid: Commands) -> None:
    (tmp_path / "ReID.onnx").write_text("old")
    torch.save({"state": torch.ones(1)}, tmp_path / "other.pth")
    assert reid("export", "--weights", tmp_path / "other.pth", "--output", tmp_path / "ReID.onnx").code == 1
    assert (tmp_path / "ReID.onnx").read_text() == "old"


def test_a_network_that_is_not_finite_is_not_exported(tmp_path: Path, reid: Commands) -> None:
    weights = StrongBaseline("resnet18").state_dict()
    weights["bottleneck.running_var"][3] = float("nan")
    torch.save(weights, tmp_path / "nan.pth")
    output = tmp_path / "x.onnx"
    done = reid("export", "--weights", tmp_path / "nan.pth", "--backbone", "resnet18", "--output", output)
    assert done.code == 1
    assert "differs from torch by nan" in done.error or "not finite" in done.error
    assert [path.name for path in tmp_path.iterdir()] == ["nan.pth"]


def test_a_configuration_is_never_run_as_a_program(tmp_path: Path, reid: Commands) -> None:
    program = tmp_path / "config.py"
    program.write_text(f"import pathlib\npathlib.Path({str(tmp_path / 'ran')!r}).touch()\ncfg = {{}}\n")
    done = reid("export", "--config_file", program, "TEST.WEIGHT", "('x.pth')")
    assert done.code == 1
    assert "config.py is not a configuration" in done.error
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("flag", [("--neck-feat", "before"), ("--backbone", "resnet18")], ids=lambda flag: flag[0])
def test_a_flag_beside_a_configuration_is_not_ignored(flag: tuple[str, str], config: Path, reid: Commands) -> None:
    done = reid("export", *flag, "--config_file", config, "TEST.WEIGHT", "('x.pth')")
    assert done.code == 2
    assert "TEST.NECK_FEAT" in done.error
