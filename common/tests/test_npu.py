"""The chip in the outputs of npu-smi, as the guides and public logs show them."""

import pytest

from modelzoo.common.ascend.npu import detect_soc, normalise_soc, soc_of
from modelzoo.common.errors import MissingDependencyError, UsageError
from modelzoo.common.testing.cann import FakeCann, npu_smi_table

GUIDE = """\
+-------------------+-----------------+------------------------------------------------------+
| NPU     Name      | Health          | Power(W)     Temp(C)           Hugepages-Usage(page) |
| Chip    Device    | Bus-Id          | AICore(%)    Memory-Usage(MB)                        |
+===================+=================+======================================================+
| 0       310P3     | OK              | 15.8         42                0    / 0              |
| 0       0         | 0000:82:00.0    | 0            1074 / 21534                            |
+===================+=================+======================================================+
| 1       310P3     | OK              | 15.4         43                0    / 0              |
| 0       1         | 0000:89:00.0    | 0            1070 / 21534                            |
+===================+=================+======================================================+
"""
ALPHAPOSE = GUIDE.replace("+-------------------+-----------------+", "+-------------------|-----------------|")
NEWER = """\
+------------------------------------------------------------------------------------------------+
| npu-smi 23.0.0                   Version: 23.0.0                                               |
+---------------------------+---------------+----------------------------------------------------+
| NPU   Name                | Health        | Power(W)    Temp(C)           Hugepages-Usage(page)|
| Chip                      | Bus-Id        | AICore(%)   Memory-Usage(MB)  HBM-Usage(MB)        |
+===========================+===============+====================================================+
| 0     {name:<20}| {health:<14}| 89.9        39                0    / 0             |
| 0                         | {bus:<14}| 0           0    / 0          2922 / 32768         |
+===========================+===============+====================================================+
+---------------------------+---------------+----------------------------------------------------+
| NPU     Chip              | Process id    | Process name             | Process memory(MB)      |
+===========================+===============+====================================================+
| 0       0                 | 1234567       | OK                       | 310                     |
+===========================+===============+====================================================+
| No running processes found in NPU 1                                                            |
+===========================+===============+====================================================+
"""
A3 = """\
| 0     Ascend910           | OK            | 171.3       36                0    / 0             |
| 0     0                   | 0000:9D:00.0  | 0           0    / 0          3119 / 65536         |
+------------------------------------------------------------------------------------------------+
| 0     Ascend910           | OK            | -           36                0    / 0             |
| 1     1                   | 0000:9F:00.0  | 0           0    / 0          2909 / 65536         |
"""


def newer(name: str, health: str = "OK", bus: str = "0000:41:00.0") -> str:
    return NEWER.format(name=name, health=health, bus=bus)


@pytest.mark.parametrize(
    ("text", "soc"),
    [
        (GUIDE, "Ascend310P3"),
        (ALPHAPOSE, "Ascend310P3"),
        (newer("910B4"), "Ascend910B4"),
        (newer("910B3"), "Ascend910B3"),
        (newer("310"), "Ascend310"),
        (newer("310P1"), "Ascend310P1"),
        (newer("310B1", bus="NA"), "Ascend310B1"),
        (newer("310B4", health="Alarm", bus="NA"), "Ascend310B4"),
        (newer("310P3", health="Warning"), "Ascend310P3"),
        (newer("310P3", health="Critical"), "Ascend310P3"),
        (newer("310P3", health="UNKNOWN"), "Ascend310P3"),
        (newer("Ascend910B2"), "Ascend910B2"),
    ],
)
def test_the_name_is_found(text: str, soc: str) -> None:
    assert soc_of(text) == soc


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (newer("910"), "910"),
        (A3, "Ascend910"),
        (npu_smi_table("310P3", "310"), "310 and 310P3"),
    ],
)
def test_a_name_that_settles_nothing_is_asked_for(text: str, named: str) -> None:
    with pytest.raises(UsageError, match=f"lists {named}, ") as caught:
        soc_of(text)
    assert "--soc_version Ascend310P3" in str(caught.value.hint)


@pytest.mark.parametrize("text", ["", "dcmi module initialize failed. ret is -8005", GUIDE.replace("OK", "??")])
def test_a_table_without_devices_is_missing(text: str) -> None:
    with pytest.raises(MissingDependencyError, match="lists none"):
        soc_of(text)


@pytest.mark.parametrize("name", ["310P3", "Ascend310P3", "AscendAscend310P3"])
def test_both_spellings_are_one(name: str) -> None:
    assert normalise_soc(name) == "Ascend310P3"


@pytest.mark.parametrize("name", ["", "Ascend", "Ascend{chip_name}", "${chip_name}", "310P3 ", "310;rm", "gpu"])
def test_what_is_no_chip_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="takes auto or a chip's name"):
        normalise_soc(name)


def test_the_program_is_asked(fake_cann: FakeCann) -> None:
    fake_cann.show(npu_smi_table("310P1", health="Alarm"))
    assert detect_soc() == "Ascend310P1"


def test_a_program_that_fails(fake_cann: FakeCann) -> None:
    fake_cann.break_npu_smi(9)
    with pytest.raises(MissingDependencyError, match="exit status 9") as caught:
        detect_soc()
    assert "--soc_version Ascend310P3" in str(caught.value.hint)


def test_no_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MissingDependencyError, match="npu-smi") as caught:
        detect_soc()
    assert "--soc_version Ascend310P3" in str(caught.value.hint)
