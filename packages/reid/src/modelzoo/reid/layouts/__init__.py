"""Labelled data in every layout in which it comes."""

from __future__ import annotations

from pathlib import Path

from modelzoo.common.errors import DataError, UsageError
from modelzoo.common.files import existing_file, existing_folder
from modelzoo.reid.dataset import Crop
from modelzoo.reid.layouts.labels_csv import read_labels_csv
from modelzoo.reid.layouts.market1501 import read_market1501
from modelzoo.reid.layouts.msmt17 import is_msmt17, read_msmt17
from modelzoo.reid.layouts.names import MARKET1501, MSMT17, NamePattern


def read_data_set(data: Path, names: NamePattern | None = None) -> list[Crop]:
    """The crops of a data set, queries before gallery, junk included.

    Args:
        data: A .csv file, an MSMT17 folder, or a folder in the layout of Market-1501.
        names: Where the names in a folder hold person and camera, if not where they usually do.

    Raises:
        DataError: It is none of these, or something in it is missing or wrong.
        UsageError: `names` is given for a .csv file.
    """
    if data.suffix.lower() == ".csv" and not data.is_dir():
        if names:
            raise UsageError(f"--names reads the names in folders; {data} has columns for person and camera")
        return read_labels_csv(existing_file(data, "data"))
    if data.is_file():
        raise DataError(f"{data} is neither a folder nor a .csv file")
    if is_msmt17(existing_folder(data, "data")):
        return read_msmt17(data, names or MSMT17)
    return read_market1501(data, names or MARKET1501)
