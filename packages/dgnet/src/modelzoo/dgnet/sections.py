"""What the report of a run shows: FID, and pictures beside what they are made of."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from modelzoo.common.report.figures import Figure, Picture, Section, picture_rows
from modelzoo.dgnet.images import read_pixels
from modelzoo.dgnet.pairing import Pair
from modelzoo.dgnet.trees import PictureTrees

if TYPE_CHECKING:
    from modelzoo.dgnet.fid.measure import Fid

EXAMPLES, COLUMNS = 8, 2
"""How many pictures are shown, and side by side."""

PICTURE_SIZE = (64, 128)
PICTURE_QUALITY = 85

LABELS = {"pictures": ("Pictures", ","), "fid": ("FID", ".2f")}
"""Names and formats of the metrics."""

NOTE = "A structure lends pose and background, an appearance clothes and identity; the picture is generated of both."


def picture_section(pairs: Sequence[Pair], stems: Sequence[str], trees: PictureTrees) -> Section:
    """Some of the pictures, evenly spread; their photos are read again.

    Args:
        pairs: What they are made of.
        stems: The pairs whose pictures are written.
        trees: Where they are.

    Raises:
        DataError: A photo cannot be read any more.
    """
    by_stem = {pair.info.stem: pair for pair in pairs}
    count = min(EXAMPLES, len(stems))
    chosen = [by_stem[stems[i * len(stems) // count]] for i in range(count)]
    rows = [_row(pair, trees) for pair in chosen]
    return Section("Pictures", [picture_rows("", rows[i::COLUMNS]) for i in range(min(COLUMNS, count))], NOTE)


def fid_section(fid: Fid, trees: PictureTrees) -> Section:
    """The distance of both trees, which hold the same pictures, from the real ones.

    Args:
        fid: That of the tree by structure.
        trees: Both.
    """
    real, fake = fid.real.statistics.count, fid.fake.statistics.count
    rows = [
        (f"{trees.by_structure} (by structure)", f"{fid.value:.4f}", f"{fake:,}"),
        (f"{trees.by_appearance} (by appearance, the same pictures)", f"{fid.value:.4f}", f"{fake:,}"),
    ]
    figure = Figure(f"Distance from {real:,} pictures of {fid.real.place}", ("pictures of", "FID", "pictures"), rows)
    return Section("Frechet inception distance", [figure], " ".join(f"{text}." for text in fid.warnings()))


def _row(pair: Pair, trees: PictureTrees) -> tuple[str, list[Picture]]:
    place, _ = trees.places(pair.info.stem)
    structure, appearance = pair.structure, pair.appearance
    return f"{structure.source} with the clothes of {appearance.source}", [
        _picture(structure.path, f"structure: {structure.source}", "structure"),
        _picture(appearance.path, f"appearance: {appearance.source}", "clothes"),
        _picture(place, f"generated: {place.name}", "generated"),
    ]


def _picture(path: Path, alt: str, caption: str) -> Picture:
    """A picture as a small JPEG."""
    from PIL import Image

    file = io.BytesIO()
    image = Image.fromarray(read_pixels(path)).resize(PICTURE_SIZE, Image.Resampling.LANCZOS)
    image.save(file, format="JPEG", quality=PICTURE_QUALITY)
    return Picture(file.getvalue(), alt, caption)
