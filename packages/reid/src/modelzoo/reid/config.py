"""The upstream's configuration file and its KEY VALUE overrides, as the guide's export command takes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from modelzoo.common.errors import DataError, MissingDependencyError, UsageError
from modelzoo.common.files import existing_file, reason
from modelzoo.reid.spec import BACKBONES, HEIGHT, MEAN, NECK_FEATS, STD, WIDTH

DEFAULTS: dict[str, dict[str, Any]] = {
    "MODEL": {
        "DEVICE": "cuda",
        "DEVICE_ID": "0",
        "NAME": "resnet50",
        "LAST_STRIDE": 1,
        "PRETRAIN_PATH": "",
        "PRETRAIN_CHOICE": "imagenet",
        "NECK": "bnneck",
        "IF_WITH_CENTER": "no",
        "METRIC_LOSS_TYPE": "triplet",
        "IF_LABELSMOOTH": "on",
    },
    "INPUT": {
        "SIZE_TRAIN": [384, 128],
        "SIZE_TEST": [384, 128],
        "PROB": 0.5,
        "RE_PROB": 0.5,
        "PIXEL_MEAN": list(MEAN),
        "PIXEL_STD": list(STD),
        "PADDING": 10,
    },
    "TEST": {
        "IMS_PER_BATCH": 128,
        "RE_RANKING": "no",
        "WEIGHT": "",
        "NECK_FEAT": "after",
        "FEAT_NORM": "yes",
    },
}
"""The upstream's keys and defaults in the sections that an export can depend on."""

UNUSED = ("DATASETS", "DATALOADER", "SOLVER", "OUTPUT_DIR")
"""Sections about training, which may be set and are not read."""


@dataclass(frozen=True)
class ExportConfig:
    """What an export needs of the configuration.

    Args:
        weights: The checkpoint.
        backbone: MODEL.NAME.
        neck_feat: TEST.NECK_FEAT.
    """

    weights: Path
    backbone: str
    neck_feat: str


def read_config(path: Path, overrides: Sequence[str]) -> ExportConfig:
    """Read a configuration file and overrides.

    Args:
        path: The .yml file; read as data.
        overrides: KEY, VALUE, KEY, VALUE, ...; a value is a Python literal such as `('self')`.

    Raises:
        DataError: The file is not such a configuration.
        UsageError: A key is unknown, or a value asks for a network that is not supported.
        MissingDependencyError: yacs is not installed.
    """
    config = _merged(existing_file(path, "configuration"), overrides)
    for key, have, want in (
        ("INPUT.SIZE_TEST", list(config.INPUT.SIZE_TEST), [HEIGHT, WIDTH]),
        ("INPUT.PIXEL_MEAN", list(config.INPUT.PIXEL_MEAN), list(MEAN)),
        ("INPUT.PIXEL_STD", list(config.INPUT.PIXEL_STD), list(STD)),
        ("MODEL.LAST_STRIDE", config.MODEL.LAST_STRIDE, 1),
        ("MODEL.NECK", config.MODEL.NECK, "bnneck"),
    ):
        if have != want:
            raise UsageError(f"{key} is {have}; supported is {want}")
    if not config.TEST.WEIGHT:
        raise UsageError("no checkpoint is given", "add TEST.WEIGHT \"('FILE.pth')\"")
    backbone = _choice("MODEL.NAME", config.MODEL.NAME, BACKBONES)
    return ExportConfig(
        Path(config.TEST.WEIGHT), backbone, _choice("TEST.NECK_FEAT", config.TEST.NECK_FEAT, NECK_FEATS)
    )


def _merged(path: Path, overrides: Sequence[str]) -> Any:
    try:
        from yacs.config import CfgNode
    except ImportError as error:
        raise MissingDependencyError(
            "--config_file needs yacs, which is not installed", "pip install './packages/reid[export]'"
        ) from error
    config = CfgNode(DEFAULTS)
    for section in UNUSED:
        config[section] = CfgNode(new_allowed=True) if section != "OUTPUT_DIR" else ""
    failure = DataError(f"{path} is not a configuration of the strong baseline")
    _merge(lambda: config.merge_from_other_cfg(CfgNode(_read_yaml(path))), failure)
    if len(overrides) % 2:
        raise UsageError(f"overrides are pairs of KEY and VALUE, got {len(overrides)} words")
    for key, value in zip(overrides[::2], overrides[1::2], strict=True):
        if key.split(".")[0] not in UNUSED:
            pair = [key, value]
            _merge(partial(config.merge_from_list, pair), UsageError(f"{key} {value} is not an override"))
    return config


def _read_yaml(path: Path) -> Any:
    """Read the file as data; yacs itself would import it as a program if its name ended in .py."""
    import yaml

    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"cannot read {path}: {reason(error)}") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(f"it is not YAML ({error})") from error


def _merge(merge: Callable[[], None], failure: DataError | UsageError) -> None:
    """Merge; yacs raises a class of its own for every kind of mistake, and prints to its logger."""
    import logging

    logging.getLogger("yacs.config").disabled = True
    try:
        merge()
    except (AssertionError, KeyError, ValueError, TypeError, AttributeError, SyntaxError, RecursionError) as error:
        raise type(failure)(f"{failure}: {error}") from error


def _choice(key: str, value: str, known: Sequence[str]) -> str:
    if value not in known:
        raise UsageError(f"{key} is '{value}'; supported are {', '.join(known)}")
    return value
