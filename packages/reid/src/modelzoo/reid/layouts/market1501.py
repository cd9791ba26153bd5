"""The layout of Market-1501, which DukeMTMC-reID shares: a folder of queries and a folder of gallery crops."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from modelzoo.common.errors import DataError
from modelzoo.common.files import existing_folder
from modelzoo.reid.dataset import Crop, list_images, to_crops
from modelzoo.reid.layouts.names import MARKET1501, NamePattern

QUERY, GALLERY = "query", "bounding_box_test"

OWN_NAME = re.compile(r"(-?[0-9]+)_c([0-9])s[0-9]_[0-9]+_[0-9]+\.")
"""What names of Market-1501 begin with, but not those of DukeMTMC-reID: person, camera, sequence, frame, box."""


def read_market1501(root: Path, names: NamePattern = MARKET1501) -> list[Crop]:
    """The crops of the folders `query` and `bounding_box_test` in a folder; see `list_crops`."""
    if not (root / QUERY).is_dir():
        inner = [child for child in sorted(root.iterdir()) if (child / QUERY).is_dir()]
        raise DataError(
            f"{root} is not a Market-1501 folder: it has no folder '{QUERY}'",
            f"did you mean {inner[0]}?" if inner else None,
        )
    return list_crops(root / QUERY, existing_folder(root / GALLERY, "gallery"), names)


def list_crops(query: Path, gallery: Path, names: NamePattern = MARKET1501) -> list[Crop]:
    """The crops of a query and a gallery folder, in this order, each sorted by name, junk included.

    Args:
        query: The folder of the queries.
        gallery: The folder of the gallery.
        names: Where the names hold person and camera.

    Raises:
        DataError: A folder is missing or empty, or a name holds no person and camera.
    """
    folders = (("query", query), ("gallery", gallery))
    return to_crops(
        [names.read(path, split) for split, folder in folders for path in list_images(folder, split).images]
    )


def is_market1501(crops: Sequence[Crop]) -> bool:
    """Whether crops are those of the folders of Market-1501, by their names and labels, be it all of them or a part.

    >>> crops = lambda name: to_crops([MARKET1501.read(Path("query", name), "query")])
    >>> is_market1501(crops("0002_c1s1_000451_03.jpg")), is_market1501(crops("0005_c2_f0046985.jpg"))
    (True, False)
    """
    return all(map(_is_own, crops))


def _is_own(crop: Crop) -> bool:
    name, folder = crop.path.name, crop.path.parent.name
    labels = OWN_NAME.match(name)
    return (
        labels is not None
        and (crop.source, folder) == (name, {"query": QUERY, "gallery": GALLERY}[crop.split])
        and (crop.person, crop.camera) == (int(labels[1]), int(labels[2]))
    )
