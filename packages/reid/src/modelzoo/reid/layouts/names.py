"""Person and camera in the names of images."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from modelzoo.common.errors import DataError, UsageError
from modelzoo.reid.dataset import LabelledImage

GROUPS = ("person", "camera")


@dataclass(frozen=True)
class NamePattern:
    """Where names hold person and camera.

    Args:
        regex: Is found in a name; its groups `person` and `camera` are the labels.
        hint: What such names look like.
    """

    regex: re.Pattern[str]
    hint: str

    def read(self, path: Path, split: str) -> LabelledImage:
        """Read the labels of an image; only its name counts, not the folders above it.

        >>> image = MARKET1501.read(Path("7_c1/0002_c3s1_000451_03.jpg"), "query")
        >>> image.person, image.camera
        ('0002', '3')

        Raises:
            DataError: The name holds none.
        """
        match = self.regex.search(path.name)
        if not match or not match["person"] or not match["camera"]:
            raise DataError(f"{path} has no person id and camera in its name", self.hint)
        return LabelledImage(path, path.name, match["person"], match["camera"], split)


MARKET1501 = NamePattern(
    re.compile(r"(?P<person>-?(?<![0-9])[0-9]{1,9})_c(?P<camera>[0-9]{1,9})(?![0-9])"),
    "Market-1501 names begin like 0002_c1s1_000451_03; --names reads others",
)
"""Also reads the names of DukeMTMC-reID, 0001_c2_f0046182.jpg."""

MSMT17 = NamePattern(
    re.compile(r"^(?P<person>[0-9]{1,9})_[0-9]+_(?P<camera>[0-9]{1,9})_"),
    "MSMT17 names begin like 0000_003_01_0303morning_0015",
)
"""Person, number of the image, camera."""

PATTERNS = {"market1501": MARKET1501, "dukemtmc": MARKET1501, "msmt17": MSMT17}
"""By the names of the data sets."""


def name_pattern(text: str) -> NamePattern:
    """The pattern of a data set, or of a regular expression.

    Args:
        text: A key of `PATTERNS`, or an expression with the groups `person` and `camera`.

    Raises:
        UsageError: It is neither.
    """
    if text in PATTERNS:
        return PATTERNS[text]
    forms = f"{', '.join(PATTERNS)}, or a regular expression with the groups (?P<person>...) and (?P<camera>...)"
    try:
        regex = re.compile(text)
    except re.error as error:
        raise UsageError(f"'{text}' is no regular expression: {error}", f"give {forms}") from error
    if not set(GROUPS) <= regex.groupindex.keys():
        raise UsageError(f"must be {forms}, got '{text}'")
    return NamePattern(regex, f"the names have to hold {text}")
