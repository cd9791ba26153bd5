"""Fakes of CANN's programs for tests: `atc` and `npu-smi` in a folder on the PATH. No NPU is involved."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from modelzoo.common.testing.fake_aclruntime import MAGIC
from modelzoo.common.testing.fake_atc import BEHAVIOURS

__all__ = ["MAGIC", "FakeCann", "fake_cann", "npu_smi_table", "read_fake_om"]

ATC = """#!/bin/sh
# A fake of atc, for tests.
exec "{python}" -m modelzoo.common.testing.fake_atc "$@"
"""
NPU_SMI = """#!/bin/sh
# A fake of npu-smi, for tests.
[ "$1" = info ] && [ -z "$FAKE_NPU_SMI_CODE" ] && exec cat "{table}"
echo "[fake] dcmi module initialize failed. ret is -8005"
exit "${{FAKE_NPU_SMI_CODE:-1}}"
"""
RULE = "+-------------------+-----------------+------------------------------------------------------+"
DOUBLE = RULE.replace("-", "=")
HEAD = f"""{RULE}
| NPU     Name      | Health          | Power(W)     Temp(C)           Hugepages-Usage(page) |
| Chip    Device    | Bus-Id          | AICore(%)    Memory-Usage(MB)                        |
{DOUBLE}
"""
ROWS = f"""| {{i:<7}} {{name:<9}} | {{health:<15}} | 15.8         42                0    / 0              |
| 0       {{i:<9}} | 0000:8{{i}}:00.0    | 0            1074 / 21534                            |
{DOUBLE}
"""


def npu_smi_table(*names: str, health: str = "OK") -> str:
    """What `npu-smi info` prints on the guides' machine.

    Args:
        names: The device in every slot, such as `310P3`.
        health: Of all of them.
    """
    return HEAD + "".join(ROWS.format(i=i, name=name, health=health) for i, name in enumerate(names))


def read_fake_om(path: Path) -> bytes:
    """The ONNX file in a fake .om file; fails for anything else."""
    content = path.read_bytes()
    assert content.startswith(MAGIC), f"{path} is no fake .om file"
    return content.removeprefix(MAGIC)


@dataclass(frozen=True)
class FakeCann:
    """The folder on the PATH that holds the fakes.

    Args:
        folder: The folder.
        patch: Sets what they do.
    """

    folder: Path
    patch: pytest.MonkeyPatch

    def behave(self, how: str) -> None:
        """Make the fake atc do one of `fake_atc.BEHAVIOURS`, or `fail <code>`."""
        assert how in BEHAVIOURS or how.startswith("fail ")
        self.patch.setenv("FAKE_ATC", how)

    def show(self, table: str) -> None:
        """Set what the fake npu-smi prints."""
        (self.folder / "table.txt").write_text(table, encoding="utf-8")

    def break_npu_smi(self, code: int) -> None:
        """Make the fake npu-smi end with an exit code."""
        self.patch.setenv("FAKE_NPU_SMI_CODE", str(code))

    def remove(self, program: str) -> None:
        """Take `atc` or `npu-smi` away."""
        (self.folder / program).unlink()

    @property
    def calls(self) -> list[dict[str, Any]]:
        """How the fake atc was called: `words`, `folder`, `environment`, `keep_dtype` (the content of that file)."""
        path = self.folder / "calls.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture
def fake_cann(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> FakeCann:
    """A fake atc that works and a fake npu-smi that shows a 310P3, first on the PATH."""
    folder = tmp_path_factory.mktemp("fake_cann")
    texts = {"atc": ATC.format(python=sys.executable), "npu-smi": NPU_SMI.format(table=folder / "table.txt")}
    for name, text in texts.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    for name in ("FAKE_ATC", "FAKE_NPU_SMI_CODE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FAKE_ATC_CALLS", str(folder / "calls.jsonl"))
    monkeypatch.setenv("PATH", os.pathsep.join((str(folder), os.environ["PATH"])))
    fake = FakeCann(folder, monkeypatch)
    fake.show(npu_smi_table("310P3", "310P3"))
    return fake
