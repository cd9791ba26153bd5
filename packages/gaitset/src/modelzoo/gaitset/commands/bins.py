"""What `preprocess` and `preprocess-step2` share: walks into .bin files."""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from modelzoo.common import cli
from modelzoo.common.errors import UsageError
from modelzoo.common.spec import TensorSpec
from modelzoo.gaitset import __version__
from modelzoo.gaitset.commands import flags
from modelzoo.gaitset.spec import DYNAMIC, FRAMES, SEQUENCES, SPEC, spec_of
from modelzoo.gaitset.split import TRAINING_SUBJECTS

if TYPE_CHECKING:
    from modelzoo.common.work import Threads
    from modelzoo.gaitset.dataset import Walk
    from modelzoo.gaitset.split import Selection

PADDINGS = ("zeros", "repeat")


def add_bin_flags(parser: argparse.ArgumentParser) -> None:
    """Where the .bin files go, which walks they hold, and in which form."""
    add = parser.add_argument
    add("--bin_file_path", type=cli.path, required=True, metavar="BINS", help="folder for the .bin files")
    add_split_flags(parser)
    lengths = f"how many frames of a sequence, the first ones; {DYNAMIC} takes all of them (default: {FRAMES})"
    add("--frames", type=flags.frame_count, default=FRAMES, metavar="N", help=lengths)
    paddings = "what goes before the frames of a shorter sequence, or its frames repeated (default: zeros)"
    add("--padding", choices=PADDINGS, help=paddings)
    kinds = "float32 writes 0..1, uint8 writes 0..255 (default: float32)"
    add("--dtype", choices=list(SEQUENCES), default="float32", help=kinds)
    cli.add_preprocess_flags(parser)
    cli.add_overwrite_flag(parser, "the .bin files that are in BINS")


def add_split_flags(parser: argparse.ArgumentParser) -> None:
    """Which subjects are tested; None where nothing is said."""
    count = f"subjects that the network was trained on; the others are tested (default: {TRAINING_SUBJECTS})"
    parser.add_argument("--pid_num", type=cli.natural, metavar="N", help=count)
    file = "take the test subjects from an upstream partition .npy, or a text file of two lines, instead"
    parser.add_argument("--partition", type=cli.path, metavar="FILE", help=file)


def select(arguments: argparse.Namespace, root: Path, threads: Threads, aligned: bool) -> Selection:
    """The walks that the flags ask for; a note names those that are left out."""
    from modelzoo.gaitset.split import read_partition, select_walks

    subjects = read_partition(arguments.partition) if arguments.partition else ()
    pid_num = TRAINING_SUBJECTS if arguments.pid_num is None else arguments.pid_num
    selection = select_walks(root, threads, pid_num, subjects, aligned)
    for walk in selection.left_out:
        print(f"note: no number for {walk.reason}", file=sys.stderr)
    return selection


def write_walks(arguments: argparse.Namespace, root: Path, aligned: bool) -> int:
    """Write the .bin files and their index; print what was done."""
    from modelzoo.common.commands.output import print_skipped
    from modelzoo.common.preprocess import PreprocessJob, write_folders
    from modelzoo.common.work import Threads
    from modelzoo.gaitset.commands.output import print_passed_over
    from modelzoo.gaitset.preprocess import walk_units

    tensor, frames, padding = _form(arguments)
    threads = Threads(arguments.workers)
    selection = select(arguments, root, threads, aligned)
    job = PreprocessJob(
        model=SPEC.name,
        version=__version__,
        folders=[arguments.bin_file_path],
        tensors=[tensor],
        units=walk_units(selection.walks, frames, padding, arguments.dtype, aligned),
        threads=threads,
        command={
            "source": str(root.absolute()),
            "walks": _digest(selection.walks),
            "frames": arguments.frames,
            "padding": padding,
            "dtype": arguments.dtype,
        },
        on_error=arguments.on_error,
        overwrite=arguments.overwrite,
        left_out=selection.left_out,
    )
    index = write_folders(job)
    print(f"{len(index.samples)} sequences to {arguments.bin_file_path}, each {tensor.dtype} {_text(tensor)}")
    print_passed_over(selection.passed_over)
    return print_skipped([source for source in index.skipped if source not in selection.left_out])


def _form(arguments: argparse.Namespace) -> tuple[TensorSpec, int | None, str]:
    """What the files hold, how many frames are taken, and what goes before them."""
    (tensor,) = spec_of(arguments.frames, arguments.dtype).inputs
    if arguments.frames != DYNAMIC:
        return tensor, arguments.frames, arguments.padding or PADDINGS[0]
    if arguments.padding:
        raise UsageError(f"--padding {arguments.padding} is of no use with --frames {DYNAMIC}, which pads nothing")
    return tensor, None, "none"


def _digest(walks: Sequence[Walk]) -> str:
    """What tells one selection from another: a number means another walk where a walk was added or removed."""
    return hashlib.sha256("\n".join(walk.name for walk in walks).encode(errors="surrogateescape")).hexdigest()


def _text(tensor: TensorSpec) -> str:
    return f"({', '.join(map(str, tensor.sample_shape))})"
