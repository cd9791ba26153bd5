"""The upstream's configuration (`config.yaml`): is what it describes the network that is built here?"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modelzoo.common.errors import DataError, MissingDependencyError, UsageError
from modelzoo.common.files import existing_file, reason
from modelzoo.common.text import printable
from modelzoo.dgnet.spec import HEIGHT, WIDTH

GENERATOR: Mapping[str, Any] = {
    "dim": 16,
    "mlp_dim": 512,
    "mlp_norm": "none",
    "id_dim": 2048,
    "activ": "lrelu",
    "n_downsample": 2,
    "n_res": 4,
    "non_local": 0,
    "pad_type": "reflect",
    "tanh": False,
    "dec": "basic",
}
"""What the section `gen` says of the network; most of it cannot be seen from a checkpoint."""

NETWORK: Mapping[str, Any] = {
    "ID_style": "AB",
    "ID_stride": 1,
    "pool": "max",
    "single": "gray",
    "input_dim_a": 1,
    "crop_image_height": HEIGHT,
    "crop_image_width": WIDTH,
}
"""What the file says of it outside of sections."""

LARGEST = 64 * 1024
"""Bytes that are read of a configuration; the published one has 6 KiB."""

SHOWN = 200
"""Characters that a message shows of what a file holds."""

UNREADABLE = (ArithmeticError, AttributeError, LookupError, RecursionError, ValueError)
"""What PyYAML raises besides its own errors, where a value is not what its tag or its form says."""


def check_config(path: Path) -> None:
    """Check that a configuration is of this network; what it says of the training does not count.

    Args:
        path: The .yaml file, read as data.

    Raises:
        DataError: The file is not such a configuration.
        UsageError: It describes another network.
        MissingDependencyError: PyYAML is not installed.
    """
    config = _read_yaml(existing_file(path, "configuration"))
    generator = config.get("gen")
    if not isinstance(generator, dict):
        raise DataError(f"{path} is not a configuration of DG-Net: it has no section gen")
    _expect(path, config, NETWORK, "")
    _expect(path, generator, GENERATOR, "gen.")


def _read_yaml(path: Path) -> Mapping[str, Any]:
    try:
        import yaml
    except ImportError as error:
        raise MissingDependencyError(
            "a configuration needs PyYAML, which is not installed", "pip install './packages/dgnet[export]'"
        ) from error
    content = _read_start(path)
    if len(content) > LARGEST:
        raise DataError(f"{path} is not a configuration: it has more than {LARGEST} bytes")
    try:
        yaml.compose(content, Loader=yaml.SafeLoader)  # ends soon where the nesting is too deep, which parse does not
        events = yaml.parse(content, Loader=yaml.SafeLoader)
        aliases = any(isinstance(event, yaml.AliasEvent) for event in events)
        config = None if aliases else yaml.safe_load(content)  # merged aliases grow without limit
    except (yaml.YAMLError, *UNREADABLE) as error:
        raise DataError(f"{path} is not a configuration: {_one_line(str(error))}") from error
    if aliases:
        raise DataError(f"{path} holds aliases (*NAME)", "write the values in their places")
    if not isinstance(config, dict):
        raise DataError(f"{path} is not a configuration: it holds no sections")
    return config


def _read_start(path: Path) -> bytes:
    """A file, or as much of it as tells that it is too large."""
    try:
        with path.open("rb") as file:
            return file.read(LARGEST + 1)
    except OSError as error:
        raise DataError(f"cannot read {path}: {reason(error)}") from error


def _one_line(text: str) -> str:
    return printable(" ".join(text.split()), SHOWN)


def _told(value: object) -> str:
    """A value for a message: a text or a number as it is, and of anything else only what it is."""
    short = value.bit_length() <= 64 if isinstance(value, int) else isinstance(value, str | float | None)
    return _one_line(str(value)) if short else f"of type {type(value).__name__}"


def _expect(path: Path, values: Mapping[str, Any], supported: Mapping[str, Any], section: str) -> None:
    """Compare values and their types; `True` is no 1."""
    for key, want in supported.items():
        have = values.get(key, "missing")
        if have != want or type(have) is not type(want):
            raise UsageError(f"{path} is of another network: {section}{key} is {_told(have)}; supported: {want}")
