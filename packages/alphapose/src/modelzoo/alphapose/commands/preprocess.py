"""`preprocess`: crops of people into .bin files."""

from __future__ import annotations

import argparse

from modelzoo.alphapose import __version__
from modelzoo.alphapose.commands import boxes
from modelzoo.alphapose.spec import IMAGES, SPEC
from modelzoo.common import cli
from modelzoo.common.errors import UsageError

SUMMARY = "crops of people into .bin files"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags; those with an underscore are the guide's."""
    add = parser.add_argument
    add("--dataroot", type=cli.path, required=True, metavar="COCO", help="folder with annotations and val2017")
    add("--output", type=cli.path, required=True, metavar="OUT", help="folder for the .bin files")
    mirrored = "folder for those of the mirrored crops, which the flip test needs"
    add("--output_flip", type=cli.path, metavar="FLIP", help=mirrored)
    boxes.add_box_flags(parser)
    kinds = "float32 writes normalised crops, uint8 writes pixels (default: float32)"
    add("--dtype", choices=list(IMAGES), default="float32", help=kinds)
    cli.add_preprocess_flags(parser)
    replaced = "the .bin files in OUT and FLIP, and ./exp/json/test_det_yolo.json, which is else set aside"
    cli.add_overwrite_flag(parser, replaced)


def handle(arguments: argparse.Namespace) -> int:
    """Preprocess a data set."""
    from modelzoo.alphapose.coco import PHOTOS, read_coco
    from modelzoo.alphapose.detections import GUIDE_DETECTIONS, fingerprint
    from modelzoo.alphapose.folders import check_folders, mark_mirrored
    from modelzoo.alphapose.preprocess import crop_units
    from modelzoo.common.commands.output import print_skipped
    from modelzoo.common.files import existing_folder
    from modelzoo.common.preprocess import PreprocessJob, write_folders
    from modelzoo.common.work import Threads

    folders = [folder for folder in (arguments.output, arguments.output_flip) if folder]
    if len({folder.resolve() for folder in folders}) < len(folders):
        raise UsageError(f"--output and --output_flip are one folder, {arguments.output}")
    command = {"source": str(arguments.dataroot.absolute()), "dtype": arguments.dtype}
    check_folders(folders, command, arguments.overwrite)
    data = read_coco(arguments.dataroot)
    existing_folder(arguments.dataroot / PHOTOS, "photo")
    found = boxes.plan_boxes(arguments, data, GUIDE_DETECTIONS)()
    tensor = IMAGES[arguments.dtype]
    job = PreprocessJob(
        model=SPEC.name,
        version=__version__,
        folders=folders,
        tensors=[tensor] * len(folders),
        units=crop_units(found.detections, arguments.dtype, mirrored=len(folders) == 2),
        threads=Threads(arguments.workers),
        command={**command, "detections": fingerprint(found.detections)},
        on_error=arguments.on_error,
        overwrite=arguments.overwrite,
        left_out=found.skipped,
    )
    index = write_folders(job)
    if arguments.output_flip:
        mark_mirrored(arguments.output_flip)
    places = " and ".join(map(str, folders))
    print(
        f"{len(index.samples)} crops of {len(job.units)} photos to {places}, each {tensor.dtype} {tensor.sample_shape}"
    )
    return print_skipped(index.skipped)
