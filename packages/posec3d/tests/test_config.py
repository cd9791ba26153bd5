"""The upstream's configuration: what it says of the network, and that nothing of it is run."""

from collections.abc import Callable
from pathlib import Path

import pytest

from modelzoo.common.errors import DataError, UsageError
from modelzoo.posec3d.config import BUILT_IN, read_config, read_values
from modelzoo.posec3d.spec import Structure

GYM = """
'''A configuration as the upstream writes them.'''
depths = (4, 6, 3)
model = dict(
    type='Recognizer3D',
    backbone=dict(
        type='ResNet3dSlowOnly',
        depth=50,
        pretrained=None,
        in_channels=17,
        base_channels=32,
        num_stages=3,
        out_indices=(2, ),
        stage_blocks=depths,
        conv1_stride_s=1,
        pool1_stride_s=1,
        inflate=(0, 1, 1),
        spatial_strides=[2, 2, 2],
        temporal_strides=(1, 1, 2),
        dilations=(1, 1, 1)),
    cls_head=dict(type='I3DHead', in_channels=512, num_classes=99, spatial_type='avg', dropout_ratio=0.5),
    train_cfg=dict(),
    test_cfg=dict(average_clips='prob'))
test_pipeline = [
    dict(type='UniformSampleFrames', clip_len=48, num_clips=10, test_mode=True),
    dict(type='Resize', scale=(-1, 56)),
    dict(type='GeneratePoseTarget', sigma=0.6, with_kp=True, with_limb=False),
]
class_prob = {i: 1 + int(i >= 60) for i in range(120)}
optimizer = {'type': 'SGD', 'lr': 0.2}
"""


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write the configuration with some of its text replaced."""

    def change(old: str = "", new: str = "") -> Path:
        assert old in GYM
        path = tmp_path / "config.py"
        path.write_text(GYM.replace(old, new) if old else GYM)
        return path

    return change


def test_the_built_in_one() -> None:
    assert read_config(BUILT_IN) == Structure(17, 32, (3, 4, 6), 51)


def test_what_a_configuration_says(write: Callable[..., Path]) -> None:
    assert read_config(write()) == Structure(17, 32, (4, 6, 3), 99)
    assert read_config(write("stage_blocks=depths,", "")) == Structure(17, 32, (3, 4, 6), 99)
    assert read_config(write("num_classes=99", "num_classes=400")).classes == 400
    assert read_config(write("in_channels=17", "in_channels=25")).joints == 25


def test_values_are_read(write: Callable[..., Path]) -> None:
    values = read_values(write())
    assert values["depths"] == (4, 6, 3)
    assert values["test_pipeline"][1] == {"type": "Resize", "scale": (-1, 56)}
    assert values["optimizer"] == {"type": "SGD", "lr": 0.2}
    assert isinstance(values["class_prob"], DataError)
    named = read_values(write("depths = (4, 6, 3)", "depths = (4, 6, 3)\nstages = {'blocks': depths, 2: [depths]}"))
    assert named["stages"] == {"blocks": (4, 6, 3), 2: [(4, 6, 3)]}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("type='Recognizer3D'", "type='Recognizer2D'", "model.type is Recognizer2D; supported: Recognizer3D"),
        ("'ResNet3dSlowOnly'", "'C3D'", "model.backbone.type is C3D"),
        ("depth=50", "depth=101", "model.backbone.depth is 101; supported: 50"),
        ("depth=50", "depth=50.0", "model.backbone.depth is 50.0; supported: 50"),
        ("num_stages=3,", "", "model.backbone.num_stages is 4; supported: 3"),
        ("inflate=(0, 1, 1)", "inflate=(1, 1, 1)", "model.backbone.inflate is (1, 1, 1)"),
        ("conv1_stride_s=1", "conv1_stride_s=2", "model.backbone.conv1_stride_s is 2"),
        ("temporal_strides=(1, 1, 2)", "temporal_strides=(1, 2, 2)", "model.backbone.temporal_strides is (1, 2, 2)"),
        ("depth=50", "depth=50, style='caffe'", "model.backbone.style is caffe, which is not supported"),
        ("'I3DHead'", "'TSNHead'", "model.cls_head.type is TSNHead"),
        ("spatial_type='avg'", "spatial_type='max'", "model.cls_head.spatial_type is max"),
        ("num_classes=99", "num_classes=0", "model.cls_head.num_classes is 0; supported: whole numbers from 1"),
        ("num_classes=99, ", "", "model.cls_head.num_classes is None"),
        ("in_channels=17", "in_channels=True", "model.backbone.in_channels is True"),
        ("depths = (4, 6, 3)", "depths = (4, 6, 3, 1)", "stage_blocks is (4, 6, 3, 1); supported: three"),
        ("with_limb=False", "with_limb=True", "draws limbs, which are not supported"),
        ("with_kp=True", "with_kp=False", "draws limbs, which are not supported"),
        ("num_classes=99", f"num_classes=0x{'f' * 5000}", "num_classes is a number of very many digits"),
        ("clip_len=48", "clip_len=32", "clip_len of test_pipeline is 32; supported: 48"),
    ],
)
def test_another_network_is_named(old: str, new: str, told: str, write: Callable[..., Path]) -> None:
    with pytest.raises(UsageError) as caught:
        read_config(write(old, new))
    assert told in str(caught.value)


def test_names_that_refer_to_each_other_cost_nothing(write: Callable[..., Path]) -> None:
    """A hundred lines that double what stands before: 2 ** 100 values, if they were written or hashed."""
    doubled = "depths = ['x', 'x']\n" + "depths = [depths, depths]\n" * 100
    with pytest.raises(UsageError, match="stage_blocks is ") as caught:
        read_config(write("depths = (4, 6, 3)", doubled))
    assert len(str(caught.value)) < 200
    hashed = "depths = ('x', 'x')\n" + "depths = (depths, depths)\n" * 100 + "depths = {depths: 1}"
    with pytest.raises(DataError, match="no plain value"):
        read_config(write("depths = (4, 6, 3)", hashed))


@pytest.mark.parametrize(
    ("old", "new", "line", "kind"),
    [
        ("depths = (4, 6, 3)", "import os", 3, "Import"),
        ("depths = (4, 6, 3)", "depths += (4,)", 3, "AugAssign"),
        ("depths = (4, 6, 3)", "open('it_ran', 'w')", 3, "Expr"),
        ("depths = (4, 6, 3)", "depths = open('it_ran', 'w')", 3, "Call"),
        ("depths = (4, 6, 3)", "depths = __import__('os').mkdir('it_ran')", 3, "Call"),
        ("depths = (4, 6, 3)", "depths = [4 for _ in range(3)]", 3, "ListComp"),
        ("num_classes=99", "num_classes=f'{99}'", 21, "JoinedStr"),
        ("num_classes=99", "**depths", 21, "Call"),
        ("num_classes=99", "num_classes=unknown", 21, "Name"),
        ("train_cfg=dict()", "train_cfg=dict([])", 22, "Call"),
        ("class_prob = {i", "model['cls_head'] = 3\nclass_prob = {i", 29, "Assign"),
    ],
)
def test_what_is_no_plain_value_is_not_run(
    old: str,
    new: str,
    line: int,
    kind: str,
    write: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    path = write(old, new)
    with pytest.raises(DataError) as caught:
        read_config(path)
    told = f"{path}, line {line}: a configuration is read and not run, and this is no plain value ({kind})"
    assert str(caught.value) == told
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("text", "told", "hint"),
    [
        ("model = dict(", "is not a configuration: ", None),
        ("x = '\0'", "is not a configuration: ", None),
        ("x = 1", "is not a configuration of PoseC3D: it has no section model", None),
        ("model = dict(backbone=dict())", "has no section cls_head", None),
        ("_base_ = 'other.py'", "has no section model", "a file with _base_ holds a part only; give the whole one"),
        ("x = " + "(" * 300 + ")" * 300, "is not a configuration: ", None),
    ],
)
def test_files_that_are_no_configuration(text: str, told: str, hint: str | None, tmp_path: Path) -> None:
    path = tmp_path / "config.py"
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        read_config(path)
    assert str(path) in str(caught.value)
    assert told in str(caught.value)
    assert caught.value.hint == hint


def test_a_configuration_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such configuration file"):
        read_config(tmp_path / "none.py")
