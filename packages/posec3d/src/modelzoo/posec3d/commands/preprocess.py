"""`preprocess`: annotated recordings into .bin files, and their labels."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from modelzoo.common import cli
from modelzoo.posec3d import __version__
from modelzoo.posec3d.commands import recordings
from modelzoo.posec3d.spec import CLASSES, SPEC, spec_of

if TYPE_CHECKING:
    from modelzoo.common.preprocess import PreprocessJob
    from modelzoo.common.spec import TensorSpec
    from modelzoo.posec3d.annotations import Selection

SUMMARY = "skeletons into .bin files, and their labels"

FORMATS = ("volumes", "keypoints")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags; those with an underscore are the guide's."""
    add = parser.add_argument
    add("--ann_file", type=cli.path, required=True, metavar="PKL", help="the annotation file, such as hmdb51.pkl")
    add("--output_dir", type=cli.path, required=True, metavar="DIR", help="for bin/ and the file of labels")
    add("--frame_dir", metavar="DIR", help="not needed: the guide's folder of video frames, of which none is read")
    recordings.add_split_flag(parser)
    kinds = "heat maps, the guide's, or keypoints for a graph that draws them (default: %(default)s)"
    add("--format", choices=FORMATS, default=FORMATS[0], help=kinds)
    room = "with --format keypoints: room for that many people in every file (default: for as many as there are)"
    add("--persons", type=cli.positive, metavar="K", help=room)
    count = "actions that the network tells apart; a larger label is an error (default: %(default)s)"
    add("--classes", type=cli.positive, default=CLASSES, metavar="N", help=count)
    add("--dtype", choices=["float32"], default="float32", help="what the files hold; there is no other")
    cli.add_preprocess_flags(parser)
    cli.add_overwrite_flag(parser, "the .bin files that are in DIR/bin")


def handle(arguments: argparse.Namespace) -> int:
    """Preprocess the recordings of a split."""
    from modelzoo.common.commands.output import print_skipped
    from modelzoo.common.errors import UsageError
    from modelzoo.common.files import write_text
    from modelzoo.common.preprocess import write_folders
    from modelzoo.posec3d.preprocess import LABEL_FILE, label_lines

    if arguments.persons and arguments.format != "keypoints":
        raise UsageError("--persons belongs to --format keypoints: heat maps have no room for single people")
    if arguments.frame_dir:
        print("note: --frame_dir is not needed: keypoints are all that PoseC3D sees", file=sys.stderr)
    selection = recordings.select(arguments, arguments.ann_file, arguments.classes)
    (tensor,) = spec_of(arguments.format, arguments.classes, arguments.persons).inputs
    job = _job(arguments, selection, tensor)
    _check_size(job, tensor)
    index = write_folders(job)
    write_text(arguments.output_dir / LABEL_FILE, label_lines(index.samples))
    shape = ", ".join(map(str, tensor.sample_shape))
    print(f"{len(index.samples)} recordings to {job.folders[0]}, each {tensor.dtype} ({shape})")
    print(f"labels: {arguments.output_dir / LABEL_FILE}")
    return print_skipped(index.skipped)


def _job(arguments: argparse.Namespace, selection: Selection, tensor: TensorSpec) -> PreprocessJob:
    from modelzoo.common.preprocess import PreprocessJob
    from modelzoo.common.work import Threads
    from modelzoo.posec3d.class_count import CLASSES_KEY
    from modelzoo.posec3d.preprocess import clip_units, fingerprint

    return PreprocessJob(
        model=SPEC.name,
        version=__version__,
        folders=[arguments.output_dir / "bin"],
        tensors=[tensor],
        units=clip_units(selection.used, arguments.format, arguments.persons, arguments.ann_file),
        threads=Threads(arguments.workers),
        command={
            "source": str(arguments.ann_file.absolute()),
            "recordings": fingerprint(selection.used),
            "format": arguments.format,
            "persons": arguments.persons,
            CLASSES_KEY: arguments.classes,
        },
        on_error=arguments.on_error,
        overwrite=arguments.overwrite,
        left_out=selection.skipped,
    )


def _check_size(job: PreprocessJob, tensor: TensorSpec) -> None:
    """Warn before very much is written, and stop before what a disk has no room for."""
    from modelzoo.posec3d.preprocess import WARN_BYTES, check_room

    size = len(job.units) * tensor.sample_bytes()
    if size > WARN_BYTES:
        files = f"{len(job.units)} files of {tensor.sample_bytes():,} bytes in {job.folders[0]}"
        print(f"warning: {files} are {size:,} bytes ({size / 1e9:.1f} GB)", file=sys.stderr)
        print("hint: posec3d run needs no files", file=sys.stderr)
    check_room(job.folders[0], size)
