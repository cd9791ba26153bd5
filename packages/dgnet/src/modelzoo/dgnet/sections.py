"""What the report of a run shows: FID, and pictures beside what they are made of."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from modelzoo.common.report.figures import Figure, Picture, Section, picture_rows
from modelzoo.dgnet.images import read_pixels
from modelzoo.dgnet.pairing import Pair
from modelzoo.dgnet.trees import PictureTrees

if TYPE_CHECKING:
    from PIL import Image

    from modelzoo.dgnet.fid.measure import Fid

EXAMPLES, COLUMNS = 8, 2
"""How many pictures are shown by name, and side by side."""

LEAST, MOST, GAP = 4, 10, 4
"""How many are on a sheet, and the pixels between them."""

PICTURE_SIZE = (80, 160)
PICTURE_QUALITY = 85

CAPTIONS = ("structure", "clothes", "generated")

SHEET = "From top to bottom: structure, clothes, generated"

LABELS = {"pictures": ("Pictures", ","), "fid": ("FID", ".2f")}
"""Names and formats of the metrics."""

HEADER = ("FID", "pictures")

NOTE = "A structure lends pose and background, an appearance clothes and identity; the picture is generated of both."


def picture_sections(pairs: Sequence[Pair], stems: Sequence[str], trees: PictureTrees) -> list[Section]:
    """Some of the pictures, evenly spread, on a sheet and by name; their photos are read again.

    Args:
        pairs: What they are made of.
        stems: The pairs whose pictures are written.
        trees: Where they are.

    Raises:
        DataError: A photo cannot be read any more.
    """
    by_stem = {pair.info.stem: pair for pair in pairs}
    rows = [_row(by_stem[stem], trees) for stem in _spread(stems, EXAMPLES)]
    named = Section("By name", [picture_rows("", rows[i::COLUMNS]) for i in range(min(COLUMNS, len(rows)))])
    shown = [by_stem[stem] for stem in _spread(stems, MOST)]
    sheet = [picture_rows("", [(SHEET, [_sheet(shown, trees)])])] if len(shown) >= LEAST else []
    return [Section("Pictures", sheet, NOTE), named]


def fid_section(fid: Fid, trees: PictureTrees, others: Sequence[str], published: bool) -> Section:
    """The distance of the pictures, which lie in both trees, from the real ones.

    Args:
        fid: That of the pictures that were written, and of no other files.
        trees: Where they are.
        others: The other files that are there.
        published: Whether the features are those of published distances.
    """
    real, fake = fid.real.statistics.count, fid.fake.statistics.count
    rows = [
        (f"{trees.by_structure} (by structure)", f"{fid.value:.4f}", f"{fake:,}"),
        (f"{trees.by_appearance} (by appearance, the same pictures)", f"{fid.value:.4f}", f"{fake:,}"),
    ]
    figure = Figure(f"Distance from {real:,} pictures of {fid.real.place}", ("pictures of this run in", *HEADER), rows)
    skipped = len(fid.real.skipped) + len(fid.fake.skipped)
    texts = {
        "The features are not those of the published weights, so that no published distance compares": not published,
        f"Other files in these folders, which do not count: {len(others):,}": others,
        f"Pictures that could not be read, which do not count: {skipped:,}": skipped,
    }
    notes = [*(text for text, holds in texts.items() if holds), *fid.warnings()]
    return Section("Frechet inception distance", [figure], " ".join(f"{text}." for text in notes))


def _spread(stems: Sequence[str], count: int) -> list[str]:
    """Some of them, evenly spread."""
    count = min(count, len(stems))
    return [stems[i * len(stems) // count] for i in range(count)]


def _row(pair: Pair, trees: PictureTrees) -> tuple[str, list[Picture]]:
    structure, appearance = pair.structure.source, pair.appearance.source
    alts = structure, appearance, trees.places(pair.info.stem)[0].name
    shown = zip(_images(pair, trees), alts, CAPTIONS, strict=True)
    pictures = [Picture(_jpeg(image), f"{caption}: {alt}", caption) for image, alt, caption in shown]
    return f"{structure} with the clothes of {appearance}", pictures


def _sheet(pairs: Sequence[Pair], trees: PictureTrees) -> Picture:
    """Pairs beside one another, in one picture."""
    from PIL import Image

    width, height = PICTURE_SIZE
    sheet = Image.new("RGB", (len(pairs) * (width + GAP) - GAP, len(CAPTIONS) * (height + GAP) - GAP), "white")
    for column, pair in enumerate(pairs):
        for row, image in enumerate(_images(pair, trees)):
            sheet.paste(image, (column * (width + GAP), row * (height + GAP)))
    return Picture(_jpeg(sheet), f"a sheet of {len(pairs)} structures, appearances and generated pictures", "")


def _images(pair: Pair, trees: PictureTrees) -> list[Image.Image]:
    """Structure, appearance and generated picture, small."""
    from PIL import Image

    paths = pair.structure.path, pair.appearance.path, trees.places(pair.info.stem)[0]
    return [Image.fromarray(read_pixels(path)).resize(PICTURE_SIZE, Image.Resampling.LANCZOS) for path in paths]


def _jpeg(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, format="JPEG", quality=PICTURE_QUALITY)
    return file.getvalue()
