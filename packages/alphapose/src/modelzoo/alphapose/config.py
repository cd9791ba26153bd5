"""The upstream's configuration of a network (`configs/**/*.yaml`), as the guide's export command takes it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modelzoo.alphapose.spec import HEIGHT, JOINTS, LAYERS, MAP_HEIGHT, MAP_WIDTH, WIDTH, Form, Structure
from modelzoo.common.errors import DataError, MissingDependencyError, UsageError
from modelzoo.common.files import existing_file, reason

BUILT_IN = Path("-")
"""In the place of a file: 256x192_res50_lr1e-3_1x.yaml."""

CONV_DIMS = (128, 256)

REGRESSION = "L1JointRegression"
"""The loss of networks whose joints are the mean place of a heat map, not its highest pixel."""

PLAIN = Form()


def read_config(path: Path, form: Form = PLAIN) -> Structure:
    """Read what network a configuration describes.

    Args:
        path: The .yaml file, read as data; `-` for the built-in one.
        form: What the graph is to do.

    Raises:
        DataError: The file is not such a configuration.
        UsageError: It describes another network than is supported, or one that the form is not made for.
        MissingDependencyError: PyYAML is not installed.
    """
    if path == BUILT_IN:
        return Structure()
    config = _read_yaml(existing_file(path, "configuration"))
    model, preset = _section(config, "MODEL", path), _section(config, "DATA_PRESET", path)
    _expect("MODEL.TYPE", model.get("TYPE"), ("FastPose",))
    if "DCN" in model:
        raise UsageError("MODEL.DCN asks for deformable convolutions (DCN), which are not supported")
    _expect("DATA_PRESET.IMAGE_SIZE", preset.get("IMAGE_SIZE"), ([HEIGHT, WIDTH],))
    _expect("DATA_PRESET.HEATMAP_SIZE", preset.get("HEATMAP_SIZE"), ([MAP_HEIGHT, MAP_WIDTH],))
    if preset.get("LOSS_TYPE") == REGRESSION and (form.flip_test or form.decode):
        text = f"DATA_PRESET.LOSS_TYPE is {REGRESSION}: only heat maps are supported of it"
        raise UsageError(text, "leave out --flip-test and --decode")
    return Structure(
        _expect("MODEL.NUM_LAYERS", model.get("NUM_LAYERS"), LAYERS),
        _joints(preset.get("NUM_JOINTS", JOINTS)),
        _expect("MODEL.CONV_DIM", model.get("CONV_DIM", CONV_DIMS[0]), CONV_DIMS),
    )


def _read_yaml(path: Path) -> Mapping[str, Any]:
    try:
        import yaml
    except ImportError as error:
        raise MissingDependencyError(
            "a configuration needs PyYAML, which is not installed", "pip install './packages/alphapose[export]'"
        ) from error
    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"cannot read {path}: {reason(error)}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise DataError(f"{path} is not a configuration: {error}") from error
    if not isinstance(config, dict):
        raise DataError(f"{path} is not a configuration: it holds no sections")
    return config


def _section(config: Mapping[str, Any], name: str, path: Path) -> Mapping[str, Any]:
    section = config.get(name)
    if not isinstance(section, dict):
        raise DataError(f"{path} is not a configuration: it has no section {name}")
    return section


def _expect(key: str, value: Any, supported: tuple[Any, ...]) -> Any:
    """The value, if it is of those and of their type; `True` is no 1."""
    if not any(value == one and type(value) is type(one) for one in supported):
        raise UsageError(f"{key} is {value}; supported: {', '.join(map(str, supported))}")
    return value


def _joints(value: Any) -> int:
    if type(value) is not int or value < 1:
        raise UsageError(f"DATA_PRESET.NUM_JOINTS is {value}; supported: whole numbers from 1")
    return value
