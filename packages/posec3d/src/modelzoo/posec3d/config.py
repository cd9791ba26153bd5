"""The upstream's configuration of a network (`configs/skeleton/posec3d/*.py`), as the guide's export command takes it.

It is Python, and is read, never run: assignments of plain values and of `dict()` calls. A value of another kind is an
error where the network depends on it.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modelzoo.common.errors import DataError, UsageError
from modelzoo.common.files import existing_file, reason
from modelzoo.posec3d.spec import FRAMES, JOINTS, Structure
from modelzoo.posec3d.values import shown

BUILT_IN = Path("-")
"""In the place of a file: slowonly_kinetics400_pretrained_r50_u48_120e_hmdb51_split1_keypoint.py."""

FIXED: Mapping[str, tuple[Any, Any]] = {
    "depth": (50, None),
    "num_stages": (3, 4),
    "out_indices": ((2,), (3,)),
    "conv1_stride_s": (1, 2),
    "pool1_stride_s": (1, 2),
    "inflate": ((0, 1, 1), (0, 0, 1, 1)),
    "spatial_strides": ((2, 2, 2), (1, 2, 2, 2)),
    "temporal_strides": ((1, 1, 2), (1, 1, 1, 1)),
    "dilations": ((1, 1, 1), (1, 1, 1, 1)),
}
"""What this network has of the backbone's options, and what the upstream has where nothing is said."""

LARGEST = 100_000
"""Of the sizes that may differ; larger ones are no network's."""

FREE = ("type", "in_channels", "base_channels", "stage_blocks")
"""Options of the backbone that may differ."""

TRAINING = ("pretrained", "frozen_stages", "norm_eval", "with_cp", "zero_init_residual")
"""Options of the backbone that say how it is trained, and nothing about its answer."""


def read_config(path: Path) -> Structure:
    """Read what network a configuration describes.

    Args:
        path: The .py file, read as data; `-` for the built-in one.

    Raises:
        DataError: The file is not such a configuration.
        UsageError: It describes another network than is supported.
    """
    if path == BUILT_IN:
        return Structure()
    config = read_values(path)
    model = _section(config, "model", path)
    backbone, head = _section(model, "backbone", path), _section(model, "cls_head", path)
    _expect("model.type", model.get("type"), "Recognizer3D")
    _expect("model.backbone.type", backbone.get("type"), "ResNet3dSlowOnly")
    for key, (ours, default) in FIXED.items():
        _expect(f"model.backbone.{key}", _tuple(backbone.get(key, default)), ours)
    if unknown := sorted(set(backbone) - {*FIXED, *FREE, *TRAINING}, key=str):
        raise UsageError(f"model.backbone.{shown(unknown[0])} is {shown(backbone[unknown[0]])}, which is not supported")
    _expect("model.cls_head.type", head.get("type"), "I3DHead")
    _expect("model.cls_head.spatial_type", head.get("spatial_type", "avg"), "avg")
    _check_pipeline(_known(config.get("test_pipeline", [])))
    return Structure(
        _count("model.backbone.in_channels", backbone.get("in_channels", 3)),
        _count("model.backbone.base_channels", backbone.get("base_channels", 64)),
        _blocks(backbone.get("stage_blocks", (3, 4, 6))),
        _count("model.cls_head.num_classes", head.get("num_classes")),
    )


def read_values(path: Path) -> dict[str, Any]:
    """Read the values that a Python file assigns, without running it.

    Args:
        path: The file.

    Returns:
        The values by name: numbers, texts, lists, tuples, dictionaries, `dict()` calls and names assigned before. Of
        any other value there is the error that says so.

    Raises:
        DataError: It cannot be read, or holds anything but assignments.
    """
    try:
        tree = ast.parse(existing_file(path, "configuration").read_bytes())
    except OSError as error:
        raise DataError(f"cannot read {path}: {reason(error)}") from error
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise DataError(f"{path} is not a configuration: {error}") from error
    values: dict[str, Any] = {}
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=node):
                values[name] = _read(node, values, path)
            case ast.Expr(value=ast.Constant()):  # a text that describes the file
                pass
            case _:
                raise _not_read(statement, path)
    return values


def _read(node: ast.expr, names: Mapping[str, Any], path: Path) -> Any:
    """The value of an expression, or why there is none."""
    try:
        return _value(node, names, path)
    except DataError as error:
        return error


def _value(node: ast.expr, names: Mapping[str, Any], path: Path) -> Any:
    """The value of an expression."""
    try:
        match node:
            case ast.Name(id=name) if name in names:
                return _known(names[name])
            case ast.List(elts=items):
                return [_value(item, names, path) for item in items]
            case ast.Tuple(elts=items):
                return tuple(_value(item, names, path) for item in items)
            case ast.Dict(keys=keys, values=items) if all(isinstance(key, ast.Constant) for key in keys):
                pairs = zip(keys, items, strict=True)
                return {ast.literal_eval(key): _value(item, names, path) for key, item in pairs if key}
            case ast.Call(func=ast.Name(id="dict"), args=[], keywords=items) if all(item.arg for item in items):
                return {str(item.arg): _value(item.value, names, path) for item in items}
            case _:
                return ast.literal_eval(node)
    except (ValueError, TypeError, RecursionError) as error:
        raise _not_read(node, path) from error


def _known(value: Any) -> Any:
    """The value of a name, where it has one."""
    if isinstance(value, DataError):
        raise value
    return value


def _not_read(node: ast.AST, path: Path) -> DataError:
    line, kind = getattr(node, "lineno", 0), type(node).__name__
    return DataError(
        f"{path}, line {line}: a configuration is read and not run, and this is no plain value ({kind})",
        "what is read: name = number, text, list, tuple, dict, dict() or a name that stands above",
    )


def _section(values: Mapping[str, Any], name: str, path: Path) -> Mapping[str, Any]:
    section = _known(values.get(name))
    if not isinstance(section, dict):
        hint = "a file with _base_ holds a part only; give the whole one" if "_base_" in values else None
        raise DataError(f"{path} is not a configuration of PoseC3D: it has no section {name}", hint)
    return section


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _expect(key: str, value: Any, supported: Any) -> None:
    if value != supported or type(value) is not type(supported):
        raise UsageError(f"{key} is {shown(value)}; supported: {supported}")


def _count(key: str, value: Any) -> int:
    if type(value) is not int or not 1 <= value <= LARGEST:
        raise UsageError(f"{key} is {shown(value)}; supported: whole numbers from 1 to {LARGEST}")
    return value


def _blocks(value: Any) -> tuple[int, ...]:
    if not isinstance(value, (list, tuple)) or len(value) != 3:
        raise UsageError(f"model.backbone.stage_blocks is {shown(value)}; supported: three whole numbers from 1")
    return tuple(_count("model.backbone.stage_blocks", count) for count in value)


def _check_pipeline(steps: Any) -> None:
    """Refuse clips that are made of something else than heat maps of joints."""
    for step in steps if isinstance(steps, list) else []:
        kind = step.get("type") if isinstance(step, dict) else None
        if kind == "GeneratePoseTarget" and (step.get("with_limb", False) or not step.get("with_kp", True)):
            hint = f"supported are heat maps of the {JOINTS} joints: a configuration whose name ends in _keypoint"
            raise UsageError("GeneratePoseTarget of test_pipeline draws limbs, which are not supported", hint)
        if kind == "UniformSampleFrames" and step.get("clip_len") != FRAMES:
            raise UsageError(f"clip_len of test_pipeline is {shown(step.get('clip_len'))}; supported: {FRAMES}")
