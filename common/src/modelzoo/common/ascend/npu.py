"""Which chip is in this machine: what `npu-smi info` prints, and the name that atc wants for it."""

from __future__ import annotations

import re
import subprocess

from modelzoo.common.errors import MissingDependencyError, UsageError

SAY_IT = "say which chip it is, for example --soc_version Ascend310P3"

DEVICE_ROW = re.compile(r"^\|\s*\d+\s+(\S+)\s*\|\s*(?:OK|Warning|Alarm|Critical|UNKNOWN)\s*\|", re.MULTILINE)
"""A device's row; the health cell tells it from the chip's row below it and from the table of processes."""

FAMILY = "Ascend910"
"""What npu-smi says of chips of several generations, which need different conversions."""


def normalise_soc(name: str) -> str:
    """The name that atc wants.

    Args:
        name: `310P3` or `Ascend310P3`; the guides' lines also make `AscendAscend310P3` of the second.

    Raises:
        UsageError: It is no chip's name, such as a `${chip_name}` that was not filled in.

    >>> normalise_soc("310P3"), normalise_soc("Ascend310P3")
    ('Ascend310P3', 'Ascend310P3')
    """
    chip = re.fullmatch(r"(?:Ascend)*(\d\w*)", name)
    if chip is None:
        raise UsageError(f"--soc_version takes auto or a chip's name, got '{name}'", SAY_IT)
    return f"Ascend{chip[1]}"


def detect_soc() -> str:
    """Ask `npu-smi info` for the chip of this machine.

    Raises:
        MissingDependencyError: npu-smi is not there, fails, or lists no chip.
        UsageError: It lists different chips, or one whose name is not enough.
    """
    try:
        done = subprocess.run(["npu-smi", "info"], capture_output=True, text=True, errors="replace", check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise MissingDependencyError(f"npu-smi does not say which chip is here: {error}", SAY_IT) from error
    return soc_of(done.stdout)


def soc_of(text: str) -> str:
    """The chip in the output of `npu-smi info`; several of the same are one.

    Raises:
        MissingDependencyError: It lists none.
        UsageError: It lists different ones, or one whose name is not enough.
    """
    names = sorted(set(DEVICE_ROW.findall(text)))
    if not names:
        raise MissingDependencyError("npu-smi does not say which chip is here: it lists none", SAY_IT)
    if len(names) > 1 or normalise_soc(names[0]) == FAMILY:
        raise UsageError(f"npu-smi lists {' and '.join(names)}, which does not settle the chip", SAY_IT)
    return normalise_soc(names[0])
