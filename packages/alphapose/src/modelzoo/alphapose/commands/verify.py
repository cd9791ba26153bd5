"""`verify`: checkpoint, graphs and .om of the pose network side by side."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from modelzoo.alphapose.commands import boxes, flags
from modelzoo.alphapose.spec import SPEC
from modelzoo.common.commands import verify
from modelzoo.common.errors import UsageError
from modelzoo.common.work import available_cores

if TYPE_CHECKING:
    from modelzoo.alphapose.verify import People

SUMMARY = "checkpoint, graphs and .om of the pose network side by side"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    verify.add_arguments(parser)
    boxes.add_box_flags(parser)
    flags.add_flip_test_flag(parser)
    parser.set_defaults(workers=available_cores(), on_error="fail")


def handle(arguments: argparse.Namespace) -> int:
    """Compare every form of the model with the checkpoint."""
    from modelzoo.alphapose.verify import verify_job
    from modelzoo.common.files import existing_file, existing_folder

    given = [existing_file(path, "model") for path in (arguments.model, arguments.om) if path]
    if arguments.upstream:
        existing_folder(arguments.upstream, "upstream")
    tested = [_has_flip_test(path) for path in given]
    flip_test = arguments.flip_test or any(tested)
    if flip_test and arguments.upstream:
        raise UsageError("the upstream's network has no flip test in it", "compare heat maps without the flip test")
    job = verify_job(arguments.weights, flip_test, _people(arguments), arguments.upstream)
    return verify.handle(arguments, job)


def _has_flip_test(path: Path) -> bool:
    """Whether a model says that it has the flip test in it.

    Raises:
        ModelError: It is the detector.
        UsageError: It gives keypoints.
    """
    from modelzoo.alphapose.run import refuse_detector
    from modelzoo.common.session import open_session

    session = open_session(path, SPEC)
    refuse_detector(session)
    identity = session.identity
    if identity and identity.form.get("decode"):
        raise UsageError(f"{path} gives keypoints, and heat maps are compared", "export it without --decode")
    return identity is not None and bool(identity.form.get("flip_test"))


def _people(arguments: argparse.Namespace) -> People | None:
    """The data set, with boxes."""
    if not arguments.data:
        return None
    from modelzoo.alphapose.coco import read_coco
    from modelzoo.alphapose.verify import People

    data = read_coco(arguments.data)
    with tempfile.TemporaryDirectory(prefix="modelzoo-verify-") as folder:
        return People(data, boxes.plan_boxes(arguments, data, Path(folder, "detections.json"))().detections)
