"""Flags that several commands share."""

from __future__ import annotations

import argparse

from modelzoo.common import cli
from modelzoo.common.errors import UsageError
from modelzoo.gaitset.spec import DATASETS, DYNAMIC, FRAME_COUNTS, FRAMES, PADDINGS, SEQUENCES

PADDING_MEANS = f"none uses all frames of a sequence; zeros its first {FRAMES}, with zero frames before a shorter one"
"""What `--padding` of a model says."""


def add_dataset_flag(parser: argparse.ArgumentParser) -> None:
    """Which of the published networks the checkpoint is; None where nothing is said."""
    networks = "the data set that the checkpoint was trained on"
    parser.add_argument("--dataset", choices=DATASETS, help=f"{networks} (default: {DATASETS[0]})")


def add_graph_flags(parser: argparse.ArgumentParser) -> None:
    """What the exported graph takes; None where nothing is said."""
    add = parser.add_argument
    counts = f"{DYNAMIC} leaves the frame axis free: only the frames of a sequence are computed"
    add("--frames", choices=list(map(str, FRAME_COUNTS)), help=f"{counts} (default: {FRAMES})")
    default = f"default: none where --frames is {DYNAMIC}, else zeros"
    add("--padding", choices=PADDINGS, help=f"{PADDING_MEANS} ({default})")
    kinds = "float32 takes silhouettes of 0..1, uint8 takes 0..255"
    add("--dtype", choices=list(SEQUENCES), help=f"{kinds} (default: float32)")


def frame_count(text: str) -> int | str:
    """A number of frames from 1, or `dynamic`, for `type=`."""
    if text == DYNAMIC:
        return DYNAMIC
    try:
        return cli.positive(text)
    except argparse.ArgumentTypeError as error:
        message = f"must be {DYNAMIC} or a whole number from 1, got '{text}'"
        raise argparse.ArgumentTypeError(message) from error


def dataset_of(arguments: argparse.Namespace) -> str:
    """The network that the flags name."""
    return arguments.dataset or DATASETS[0]


def graph_of(arguments: argparse.Namespace, frames: int | str = FRAMES) -> tuple[int | str, str, str]:
    """Frame count, padding and dtype that the flags ask for.

    Args:
        arguments: The flags of `add_graph_flags`.
        frames: The frame count where nothing is said of it.

    Raises:
        UsageError: A graph of 100 frames is to take shorter sequences as they are.
    """
    if arguments.frames:
        frames = DYNAMIC if arguments.frames == DYNAMIC else int(arguments.frames)
    padding = arguments.padding or ("none" if frames == DYNAMIC else "zeros")
    if frames != DYNAMIC and padding == "none":
        raise UsageError(
            f"a graph of {frames} frames takes no shorter sequences: --padding none needs --frames {DYNAMIC}"
        )
    return frames, padding, arguments.dtype or "float32"
